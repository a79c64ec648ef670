"""What this machine can do by itself: multiply matrices, and get sound ready to be recognised."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import numpy as np

from models.settings import Limits
from transcribe import shapes
from transcribe.audio import Audio
from transcribe.babble import babble, silence
from transcribe.listening import listening_copy
from transcribe.shapes import Shape
from transcribe.whisper import STATES_A_SECOND
from workers.confine import Bounds
from workers.decoding import timed_task
from workers.nursery import Nursery

MEDIA_SECONDS = 15.0
MEDIA_TIMES = 15
TRACTS = (0.9, 1.3)  # from a big man's throat to a child's
# A matrix multiplication so wide that nothing else counts, to learn what the machine can do.
WIDE = Shape(2_048, 16, 1, 1, text_tokens=300, languages=1)
WIDE_SECONDS = 6.0


def matrix_gops(threads: int, compute_type: str, folder: Path) -> float:
    """Measure the speed of matrix multiplication with this arithmetic, in 1e9 operations a second.

    The best of several encodings by one very wide layer, in which nothing else takes time.
    """
    model = ctranslate2.models.Whisper(
        str(shapes.build(WIDE, folder / "wide")), compute_type=compute_type, intra_threads=threads
    )
    states = int(WIDE_SECONDS * STATES_A_SECOND)
    sound = np.zeros((1, WIDE.mels, 2 * states), np.float32)
    features = ctranslate2.StorageView.from_array(sound)
    model.encode(features)
    best = min(_seconds(lambda: model.encode(features)) for _ in range(5))
    return WIDE.encoder_operations(states) / best / 1e9


def media_ms() -> float:
    """Measure what `prepare` does to MEDIA_SECONDS of sound, in processor milliseconds.

    The middle of several, each in a confined process of its own, as uploads are opened: that costs
    more than the same once more in a process that has just done it.
    """
    content, bounds = message(), Bounds.of(Limits())
    with Nursery() as nursery:
        taken = [float(nursery.run(timed_task(), [content], bounds)) for _ in range(MEDIA_TIMES)]
    return statistics.median(taken)


def message(seed: int = 0) -> bytes:
    """Make a voice message of MEDIA_SECONDS, a quarter of it silence, as a phone would send it.

    seed : who speaks, and what; with one voice for all, messages would seem the same recording
    """
    tract = float(np.random.default_rng(seed).uniform(*TRACTS))
    speech = babble(MEDIA_SECONDS * 0.75, seed, tract)
    sound = np.concatenate([speech, silence(MEDIA_SECONDS * 0.25)])
    content, _ = listening_copy(Audio(sound), disguised=False)
    return content


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
