from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ingest.normalise import labelled
from tests.fakes import FakeEngine, recognition
from transcribe.train.espeak import HELDOUT_VARIANTS, TRAINING_VARIANTS
from workers import spoken

SAMPLES = Path(__file__).parents[3] / "samples" / "complaints"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three complaints to train from and two held out."""
    for name, source, count in (
        ("training-1.jsonl", "training-1.jsonl", 3),
        ("heldout.jsonl", "training-1.jsonl", 2),
    ):
        lines = (SAMPLES / source).read_text("utf-8").splitlines()[-count:]
        lines = [line.replace('"id": "t', f'"id": "{name[0]}') for line in lines]
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
    shutil.copy(SAMPLES / "channels.toml", tmp_path)
    return tmp_path


def test_all_held_out_are_said_by_four_voices_and_a_third_of_the_others_by_one() -> None:
    planned = spoken.plan(SAMPLES)
    training = labelled.read_training(SAMPLES)
    heldout = {one.id for one in labelled.read(SAMPLES / "heldout.jsonl")}
    voices: dict[str, set[str]] = {}
    for one, voice in planned:
        voices.setdefault(one.id, set()).add(voice)
    assert all(len(voices[one]) == 4 for one in heldout)
    others = [one for one in voices if one not in heldout]
    assert len(others) * 3 >= len(training)


def test_no_voice_is_one_that_packs_are_trained_on() -> None:
    assert set(spoken.VOICES) <= set(HELDOUT_VARIANTS)
    assert not set(spoken.VOICES) & set(TRAINING_VARIANTS)


def test_what_was_heard_is_kept_and_gone_on_with(folder: Path) -> None:
    engine = FakeEngine(lambda request: recognition("听到的"))
    told: list[str] = []
    first = spoken.speak(folder, engine, "fake 1", told.append)
    assert len(first) == 1 + 4 * 2
    assert {one.text for one in first} == {"听到的"}
    assert all(one.characters >= one.errors > 0 for one in first)
    assert labelled.read_heard(folder / "spoken.jsonl") == first
    asked = len(engine.asked)
    assert spoken.speak(folder, engine, "fake 1", told.append) == first
    assert len(engine.asked) == asked
    spoken.speak(folder, engine, "fake 2", told.append)
    assert len(engine.asked) == 2 * asked


def test_a_voice_says_a_complaint_the_same_way_every_time() -> None:
    one = labelled.read_training(SAMPLES)[0]
    first, again = (spoken._said(one, "f3").samples for _ in range(2))
    assert (first == again).all()
