"""How a recording sounds and looks: speech, loudness, noise, clipping, and its waveform."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from transcribe.audio import Audio
from transcribe.pcm import SAMPLE_BYTES, fit, integers
from transcribe.speech import SAMPLE_RATE, Samples, Span, find, seconds

with warnings.catch_warnings():
    # It warns of the ffmpeg program, which its file loading wants and we never use, and of
    # `audioop`, for which audioop-lts stands in where Python no longer has it.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

PEAK_SCALE = 127
CLIPPED_AT = 0.995
CLIPPED_RUN = 3
SILENCE_DBFS = -100.0


@dataclass(frozen=True)
class Sound:
    """How a recording sounds.

    seconds, speech_seconds : of all, and of what the speech detector hears
    loudness, noise : dBFS over speech and between it; None where there is none of it
    clipped : share of samples that sit in runs at full scale, 0..1
    """

    seconds: float
    speech_seconds: float
    loudness: float | None
    noise: float | None
    clipped: float


def measure(audio: Audio, spans: tuple[Span, ...] | None = None) -> Sound:
    """Measure speech, loudness, noise and clipping. spans : of speech, if found before"""
    spans = find(audio.samples) if spans is None else spans
    spoken = np.zeros(len(audio.samples), bool)
    for span in spans:
        spoken[span.start : span.end] = True
    return Sound(
        seconds=audio.seconds,
        speech_seconds=seconds(spans),
        loudness=dbfs(audio.samples[spoken]),
        noise=dbfs(audio.samples[~spoken]),
        clipped=_clipped(audio.samples),
    )


def dbfs(samples: Samples) -> float | None:
    """Give the loudness of samples in dB below full scale, or None if there are none."""
    if not len(samples):
        return None
    loudness = segment(samples).dBFS
    return max(float(loudness), SILENCE_DBFS)


def _clipped(samples: Samples) -> float:
    """Give the share of samples in runs of CLIPPED_RUN or more at full scale."""
    at_full = np.abs(samples) >= CLIPPED_AT
    if not at_full.any():
        return 0.0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], at_full.astype(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= CLIPPED_RUN].sum() / len(samples))


def segment(samples: Samples) -> AudioSegment:
    """Hand samples to pydub as raw PCM, which needs no ffmpeg binary."""
    return AudioSegment(
        data=integers(samples).tobytes(),
        sample_width=SAMPLE_BYTES,
        frame_rate=SAMPLE_RATE,
        channels=1,
    )


def peaks(audio: Audio, rate: float = 20.0) -> bytes:
    """Give the waveform for drawing: int8 pairs (minimum, maximum) for each 1 / rate seconds."""
    step = max(1, round(SAMPLE_RATE / rate))
    blocks = -(-len(audio.samples) // step)
    padded = fit(audio.samples, blocks * step).reshape(blocks, step)
    pairs = np.stack([padded.min(axis=1), padded.max(axis=1)], axis=1)
    return np.clip(np.round(pairs * PEAK_SCALE), -PEAK_SCALE, PEAK_SCALE).astype(np.int8).tobytes()
