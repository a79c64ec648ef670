"""What the confined child does with a file, and how its result is written and read.

A result is four bytes with the length of a header, the header as JSON, then the parts that the
header counts. It comes from a process that had an untrusted file in its hands, so it is checked
like any other input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ingest.photographs import Page, read_page, stand_upright
from models.transcript import Frozen
from transcribe import audio
from transcribe.audio import SAMPLE_RATE

PEAKS_RATE = 20.0
FULL_SCALE = 32_768
LENGTH_BYTES = 4


class SoundHeader(Frozen):
    """Figures of a decoded recording; `parts` are the bytes of copy, peaks and samples."""

    seconds: float = Field(ge=0)
    speech_seconds: float = Field(ge=0)
    loudness: float | None
    noise: float | None
    truncated: bool
    copy_mime: str = Field(max_length=64)
    parts: tuple[int, int, int]


class PageHeader(Frozen):
    """What was read from a photograph; `parts` are the bytes of its copy."""

    page: Page | None
    truncated: bool
    parts: tuple[int]


@dataclass(frozen=True, repr=False)
class DecodedSound:
    """A decoded recording. samples : int16, little-endian, at SAMPLE_RATE, as bytes"""

    header: SoundHeader
    copy: bytes
    peaks: bytes
    samples: bytes


@dataclass(frozen=True, repr=False)
class DecodedPicture:
    """A photograph with its upright copy."""

    header: PageHeader
    copy: bytes


Work = Callable[[Path], Iterator[bytes]]


def sound_work(*, most_seconds: float, disguised: bool, samples: bool) -> Work:
    """Make the child's work on a recording. samples : keep them for the recogniser"""
    return partial(_sound, most_seconds=most_seconds, disguised=disguised, keep=samples)


def samples_work(most_seconds: float) -> Work:
    """Make the child's work on a recording of which only the samples are wanted, with no header."""
    return partial(_samples, most_seconds=most_seconds)


def picture_work(*, most_pixels: int, read: bool) -> Work:
    """Make the child's work on a photograph. read : what is written on it"""
    return partial(_picture, most_pixels=most_pixels, read=read)


def parse_sound(result: Iterable[bytes]) -> DecodedSound:
    """Read the result of `sound_work`; raise ValueError if it is not of the form."""
    head, body = _split(b"".join(result))
    header = SoundHeader.model_validate_json(head)
    copy, peaks, samples = _parts(body, header.parts)
    return DecodedSound(header, copy, peaks, samples)


def parse_picture(result: Iterable[bytes]) -> DecodedPicture:
    """Read the result of `picture_work`; raise ValueError if it is not of the form."""
    head, body = _split(b"".join(result))
    header = PageHeader.model_validate_json(head)
    (copy,) = _parts(body, header.parts)
    return DecodedPicture(header, copy)


def to_samples(stored: bytes) -> NDArray[np.float32]:
    """Give stored samples as float32 in -1..1, shape = (n_samples,)."""
    return np.frombuffer(stored, "<i2").astype(np.float32) / np.float32(FULL_SCALE)


def sample_seconds(size: int) -> float:
    """Tell how long stored samples of `size` bytes last."""
    return size / (2 * SAMPLE_RATE)


def _sound(path: Path, *, most_seconds: float, disguised: bool, keep: bool) -> Iterator[bytes]:
    decoded = audio.decode(path, max_seconds=most_seconds)
    measured = audio.measure(decoded)
    copy, mime = audio.listening_copy(decoded, disguised=disguised)
    peaks = audio.peaks(decoded, PEAKS_RATE)
    samples = _stored(decoded.samples) if keep else b""
    header = SoundHeader(
        seconds=measured.seconds,
        speech_seconds=measured.speech_seconds,
        loudness=measured.loudness,
        noise=measured.noise,
        truncated=decoded.truncated,
        copy_mime=mime,
        parts=(len(copy), len(peaks), len(samples)),
    )
    yield from _written(header, copy, peaks, samples)


def _samples(path: Path, *, most_seconds: float) -> Iterator[bytes]:
    yield _stored(audio.decode(path, max_seconds=most_seconds).samples)


def _stored(samples: NDArray[np.float32]) -> bytes:
    """Write samples as they are stored; `to_samples` reads them."""
    scaled = (samples * FULL_SCALE).round().clip(-FULL_SCALE, FULL_SCALE - 1)
    return scaled.astype("<i2").tobytes()


def _picture(path: Path, *, most_pixels: int, read: bool) -> Iterator[bytes]:
    with path.open("rb") as file:
        upright = stand_upright(file, most_pixels=most_pixels)
    page = None
    if read:
        page, image = read_page(upright.image)
        upright = type(upright)(image, upright.truncated)
    copy = upright.jpeg()
    header = PageHeader(page=page, truncated=upright.truncated, parts=(len(copy),))
    yield from _written(header, copy)


def _written(header: Frozen, *parts: bytes) -> Iterator[bytes]:
    head = header.model_dump_json().encode()
    yield len(head).to_bytes(LENGTH_BYTES, "big") + head
    yield from parts


def _split(result: bytes) -> tuple[bytes, memoryview]:
    length = int.from_bytes(result[:LENGTH_BYTES], "big")
    start = LENGTH_BYTES + length
    return result[LENGTH_BYTES:start], memoryview(result)[start:]


def _parts(body: memoryview, sizes: tuple[int, ...]) -> Iterator[bytes]:
    if min(sizes) < 0 or sum(sizes) != len(body):
        raise ValueError("the parts of a result do not add up")
    at = 0
    for size in sizes:
        yield bytes(body[at : at + size])
        at += size
