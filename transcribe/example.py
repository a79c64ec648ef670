"""What a tagger is taught with: windows of recordings whose language is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Example:
    """One window of a recording as the encoder hears it.

    states : of the encoder, shape = (n_states, width)
    tag : a language, of the pack or not, `und` or NO_LANGUAGE; group : the language proper
    average_logprob : of the text written about it, or None; spelling : as from Spelling.usual
    written_in : the likeliest language of the pack
    unseen : held back to calibrate with, as what the pack was not trained on
    """

    states: NDArray[np.floating]
    tag: str
    group: str
    average_logprob: float | None
    written_in: str = ""
    unseen: bool = False
    spelling: float | None = None


def tags_of(examples: Sequence[Example]) -> dict[str, str]:
    """Give the tag of each group, in the order of their names."""
    tags = {example.group: example.tag for example in examples}
    return dict(sorted(tags.items()))


def groups_of(examples: Sequence[Example]) -> NDArray[np.str_]:
    """Give the group of each example; shape = (n_examples,)."""
    return np.array([example.group for example in examples])
