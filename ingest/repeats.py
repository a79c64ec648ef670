"""Repeats: reports that may be about the same thing are proposed with reasons, never merged.

Two reports of one jurisdiction are brought together by an index, never by comparing all with all:
by the keyed hash of a recording, by marks of its sound, by runs of three syllables of the text (so
that a typed and a spoken report meet although the recogniser wrote other characters), and by the
body and kind of matter. What the index brings together is then compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from ingest import fingerprint
from ingest.fingerprint import Marks, mix
from ingest.normalise.reading import plain
from ingest.normalise.sound import is_han, syllable
from models.record import Amount
from models.transcript import Frozen

RUN = 3
SKETCH = 96
KEYS = 48  # of a sketch or fingerprint that go into the index
MOST_OWNERS = 64  # a key of more reports than this says nothing
LEAST_SHARED = 2
SHORTEST = 16  # runs; a shorter text is like every other
SAME_BODY_CAP = 60

SAME_TEXT = 0.75  # alike whatever else was read
ALIKE_TEXT = 0.45  # alike, and nothing speaks against it
ECHO_TEXT = 0.18  # somewhat alike, and body, matter and a fact agree

Keys = NDArray[np.uint32]


class Trace(Frozen):
    """What is known of a report for finding its repeats.

    unit : code, "" unless the report itself said it; recordings : (keyed hash, fingerprint)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    id: UUID
    jurisdiction: str
    text: str = ""
    unit: str = ""
    domain: str = ""
    person: str = ""
    start: date | None = None
    end: date | None = None
    amounts: tuple[Amount, ...] = ()
    recordings: tuple[tuple[str, bytes], ...] = ()


class Reason(Frozen):
    """Why two reports may be about the same thing, with what agrees."""

    kind: Literal["same_recording", "same_sound", "same_matter"]
    score: float
    agree: tuple[str, ...] = ()


class Proposal(Frozen):
    """That one report may repeat another; a person decides."""

    id: UUID
    other: UUID
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class _Entry:
    """A report as the index keeps it. runs : how many different runs its text has"""

    trace: Trace
    sketch: Keys
    runs: int
    marks: tuple[Marks, ...]
    facts: frozenset[tuple[float, str]]


class Repeats:
    """An index of reports; built at once from many, then asked and added to one by one."""

    def __init__(self, traces: Iterable[Trace] = ()) -> None:
        self._entries = [_entry(trace) for trace in traces]
        self._by_hash: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._by_body: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        for at, entry in enumerate(self._entries):
            self._file(at, entry)
        self._text = _Postings(entry.sketch[:KEYS] for entry in self._entries)
        self._sound = _Postings(_sound_keys(entry) for entry in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, trace: Trace) -> None:
        """Add a report, so that later ones can repeat it."""
        entry = _entry(trace)
        at = len(self._entries)
        self._entries.append(entry)
        self._file(at, entry)
        self._text.add(at, entry.sketch[:KEYS])
        self._sound.add(at, _sound_keys(entry))

    def propose(self, trace: Trace) -> tuple[Proposal, ...]:
        """Propose what a report may repeat, the likeliest first. It need not be in the index."""
        entry = _entry(trace)
        near = set(self._text.near(entry.sketch[:KEYS]))
        near.update(self._sound.near(_sound_keys(entry)))
        for key in _hash_keys(trace):
            near.update(self._by_hash.get(key, ()))
        near.update(self._by_body.get(_body_key(trace), ())[-SAME_BODY_CAP:])
        proposals = (
            compare(entry, self._entries[at])
            for at in near
            if self._entries[at].trace.id != trace.id
        )
        found = [proposal for proposal in proposals if proposal is not None]
        return tuple(sorted(found, key=lambda one: (-one.score, str(one.other))))

    def pairs(self) -> Iterator[Proposal]:
        """Propose among all reports in the index, the later as the repeat of the earlier."""
        filed = chain(self._by_hash.values(), self._by_body.values())
        within = (pair for group in filed for pair in _group_pairs(group))
        seen: set[tuple[int, int]] = set()
        for pair in chain(self._text.pairs(), self._sound.pairs(), within):
            if pair in seen:
                continue
            seen.add(pair)
            proposal = compare(self._entries[pair[1]], self._entries[pair[0]])
            if proposal is not None:
                yield proposal

    def _file(self, at: int, entry: _Entry) -> None:
        for key in _hash_keys(entry.trace):
            self._by_hash[key].append(at)
        body = _body_key(entry.trace)
        if all(body):
            self._by_body[body].append(at)


class _Postings:
    """Which reports have a key: a sorted table for those known from the start, a map for later."""

    def __init__(self, keys: Iterable[Keys]) -> None:
        lists = list(keys)
        owners = np.repeat(np.arange(len(lists), dtype=np.uint32), [len(one) for one in lists] or 0)
        joined = np.concatenate(lists) if lists else np.zeros(0, dtype=np.uint32)
        order = np.argsort(joined, kind="stable")
        self._keys, self._owners = joined[order], owners[order]
        self._later: defaultdict[int, list[int]] = defaultdict(list)

    def add(self, owner: int, keys: Keys) -> None:
        """Add the keys of one more report."""
        for key in keys.tolist():
            self._later[key].append(owner)

    def near(self, keys: Keys) -> list[int]:
        """Give the reports that share enough keys, of those that are not everybody's."""
        shared: Counter[int] = Counter()
        starts = np.searchsorted(self._keys, keys, side="left")
        ends = np.searchsorted(self._keys, keys, side="right")
        for key, start, end in zip(keys.tolist(), starts.tolist(), ends.tolist(), strict=True):
            later = self._later.get(key, [])
            if end - start + len(later) <= MOST_OWNERS:
                shared.update(self._owners[start:end].tolist())
                shared.update(later)
        return [owner for owner, times in shared.items() if times >= LEAST_SHARED]

    def pairs(self) -> list[tuple[int, int]]:
        """Give all pairs of reports, earlier first, that share enough keys."""
        keys, owners = self._keys, self._owners.astype(np.uint64)
        if self._later:
            more = [(key, owner) for key, listed in self._later.items() for owner in listed]
            keys = np.concatenate([keys, np.array([key for key, _ in more], dtype=np.uint32)])
            owners = np.concatenate([owners, np.array([at for _, at in more], dtype=np.uint64)])
            order = np.argsort(keys, kind="stable")
            keys, owners = keys[order], owners[order]
        _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        telling = (counts[inverse] > 1) & (counts[inverse] <= MOST_OWNERS)
        keys, owners = keys[telling], owners[telling]
        joined = []
        for lag in range(1, MOST_OWNERS):
            same = keys[lag:] == keys[:-lag]
            if not same.any():
                break
            one, other = owners[:-lag][same], owners[lag:][same]
            low, high = np.minimum(one, other), np.maximum(one, other)
            joined.append((low << np.uint64(32)) | high)
        if not joined:
            return []
        pairs, times = np.unique(np.concatenate(joined), return_counts=True)
        kept = pairs[times >= LEAST_SHARED]
        low, high = kept >> np.uint64(32), kept & np.uint64(0xFFFFFFFF)
        return [
            pair for pair in zip(low.tolist(), high.tolist(), strict=True) if pair[0] != pair[1]
        ]


def compare(later: _Entry, earlier: _Entry) -> Proposal | None:
    """Compare two reports; None if they seem to be about different things."""
    one, other = later.trace, earlier.trace
    if one.jurisdiction != other.jurisdiction:
        return None
    reasons = [
        *_same_recording(one, other),
        *_same_sound(later, earlier),
        *_same_matter(later, earlier),
    ]
    if not reasons:
        return None
    score = max(reason.score for reason in reasons)
    return Proposal(id=one.id, other=other.id, score=round(score, 3), reasons=tuple(reasons))


def _same_recording(one: Trace, other: Trace) -> Iterator[Reason]:
    hashes = {content for content, _ in one.recordings} & {
        content for content, _ in other.recordings
    }
    if hashes:
        yield Reason(kind="same_recording", score=1.0, agree=("content_hash",))


def _same_sound(later: _Entry, earlier: _Entry) -> Iterator[Reason]:
    best = max((fingerprint.alike(a, b) for a in later.marks for b in earlier.marks), default=0.0)
    if best > 0:
        # any alignment that `alike` accepts is beyond chance; the share says how much was kept
        yield Reason(kind="same_sound", score=round(0.9 + 0.1 * best, 3), agree=("fingerprint",))


def _same_matter(later: _Entry, earlier: _Entry) -> Iterator[Reason]:
    """Weigh text, body, kind, person, time and amounts; a clear difference speaks against it."""
    text = similarity(later, earlier)
    one, other = later.trace, earlier.trace
    agree = [
        name
        for name, mine, theirs in (
            ("unit", one.unit, other.unit),
            ("domain", one.domain, other.domain),
            ("person", one.person, other.person),
        )
        if mine and mine == theirs
    ]
    differ = sum(
        bool(mine and theirs and mine != theirs)
        for mine, theirs in ((one.unit, other.unit), (one.person, other.person))
    )
    if one.start and one.end and other.start and other.end:
        if one.start <= other.end and other.start <= one.end:
            agree.append("occurred")
        else:
            differ += 1
    if later.facts & earlier.facts:
        agree.append("amounts")
    elif later.facts and earlier.facts:
        differ += 1
    facts = sum(name in agree for name in ("person", "occurred", "amounts"))
    enough = (
        (text >= SAME_TEXT and differ <= 1)
        or (text >= ALIKE_TEXT and not differ)
        or (text >= ECHO_TEXT and {"unit", "domain"} <= set(agree) and facts > differ)
        or ({"unit", "domain"} <= set(agree) and facts >= 2 and not differ)
    )
    if enough:
        score = min(0.95, 0.5 + 0.35 * text + 0.05 * len(agree) - 0.05 * differ)
        agree = [*agree, "text"] if text >= ECHO_TEXT else agree
        yield Reason(kind="same_matter", score=round(score, 3), agree=tuple(agree))


def similarity(one: _Entry, other: _Entry) -> float:
    """Estimate the share of the shorter text's runs that the other has too, from the sketches.

    The smallest of both sketches together are a random sample of all runs of either text
    (A. Broder, "On the resemblance and containment of documents", 1997).
    """
    if one.runs < SHORTEST or other.runs < SHORTEST:
        return 0.0
    union = np.union1d(one.sketch, other.sketch)[:SKETCH]
    both = np.intersect1d(np.intersect1d(one.sketch, other.sketch, assume_unique=True), union)
    resemblance = len(both) / len(union)
    shared = resemblance / (1 + resemblance) * (one.runs + other.runs)
    return float(min(1.0, shared / min(one.runs, other.runs)))


def sketch(text: str) -> tuple[Keys, int]:
    """Give the smallest mixed keys of the text's runs of syllables, sorted, and how many runs."""
    said = [_syllable_number(sign) for sign in plain(text) if is_han(sign) or sign.isalnum()]
    if len(said) < RUN:
        return np.zeros(0, dtype=np.uint32), 0
    numbers = np.array(said, dtype=np.uint32)
    runs = numbers[: 1 - RUN].copy()
    for step in range(1, RUN):
        runs = runs * np.uint32(2_654_435_761) + numbers[step : len(numbers) - RUN + 1 + step]
    keys = np.unique(mix(runs))
    return keys[:SKETCH], len(keys)


_NUMBERS: dict[str, int] = {}


def _syllable_number(sign: str) -> int:
    """Give the same number to all characters that sound alike."""
    number = _NUMBERS.get(sign)
    if number is None:
        number = 0
        for byte in syllable(sign).encode():
            number = (number * 131 + byte) & 0xFFFFFFFF
        _NUMBERS[sign] = number
    return number


def _entry(trace: Trace) -> _Entry:
    keys, runs = sketch(trace.text)
    marks = tuple(fingerprint.read(stored) for _, stored in trace.recordings if stored)
    facts = frozenset((amount.value, amount.unit) for amount in trace.amounts if amount.value >= 2)
    return _Entry(trace, keys, runs, marks, facts)


def _sound_keys(entry: _Entry) -> Keys:
    """Give the marks for the index: of each recording those with the smallest mixed keys."""
    parts = [np.unique(mix(marks["key"]))[:KEYS] for marks in entry.marks]
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.uint32)


def _hash_keys(trace: Trace) -> list[tuple[str, str]]:
    return [(trace.jurisdiction, content) for content, _ in trace.recordings]


def _body_key(trace: Trace) -> tuple[str, str, str]:
    return trace.jurisdiction, trace.unit, trace.domain


def _group_pairs(group: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give the pairs of a group; in a large one each only with those filed just before it."""
    for position, later in enumerate(group):
        for earlier in group[max(0, position - SAME_BODY_CAP) : position]:
            yield earlier, later
