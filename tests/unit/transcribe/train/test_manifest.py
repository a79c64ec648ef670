"""Manifests: every bad line is told with its reason, and too little is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.errors import Invalid
from transcribe.train import manifest
from transcribe.train.manifest import Entry

Tone = Callable[[float], Any]


def written(folder: Path, *rows: object) -> Path:
    path = folder / "manifest.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def sound(tmp_path: Path, tone: Tone) -> str:
    soundfile.write(tmp_path / "a.wav", tone(3), 16_000)
    return "a.wav"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{not json", "no JSON"),
        ("[1]", "must be a JSON object"),
        ({"audio": "a.wav", "language": "kk"}, "text is missing"),
        ({"audio": "a.wav", "text": "  ", "language": "kk"}, "text is missing or empty"),
        ({"audio": "a.wav", "text": "...", "language": "kk"}, "The text is empty"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "fr"}, "none of kk, zh"),
        ({"audio": "b.wav", "text": "жол жоқ", "language": "kk"}, "There is no file b.wav"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "kk", "start": 2, "end": 1}, "stretch"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "kk", "start": 2, "end": 2}, "0 s long"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "kk", "end": float("nan")}, "number"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "../kk"}, "no tag of a language"),
        ({"audio": "a\0.wav", "text": "жол жоқ", "language": "kk"}, "audio is missing"),
        ({"audio": ".", "text": "жол жоқ", "language": "kk"}, "There is no file"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "kk", "words": [1]}, "words must be"),
        ("[" * 100_000, "no JSON"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "kk", "end": 9}, "stretch"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "kk", "end": "x"}, "must be a number"),
        ({"audio": "a.wav", "text": "жол жоқ", "language": "kk", "end": 0.1}, "too short"),
        ({"audio": "a.wav", "text": "жол жоқ екен " * 20, "language": "kk"}, "cannot belong"),
        ({"audio": "a.wav", "text": "жо", "language": "kk"}, "cannot belong"),
        ({"audio": "a.wav", "text": "村" * 40, "language": "zh"}, "cannot belong"),
    ],
)
def test_a_bad_line_is_left_out_with_its_reason(
    tmp_path: Path, sound: str, row: object, reason: str
) -> None:
    good = {"audio": sound, "text": "жол жоқ екен", "language": "kk"}
    found = manifest.read(written(tmp_path, good, row), ["kk", "zh"])
    assert [entry.line for entry in found.entries] == [1]
    assert [one.line for one in found.left_out] == [2]
    assert reason in found.left_out[0].en
    assert found.left_out[0].zh not in ("", found.left_out[0].en)


def test_a_clip_longer_than_a_window_is_left_out(tmp_path: Path, tone: Tone) -> None:
    soundfile.write(tmp_path / "long.flac", tone(40), 16_000)
    row = {"audio": "long.flac", "text": "жол жоқ екен " * 9, "language": "kk"}
    found = manifest.read(written(tmp_path, row))
    assert "too long" in found.left_out[0].en


def test_a_stretch_of_a_long_file_is_an_entry(tmp_path: Path, tone: Tone) -> None:
    soundfile.write(tmp_path / "long.flac", tone(40), 16_000)
    row = {"audio": "long.flac", "text": "жол жоқ", "language": "kk", "start": 31, "end": 33.5}
    (entry,) = manifest.read(written(tmp_path, row)).entries
    assert entry.seconds == pytest.approx(2.5)


def test_empty_sound_and_other_files_are_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16_000)
    (tmp_path / "page.wav").write_text("no sound", encoding="utf-8")
    rows = [
        {"audio": name, "text": "жол жоқ", "language": "kk"} for name in ("empty.wav", "page.wav")
    ]
    found = manifest.read(written(tmp_path, *rows))
    assert not found.entries
    assert all("cannot be decoded" in one.en for one in found.left_out)


def entry(number: int, speaker: str = "", language: str = "kk", seconds: float = 10) -> Entry:
    return Entry(number, Path(f"{number}.wav"), "жол жоқ", language, speaker, 0.0, seconds)


def test_a_speaker_is_on_one_side_only() -> None:
    split = manifest.split([entry(i, speaker=f"s{i % 5}") for i in range(50)])
    sides = [{e.speaker for e in side} for side in (split.training, split.check)]
    assert not sides[0] & sides[1]
    assert len(split.training) + len(split.check) == 50
    assert split.check


def test_every_language_is_on_both_sides() -> None:
    entries = [entry(i, f"s{i % 3}", tag) for i in range(30) for tag in ("kk", "zh")]
    split = manifest.split(entries)
    for side in (split.training, split.check):
        assert {e.language for e in side} == {"kk", "zh"}


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([entry(i) for i in range(4)], "4 clips of 0.7 minutes are too little"),
        ([entry(i, seconds=1) for i in range(20)], "20 clips of 0.3 minutes are too little"),
        ([entry(i, "one") for i in range(20)], "one speaker or one file"),
    ],
)
def test_too_little_to_split_is_refused_with_what_is_needed(
    entries: list[Entry], reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        manifest.split(entries)


def test_a_manifest_that_cannot_be_read_is_refused_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read") as refused:
        manifest.read(tmp_path / "none.jsonl")
    assert "读不到清单" in refused.value.zh
    (tmp_path / "latin.jsonl").write_bytes('{"text": "é"}'.encode("latin-1"))
    with pytest.raises(Invalid, match="UTF-8"):
        manifest.read(tmp_path / "latin.jsonl")


def test_a_line_that_is_left_out_is_told_with_its_manifest_and_number(tmp_path: Path) -> None:
    (one,) = manifest.read(written(tmp_path, "", "[1]")).left_out
    assert str(one).startswith("manifest.jsonl: 第 2 行略去")
    assert "line 2 left out" in str(one)
