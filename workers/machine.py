"""What this machine can do by itself: multiply matrices, and get sound ready to be recognised."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import numpy as np

from ingest.fingerprint import fingerprint
from transcribe import shapes, speech
from transcribe.audio import Audio, decode
from transcribe.babble import babble, silence
from transcribe.listening import listening_copy
from transcribe.shapes import Shape
from transcribe.sound import measure, peaks
from transcribe.whisper import STATES_A_SECOND

MEDIA_SECONDS = 15.0
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
    """Measure what `prepare` does to MEDIA_SECONDS of sound, in processor milliseconds."""
    content = message()
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        path = Path(folder) / "message.m4a"
        path.write_bytes(content)
        taken = []
        for _ in range(4):
            start = time.process_time()
            audio = decode(path, max_seconds=60)
            spans = speech.find(audio.samples)
            measure(audio, spans)
            listening_copy(audio, disguised=False, spans=spans)
            peaks(audio)
            fingerprint(audio.samples)
            taken.append(time.process_time() - start)
    return 1_000 * min(taken)


def message() -> bytes:
    """Make a voice message of MEDIA_SECONDS, a quarter of it silence, as a phone would send it."""
    sound = np.concatenate([babble(MEDIA_SECONDS * 0.75), silence(MEDIA_SECONDS * 0.25)])
    content, _ = listening_copy(Audio(sound), disguised=False)
    return content


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
