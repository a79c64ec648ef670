"""Files as phones write them, made here: sounds in many containers, and pictures."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pysilk
from numpy.typing import NDArray
from PIL import Image
from pillow_heif import from_pillow

RATE = 16_000

Pcm = NDArray[np.int16]

# Container, codec and sample rate of what people send.
FORMS = {
    "webm/opus": ("webm", "libopus", 48_000),
    "ogg/opus": ("ogg", "libopus", 48_000),
    "m4a": ("ipod", "aac", 44_100),
    "mp4": ("mp4", "aac", 44_100),
    "amr-nb in 3gp": ("3gp", "libopencore_amrnb", 8_000),
    "amr-nb": ("amr", "libopencore_amrnb", 8_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "adts": ("adts", "aac", 16_000),
    "caf": ("caf", "pcm_s16be", 44_100),
    "flac": ("flac", "flac", 48_000),
    "wav": ("wav", "pcm_s16le", 16_000),
    "aiff": ("aiff", "pcm_s16be", 16_000),
}


def tone(seconds: float = 2.0, frequency: float = 220.0) -> Pcm:
    """Make a tone that swells, 16 kHz mono."""
    at = np.arange(int(RATE * seconds)) / RATE
    swell = np.linspace(0.05, 0.6, at.size)
    return (np.sin(2 * np.pi * frequency * at) * swell * 32_767).astype(np.int16)


def sound(form: str, pcm: Pcm | None = None, metadata: dict[str, str] | None = None) -> bytes:
    """Write samples in one of `FORMS`."""
    samples = tone() if pcm is None else pcm
    container, codec, rate = FORMS[form]
    held = io.BytesIO()
    with av.open(held, "w", format=container) as output:
        output.metadata.update(metadata or {})
        stream: av.AudioStream = output.add_stream(codec, rate=rate, layout="mono")  # type: ignore[assignment]
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
        resampler = av.AudioResampler(stream.format.name, "mono", rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return held.getvalue()


def silk(pcm: Pcm | None = None, *, tencent: bool = True) -> bytes:
    """Write samples as WeChat does; with `tencent`, behind its extra byte."""
    held = io.BytesIO()
    samples = tone() if pcm is None else pcm
    pysilk.encode(io.BytesIO(samples.tobytes()), held, RATE, 24_000, tencent=tencent)
    return held.getvalue()


def bare_mp3() -> bytes:
    """Cut an MP3's ID3 header off, so that it begins with a frame."""
    data = sound("mp3")
    size = sum(byte << 7 * (3 - place) for place, byte in enumerate(data[6:10]))
    return data[10 + size :] if data.startswith(b"ID3") else data


def picture(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    """Write an image as JPEG, PNG, WEBP or HEIC."""
    shown = image or Image.new("RGB", (64, 48), (200, 30, 30))
    held = io.BytesIO()
    if kind == "HEIC":
        from_pillow(shown).save(held, **options)
    else:
        shown.save(held, kind, **options)
    return held.getvalue()
