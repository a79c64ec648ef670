"""A folder of recordings to train from: what was accepted, and nothing between."""

from __future__ import annotations

import json
import stat
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.corpus import Corpus, Lesson, Utterance
from models.errors import Conflict
from tests.conftest import House
from tests.files import sound, tone
from transcribe.train import manifest
from workers import corpus

SPEAKERS = ("0000000b" + "00" * 2, "00000001" + "00" * 2)


def put(house: House, name: str, content: bytes) -> str:
    with house.blobs.writer(f"media/{name}") as writer:
        writer.write(content)
        writer.commit()
    return f"media/{name}"


def lesson(original: str, name: str = "a1", speaker: str = SPEAKERS[0]) -> Lesson:
    said = (
        Utterance(0.5, 1.5, "жол жоқ екен", "kk"),
        Utterance(2.0, 2.75, "су бар еді", "kk"),
    )
    return Lesson(name, speaker, original, said)


def write(house: House, out: Path, *lessons: Lesson) -> corpus.Written:
    return corpus.write(Corpus(lessons, Counter()), house.blobs, house.settings.limits, out)


def test_only_accepted_stretches_are_written_and_the_recipe_reads_them(
    house: House, tmp_path: Path
) -> None:
    out = tmp_path / "given"
    written = write(house, out, lesson(put(house, "a", sound("wav", tone(3.0)))))
    assert (written.training, written.heldout, written.lost) == (2, 0, 0)
    assert written.minutes["kk"] == pytest.approx(1.75 / 60)
    files = {path.name for path in out.iterdir()}
    assert files == {"manifest.jsonl", "heldout.jsonl", "a1-0.flac", "a1-1.flac"}
    clip, rate = soundfile.read(out / "a1-1.flac")
    assert (len(clip), rate) == (12_000, 16_000)
    assert np.abs(clip).max() > 0.1
    read = manifest.read(out / "manifest.jsonl")
    assert not read.left_out
    assert [(one.text, one.language, one.speaker) for one in read.entries] == [
        ("жол жоқ екен", "kk", SPEAKERS[0]),
        ("су бар еді", "kk", SPEAKERS[0]),
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_a_report_is_held_out_every_time_or_never(house: House, tmp_path: Path) -> None:
    original = put(house, "a", sound("wav", tone(3.0)))
    held = lesson(original, "b2", "0000000a" + "00" * 2)
    write(house, tmp_path / "first", held)
    write(house, tmp_path / "second", lesson(original), held)
    for name in ("first", "second"):
        rows = (tmp_path / name / "heldout.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(row)["audio"] for row in rows] == ["b2-0.flac", "b2-1.flac"]


def test_a_recording_that_is_gone_or_broken_is_counted_and_the_others_are_written(
    house: House, tmp_path: Path
) -> None:
    broken = put(house, "b", b"no sound at all" * 50)
    good = put(house, "a", sound("wav", tone(3.0)))
    written = write(
        house,
        tmp_path / "given",
        lesson("media/none", "x"),
        lesson(broken, "y"),
        lesson(good, "z"),
    )
    assert (written.training, written.lost) == (2, 2)
    assert "2 recordings could not be read" in corpus.told(written, tmp_path)


def test_a_folder_with_something_in_it_is_left_alone(house: House, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "kept").touch()
    with pytest.raises(Conflict, match="give a new folder"):
        write(house, tmp_path / "given")
    assert [path.name for path in (tmp_path / "given").iterdir()] == ["kept"]
