"""Recordings and their windows on the way through the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.errors import XiangyinError
from models.transcript import Likely, Word
from transcribe.language import Odds, Prior, Sounding
from transcribe.speech import Samples, Span
from transcribe.whisper import BUCKETS_SECONDS, Encoded, Written
from transcribe.windows import Window

Item = TypeVar("Item")
Key = TypeVar("Key")
# Told before every call into native code how many seconds of sound it gets.
Tell = Callable[[float], None]


@dataclass(frozen=True)
class Request:
    """One recording to recognise.

    samples : float32, shape = (n_samples,), at 16 kHz
    declared : BCP-47 that the caller gave, "" for none, "und" for "another language"
    likely : what the channel makes likely
    again : decoded a second time where the options ask for marked ones, for measurements
    """

    samples: Samples
    declared: str = ""
    likely: tuple[Likely, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Options:
    """How the work is cut.

    batch : windows written together; 0 for the device's default
    buckets : lengths in seconds that windows are rounded up to
    again : which windows are decoded a second time with care; all but "poor" are for measurements
    forced_tokens_a_second : write exactly so many tokens, for measurements, or None
    """

    batch: int = 0
    buckets: tuple[float, ...] = BUCKETS_SECONDS
    again: Literal["poor", "never", "marked"] = "poor"
    forced_tokens_a_second: float | None = None


@dataclass
class Turn:
    """One window on its way.

    frames : of its encoder window; agreement : of two decodings, or None if there was one
    tried : languages in which a text was written, with their odds by these, if several were
    """

    window: Window
    frames: int
    mel: NDArray[np.float32]
    encoded: Encoded
    sounding: Sounding
    odds: Odds = field(default_factory=dict)
    tag: str = ""
    tried: tuple[Likely, ...] = ()
    written: Written | None = None
    agreement: float | None = None
    words: tuple[Word, ...] = ()

    def forget(self) -> None:
        """Let go of sound and states: they fill the memory, and are nobody's to keep."""
        self.mel = np.empty((0, 0), np.float32)
        self.encoded = Encoded(np.empty((0, 0), np.float32), 0)


@dataclass
class Job:
    """One request on its way. turns : windows done so far, in the order of their windows"""

    request: Request
    spans: tuple[Span, ...]
    windows: tuple[Window, ...]
    turns: list[Turn] = field(default_factory=list)
    error: XiangyinError | None = None

    @property
    def prior(self) -> Prior:
        """Give what was known before listening."""
        return Prior(self.request.declared, self.request.likely)


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> list[tuple[Key, list[Item]]]:
    """Group items by a key, in the order in which the keys first come."""
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return list(groups.items())


def parts(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Cut into parts of at most a size."""
    return (items[start : start + size] for start in range(0, len(items), size))
