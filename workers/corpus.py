"""Write what may teach a recogniser into a folder: clips, and manifests that say what is said."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from ingest.blobs import Blobs
from models.corpus import Corpus, Lesson
from models.errors import Conflict, NotFound, Permanent
from models.settings import Limits
from transcribe.speech import SAMPLE_RATE
from workers import decoding
from workers.confine import Bounds, Overrun
from workers.nursery import Nursery

MANIFEST = "manifest.jsonl"
# What no training may touch: the same reports in every export, whatever was added since.
HELDOUT = "heldout.jsonl"
HELD_OUT_OF = 10  # one report in so many
Row = dict[str, Any]
Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Written:
    """What was written. lost : recordings that could not be read any more"""

    training: int
    heldout: int
    minutes: dict[str, float]
    lost: int


def require_new(out: Path) -> None:
    """Raise Conflict where there is something already: nothing is written over or mixed."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Conflict(
            f"{out} 里已有内容，请另给一个新文件夹。",
            f"There is something in {out} already: give a new folder.",
            code="folder_not_empty",
        )


def write(
    corpus: Corpus,
    blobs: Blobs,
    limits: Limits,
    out: Path,
    watch: Callable[[int], None] = lambda done: None,
) -> Written:
    """Write clips with their manifests, the whole folder or nothing; only its owner may read it.

    watch : told after each recording how many are done
    """
    require_new(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    sides: dict[str, list[Row]] = {MANIFEST: [], HELDOUT: []}
    minutes: dict[str, float] = {}
    lost = 0
    # Made by mkdtemp, so that nobody else may look into it.
    with (
        tempfile.TemporaryDirectory(dir=out.parent, prefix=".coming-") as coming,
        Nursery() as nursery,
    ):
        folder = Path(coming) / "recordings"
        folder.mkdir(mode=0o700)
        for done, lesson in enumerate(corpus.lessons, start=1):
            try:
                samples = _decoded(nursery, lesson, blobs, limits)
            except (NotFound, Permanent, Overrun):
                lost += 1
                continue
            side = sides[HELDOUT if held_out(lesson) else MANIFEST]
            for row, clip in _clips(lesson, samples):
                soundfile.write(folder / row["audio"], clip, SAMPLE_RATE)
                side.append(row)
                tag = row["language"]
                minutes[tag] = minutes.get(tag, 0.0) + len(clip) / SAMPLE_RATE / 60
            watch(done)
        for name, rows in sides.items():
            _list(folder / name, rows)
        if out.exists():
            out.rmdir()
        folder.rename(out)
    return Written(len(sides[MANIFEST]), len(sides[HELDOUT]), minutes, lost)


def told(written: Written, out: Path) -> str:
    """Say what was written, and what to take care of, as lines for people."""
    lines = [f"{out}: {written.training} clips to train on, {written.heldout} held out"]
    if written.lost:
        lines.append(f"{written.lost} recordings could not be read and were left out")
    lines.append(
        "这些录音没有加密，请只放在可信的机器上，训练完即删除。\n"
        "These recordings are not encrypted: keep them on a trusted machine, delete them after "
        "training."
    )
    return "\n".join(lines)


def held_out(lesson: Lesson) -> bool:
    """Tell whether a report is kept from training; its keyed hash decides, every time the same."""
    return int(lesson.speaker[:8], 16) % HELD_OUT_OF == 0


def _decoded(nursery: Nursery, lesson: Lesson, blobs: Blobs, limits: Limits) -> Samples:
    """Decode an original where everything untrusted is decoded: in a confined child."""
    task = decoding.samples_task(limits.recording_seconds)
    result = nursery.run(task, blobs.read(lesson.original), Bounds.of(limits))
    return np.frombuffer(result, "<i2")


def _clips(lesson: Lesson, samples: Samples) -> Iterator[tuple[Row, Samples]]:
    """Cut out what was accepted; what lies between is not given away."""
    for number, one in enumerate(lesson.utterances):
        clip = samples[int(one.start * SAMPLE_RATE) : int(one.end * SAMPLE_RATE)]
        if len(clip):
            yield (
                {
                    "audio": f"{lesson.name}-{number}.flac",
                    "text": one.text,
                    "language": one.language,
                    "speaker": lesson.speaker,
                },
                clip,
            )


def _list(path: Path, rows: Sequence[Row]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8")
