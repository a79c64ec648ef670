"""Weights between those before and after learning a language.

What a network learns of a new language lies mostly on a straight way from its old weights to the
new ones, and what it forgets on the last part of it (Wortsman et al., "Robust fine-tuning of
zero-shot models", 2022). So the way is gone as far as the old languages bear it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from transcribe.train.batches import Vocabulary
from transcribe.train.checking import character_error_rates
from transcribe.train.clips import Stored
from transcribe.train.network import Whisper

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
MOST_WORSE = 0.008  # mean CER of the old languages against that before
HELD_BACK = 20  # every twentieth clip of the old languages tells how much is forgotten
MOST_CHECKED = 200

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Blend:
    """How far the way was gone, with the old languages' mean CER before and after."""

    share: float
    before: float
    after: float


def parted(old: Sequence[Stored]) -> tuple[list[Stored], list[Stored]]:
    """Part clips of the old languages: those to rehearse, and those to check with."""
    single = [i for i, stored in enumerate(old) if len(stored.clip.parts) == 1]
    spoken = single[::HELD_BACK][:MOST_CHECKED]
    back = set(spoken)
    return [s for i, s in enumerate(old) if i not in back], [old[i] for i in spoken]


def between(before: Weights, after: Weights, share: float) -> Weights:
    """Return weights `share` of the way; those that only one side has are taken from `after`."""
    return {
        name: torch.lerp(before[name], tensor, share) if name in before else tensor
        for name, tensor in after.items()
    }


def choose(
    before: Weights, network: Whisper, vocabulary: Vocabulary, check: Sequence[Stored]
) -> Blend:
    """Set the network to the farthest weights whose old languages are hardly worse than before.

    before : by the network's names, of the same shapes; check : clips of the old languages
    """
    after = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    @cache
    def mean_cer(share: float) -> float:
        network.load_state_dict(between(before, after, share))
        rates = character_error_rates(network, vocabulary, check)
        return sum(rates.values()) / len(rates)

    first = mean_cer(0.0)
    # What is forgotten grows along the way, so a few places on it suffice.
    borne = bisect_left(SHARES[:-1], True, key=lambda share: mean_cer(share) <= first + MOST_WORSE)
    share = SHARES[borne]
    cer = mean_cer(share)
    network.load_state_dict(between(before, after, share))
    return Blend(share, first, cer)
