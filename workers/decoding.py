"""What the confined child does with a file, and how its result is written and read.

A result is four bytes with the length of a header, the header as JSON, then the parts that the
header counts. It comes from a process that had an untrusted file in its hands, so it is checked
like any other input.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ingest import photographs
from ingest.fingerprint import fingerprint
from ingest.photographs import Page, read_page, stand_upright
from models.transcript import Frozen
from transcribe import audio, speech
from transcribe.audio import Audio
from transcribe.listening import listening_copy
from transcribe.pcm import floats, integers
from transcribe.sound import measure, peaks
from transcribe.speech import SAMPLE_RATE
from workers.confine import Task, nothing

PEAKS_RATE = 20.0
LENGTH_BYTES = 4
TIMED_SECONDS = 60.0  # the longest that is timed


class SoundHeader(Frozen):
    """Figures of a decoded recording; `parts`: bytes of copy, peaks, samples and fingerprint."""

    seconds: float = Field(ge=0)
    speech_seconds: float = Field(ge=0)
    loudness: float | None
    noise: float | None
    truncated: bool
    copy_mime: str = Field(max_length=64)
    parts: tuple[int, int, int, int]


class PageHeader(Frozen):
    """What was read from a photograph; `parts` are the bytes of its copy."""

    page: Page | None
    truncated: bool
    parts: tuple[int]


@dataclass(frozen=True, repr=False)
class DecodedSound:
    """A decoded recording.

    samples : int16, little-endian, at SAMPLE_RATE, as bytes
    fingerprint : by which the same recording is found again; b"" where none is wanted
    """

    header: SoundHeader
    copy: bytes
    peaks: bytes
    samples: bytes
    fingerprint: bytes


@dataclass(frozen=True, repr=False)
class DecodedPicture:
    """A photograph with its upright copy."""

    header: PageHeader
    copy: bytes


def sound_task(*, most_seconds: float, disguised: bool, samples: bool) -> Task:
    """Make the child's task with a recording.

    samples : keep them for the recogniser, and take the fingerprint; never of a spoken name
    """
    work = partial(_sound, most_seconds=most_seconds, disguised=disguised, keep=samples)
    return Task(work, load_sound)


def timed_task() -> Task:
    """Make the child's task of telling what a recording costs: processor milliseconds, written."""
    return Task(_timed, load_sound)


@cache
def load_sound() -> None:
    """Load what a recording needs, and use it once: what the first use sets up is inherited."""
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    copy, _ = listening_copy(Audio(noise), disguised=False)
    with os.fdopen(os.memfd_create("noise"), "wb") as file:
        file.write(copy)
        file.flush()
        decoded = audio.decode(Path(f"/proc/self/fd/{file.fileno()}"), max_seconds=2.0)
    measure(decoded, speech.find(decoded.samples))
    fingerprint(decoded.samples)


def picture_task(*, most_pixels: int, read: bool) -> Task:
    """Make the child's task with a photograph. read : what is written on it"""
    work = partial(_picture, most_pixels=most_pixels, read=read)
    return Task(work, photographs.load if read else nothing)


def samples_task(most_seconds: float) -> Task:
    """Make the child's task with a recording of which only the samples are wanted, no header."""
    return Task(partial(_samples, most_seconds=most_seconds), speech.load)


def parse_sound(result: bytes) -> DecodedSound:
    """Read the result of `sound_task`; raise ValueError if it is not of the form."""
    head, body = _split(result)
    header = SoundHeader.model_validate_json(head)
    copy, peaks, samples, marks = _parts(body, header.parts)
    return DecodedSound(header, copy, peaks, samples, marks)


def parse_picture(result: bytes) -> DecodedPicture:
    """Read the result of `picture_task`; raise ValueError if it is not of the form."""
    head, body = _split(result)
    header = PageHeader.model_validate_json(head)
    (copy,) = _parts(body, header.parts)
    return DecodedPicture(header, copy)


def to_samples(stored: bytes) -> NDArray[np.float32]:
    """Give stored samples as float32 in -1..1, shape = (n_samples,)."""
    return floats(np.frombuffer(stored, "<i2").astype(np.int16))


def sample_seconds(size: int) -> float:
    """Tell how long stored samples of `size` bytes last."""
    return size / (2 * SAMPLE_RATE)


def _sound(path: Path, *, most_seconds: float, disguised: bool, keep: bool) -> Iterator[bytes]:
    decoded = audio.decode(path, max_seconds=most_seconds)
    spans = speech.find(decoded.samples)
    measured = measure(decoded, spans)
    copy, mime = listening_copy(decoded, disguised=disguised, spans=spans)
    drawn = peaks(decoded, PEAKS_RATE)
    samples = marks = b""
    if keep:
        marks = fingerprint(decoded.samples)
        samples = _stored(decoded.samples)
    header = SoundHeader(
        seconds=measured.seconds,
        speech_seconds=measured.speech_seconds,
        loudness=measured.loudness,
        noise=measured.noise,
        truncated=decoded.truncated,
        copy_mime=mime,
        parts=(len(copy), len(drawn), len(samples), len(marks)),
    )
    yield from _written(header, copy, drawn, samples, marks)


def _timed(path: Path) -> Iterator[bytes]:
    begun = time.process_time()
    for _ in _sound(path, most_seconds=TIMED_SECONDS, disguised=False, keep=True):
        pass
    yield f"{1_000 * (time.process_time() - begun):.3f}".encode()


def _samples(path: Path, *, most_seconds: float) -> Iterator[bytes]:
    yield _stored(audio.decode(path, max_seconds=most_seconds).samples)


def _stored(samples: NDArray[np.float32]) -> bytes:
    """Write samples as they are stored; `to_samples` reads them."""
    return integers(samples).astype("<i2").tobytes()


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
