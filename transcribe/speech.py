"""Where somebody speaks in a recording, and how long recordings are cut at the silences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps, get_vad_model
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
SPEECH_THRESHOLD = 0.5
SHORTEST_SPEECH_MS = 120
SHORTEST_PAUSE_MS = 350
PADDING_MS = 160
LONGEST_SPAN_SECONDS = 27.0

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A stretch of a recording. start, end : samples, start < end."""

    start: int
    end: int

    @property
    def seconds(self) -> float:
        """Give the length of the stretch."""
        return (self.end - self.start) / SAMPLE_RATE


def load() -> None:
    """Load the detector, which otherwise happens when it is first asked."""
    get_vad_model()


def find(samples: Samples, *, longest: float = LONGEST_SPAN_SECONDS) -> tuple[Span, ...]:
    """Find the stretches with speech, by Silero VAD as faster-whisper ships it.

    samples : shape = (n_samples,), at SAMPLE_RATE
    longest : seconds after which a stretch is cut, at a short pause where there is one
    """
    if not len(samples):
        return ()
    options = VadOptions(
        threshold=SPEECH_THRESHOLD,
        min_speech_duration_ms=SHORTEST_SPEECH_MS,
        min_silence_duration_ms=SHORTEST_PAUSE_MS,
        speech_pad_ms=PADDING_MS,
        max_speech_duration_s=longest,
    )
    found = get_speech_timestamps(samples, options, sampling_rate=SAMPLE_RATE)
    spans = (Span(one["start"], min(one["end"], len(samples))) for one in found)
    return tuple(span for span in spans if span.start < span.end)


def seconds(spans: Sequence[Span]) -> float:
    """Add up the seconds of stretches."""
    return float(sum(span.seconds for span in spans))
