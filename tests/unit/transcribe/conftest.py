"""Sounds and files for the tests of this room, made here: no recording of anybody."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pysilk
import pytest
from numpy.typing import NDArray

RATE = 16_000

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Form:
    """How phones write a recording. exact : the codec keeps the number of samples"""

    suffix: str
    container: str
    codec: str
    rate: int = RATE
    layout: str = "mono"
    bit_rate: int | None = None


FORMS = {
    "webm/opus": Form("webm", "webm", "libopus", 48_000, bit_rate=24_000),
    "ogg/opus": Form("ogg", "ogg", "libopus", 48_000, bit_rate=24_000),
    "m4a": Form("m4a", "ipod", "aac", 44_100, "stereo", bit_rate=64_000),
    "adts": Form("aac", "adts", "aac", bit_rate=32_000),
    "mp3": Form("mp3", "mp3", "libmp3lame", 44_100, "stereo", bit_rate=64_000),
    "amr-nb in 3gp": Form("3gp", "3gp", "libopencore_amrnb", 8_000, bit_rate=12_200),
    "amr-nb": Form("amr", "amr", "libopencore_amrnb", 8_000, bit_rate=12_200),
    "wav": Form("wav", "wav", "pcm_s16le"),
    "wav 8 kHz a-law": Form("wav", "wav", "pcm_alaw", 8_000),
    "wav 11.025 kHz": Form("wav", "wav", "pcm_s16le", 11_025),
    "wav 96 kHz stereo": Form("wav", "wav", "pcm_s24le", 96_000, "stereo"),
    "flac": Form("flac", "flac", "flac", 48_000, "stereo"),
    "caf": Form("caf", "caf", "pcm_s16be", 44_100),
}


def encode(samples: Floats, form: Form, metadata: dict[str, str] | None = None) -> bytes:
    """Write samples (at RATE) the way a phone would."""
    out = io.BytesIO()
    with av.open(out, "w", format=form.container) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(form.codec, rate=form.rate, layout=form.layout)
        if form.bit_rate:
            stream.bit_rate = form.bit_rate
        pcm = (np.clip(samples, -1, 1) * 32_767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
        resampler = av.AudioResampler(stream.format.name, form.layout, form.rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return out.getvalue()


def silk(samples: Floats, *, tencent: bool = True) -> bytes:
    """Write samples as WeChat does."""
    out = io.BytesIO()
    pcm = (np.clip(samples, -1, 1) * 32_767).astype(np.int16)
    pysilk.encode(io.BytesIO(pcm.tobytes()), out, RATE, 25_000, tencent=tencent)
    return out.getvalue()


def melody(seconds: float = 3.0, loudness: float = 0.3) -> Floats:
    """Make a tone whose pitch and loudness change, so that shifts and losses show."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * (300 * time + 60 * np.sin(2 * np.pi * 0.7 * time))
    envelope = 0.55 + 0.45 * np.sin(2 * np.pi * 1.3 * time)
    return (loudness * envelope * np.sin(phase)).astype(np.float32)


def envelope(samples: Floats, step: int = 320) -> Floats:
    """Give the loudness in blocks of 20 ms."""
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    return np.sqrt((blocks**2).mean(axis=1) + 1e-12)


def alike(one: Floats, other: Floats, lag: int = 8) -> float:
    """Correlate two envelopes at the best lag within some blocks; codecs start late."""
    first, second = envelope(one), envelope(other)
    best = -1.0
    for shift in range(-lag, lag + 1):
        left, right = first[max(shift, 0) :], second[max(-shift, 0) :]
        length = min(len(left), len(right))
        best = max(best, float(np.corrcoef(left[:length], right[:length])[0, 1]))
    return best


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes, str], Path]:
    """Write bytes to a file of a name and give its path."""

    def write(content: bytes, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write
