"""All reports at once: what an installation runs through after an upgrade or an import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.repeats.compare import Proposal, compare
from ingest.repeats.trace import Entry, WideKeys, body_keys, hash_keys, sound_keys, text_keys

MOST_OWNERS = 64  # a key of more reports than this says nothing
LEAST_SHARED = 8  # of text keys: two clauses in common are less, and say nothing
LEAST_MARKS = 3
SAME_BODY_CAP = 60


def pairs(entries: Sequence[Entry]) -> Iterator[Proposal]:
    """Propose among reports given in the order they came in, the later to repeat the earlier."""
    by_sound = _sharing((sound_keys(one) for one in entries), LEAST_MARKS, MOST_OWNERS)
    met = [
        by_sound,
        _sharing((text_keys(one) for one in entries), LEAST_SHARED, MOST_OWNERS),
        _sharing((hash_keys(one) for one in entries), 1, MOST_OWNERS),
        _sharing((body_keys(one) for one in entries), 1, None),
    ]
    pairs_met = np.unique(np.concatenate(met))
    heard = np.isin(pairs_met, by_sound, assume_unique=True)
    for pair, sounds in zip(pairs_met.tolist(), heard.tolist(), strict=True):
        earlier, later = divmod(pair, len(entries))
        proposal = compare(entries[later], entries[earlier], by_sound=sounds)
        if proposal is not None:
            yield proposal


def _sharing(keys: Iterable[WideKeys], least: int, most: int | None) -> NDArray[np.int64]:
    """Give the pairs that share at least so many keys: the earlier one times their number, and the
    later one. shape = (n_pairs,)

    most : a key of more owners is left out; None: each owner meets only those just before it
    """
    lists = list(keys)
    owners = np.repeat(np.arange(len(lists)), [len(one) for one in lists] or 0)
    joined = np.concatenate(lists) if lists else np.zeros(0, dtype=np.int64)
    order = np.argsort(joined, kind="stable")
    joined, owners = joined[order], owners[order]
    _, inverse, counts = np.unique(joined, return_inverse=True, return_counts=True)
    telling = counts[inverse] > 1
    if most is not None:
        telling &= counts[inverse] <= most
    joined, owners = joined[telling], owners[telling]
    found = []
    for lag in range(1, SAME_BODY_CAP + 1 if most is None else most):
        same = joined[lag:] == joined[:-lag]
        if not same.any():
            break
        found.append(owners[:-lag][same] * len(lists) + owners[lag:][same])
    if not found:
        return np.zeros(0, dtype=np.int64)
    met, times = np.unique(np.concatenate(found), return_counts=True)
    return met[times >= least]
