"""Samples as numbers between -1 and 1, and as the 16-bit integers of PCM."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from transcribe.speech import SAMPLE_RATE, Samples

FULL_SCALE = 32_768
SAMPLE_BYTES = 2
FRAME_SECONDS = 5


def floats(pcm: NDArray[np.int16]) -> Samples:
    """Turn 16-bit samples into -1..1."""
    return np.asarray(pcm, np.float32) / np.float32(FULL_SCALE)


def integers(samples: Samples) -> NDArray[np.int16]:
    """Turn samples in -1..1 into 16 bits, the nearest each; what is louder is cut off."""
    return np.clip(np.round(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def frames(samples: Samples) -> Iterator[av.AudioFrame]:
    """Cut samples into 16-bit frames with times."""
    pcm = integers(samples)
    step = FRAME_SECONDS * SAMPLE_RATE
    for start in range(0, len(pcm), step):
        frame = av.AudioFrame.from_ndarray(
            pcm[None, start : start + step], format="s16", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = start
        yield frame


def fit(samples: Samples, length: int) -> Samples:
    """Cut or fill up with silence to a length."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))
