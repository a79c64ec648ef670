"""What holds for the pack that ships: the same in a batch as alone, and nothing invented."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models import packs
from models.errors import XiangyinError
from models.transcript import Recognition
from tests.unit.transcribe.conftest import RATE, Floats
from transcribe import tagger
from transcribe.audio import decode
from transcribe.engine import Options, Request, WhisperEngine
from transcribe.train import augment
from transcribe.whisper import Whisper

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
SECONDS = 12


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(packs.read(SAMPLES / "packs" / "demo"), device="cpu", threads=2)


@pytest.fixture(scope="module")
def engine(whisper: Whisper) -> WhisperEngine:
    return WhisperEngine(whisper, tagger.load(whisper.pack.folder))


@pytest.fixture(scope="module")
def messages() -> list[Floats]:
    """Tell three clips of each language one after the other, with pauses."""
    lines = (SAMPLES / "heldout" / "manifest.jsonl").read_text("utf-8").splitlines()
    clips: dict[str, list[Floats]] = {}
    for row in map(json.loads, lines):
        own = clips.setdefault(row["language"], [])
        if len(own) < 3:
            own.append(decode(SAMPLES / "heldout" / row["audio"], max_seconds=60).samples)
    pause = np.zeros(RATE, np.float32)
    return [np.concatenate([one, pause, two, pause, three]) for one, two, three in clips.values()]


def done(outcomes: Sequence[Recognition | XiangyinError]) -> list[Recognition]:
    assert all(isinstance(outcome, Recognition) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Recognition)]


def test_a_batch_writes_the_same_texts_as_one_message_at_a_time(
    engine: WhisperEngine, messages: list[Floats]
) -> None:
    requests = [Request(message) for message in messages]
    together = done(engine.recognise(requests))
    alone = [done(engine.recognise([request]))[0] for request in requests]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.reason for one in together] == [one.reason for one in alone]
    assert [one.language.tag for one in together] == [one.language.tag for one in alone]
    assert all(one.text for one in together)


@pytest.mark.parametrize("batch", [1, 3])
def test_the_size_of_a_batch_changes_no_text(
    batch: int, whisper: Whisper, engine: WhisperEngine, messages: list[Floats]
) -> None:
    small = WhisperEngine(whisper, tagger.load(whisper.pack.folder), Options(batch=batch))
    requests = [Request(message) for message in messages]
    texts = [one.text for one in done(small.recognise(requests))]
    assert texts == [one.text for one in done(engine.recognise(requests))]


def test_segments_join_to_the_text_and_run_forwards(
    engine: WhisperEngine, messages: list[Floats]
) -> None:
    for recognition in done(engine.recognise([Request(message) for message in messages])):
        reached = 0.0
        for segment in recognition.segments:
            assert reached <= segment.start < segment.end <= recognition.seconds
            assert segment.text == "".join(word.text for word in segment.words)
            assert segment.text.strip() in recognition.text
            reached = segment.start


def test_who_switches_languages_gets_a_tag_for_each_part(
    engine: WhisperEngine, messages: list[Floats]
) -> None:
    languages = [done(engine.recognise([Request(one)]))[0].language.tag for one in messages]
    first, second = next(
        (a, b) for a in range(len(messages)) for b in range(a) if languages[a] != languages[b]
    )
    sound = np.concatenate([messages[first], np.zeros(2 * RATE, np.float32), messages[second]])
    recognition = done(engine.recognise([Request(sound)]))[0]
    border = (len(messages[first]) / RATE) + 1
    before = {one.language for one in recognition.segments if one.end < border}
    after = {one.language for one in recognition.segments if one.start > border}
    assert languages[first] in before
    assert languages[second] in after
    shares = {one.tag: one.share for one in recognition.languages}
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert {languages[first], languages[second]} <= set(shares)


def unspoken(kind: str) -> Floats:
    """Make a sound that is no speech."""
    draw = np.random.default_rng(len(kind))
    length = SECONDS * RATE
    time = np.arange(length) / RATE
    if kind in augment.NOISES:
        return (0.1 * augment.noise(kind, length, draw)).astype(np.float32)
    made = {
        "silence": np.zeros(length),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * time),
        "chirp": 0.3 * np.sin(2 * np.pi * (200 + 80 * time) * time),
        "clicks": np.where(np.arange(length) % 5_000 < 3, 0.9, 0.0),
        "music": sum(
            0.1 * np.sin(2 * np.pi * 220 * 2 ** (np.floor(2 * time) * 7 % 12 / 12) * k * time) / k
            for k in range(1, 6)
        ),
        "dog": np.where(time % 1.2 < 0.2, 1.0, 0.0)
        * 0.5
        * (2 * (time * (420 - 300 * (time % 1.2)) % 1) - 1 + 0.3 * draw.standard_normal(length)),
    }
    return np.asarray(made[kind], np.float32)


@pytest.mark.parametrize(
    "kind", ["silence", "tone", "chirp", "clicks", "music", "dog", *augment.NOISES]
)
def test_what_nobody_said_is_never_trusted(kind: str, engine: WhisperEngine) -> None:
    (recognition,) = done(engine.recognise([Request(unspoken(kind))]))
    assert recognition.reason is not None
    assert not any(segment.trusted for segment in recognition.segments)
    assert all(segment.flags for segment in recognition.segments)


def test_half_an_hour_of_noise_gives_no_trusted_text(engine: WhisperEngine) -> None:
    draw = np.random.default_rng(3)
    minute = np.concatenate(
        [0.1 * augment.noise(kind, 20 * RATE, draw) for kind in ("wind", "crowd", "rain")]
    )
    (recognition,) = done(engine.recognise([Request(np.tile(minute, 30).astype(np.float32))]))
    assert recognition.seconds == pytest.approx(1_800)
    assert recognition.reason is not None
    assert not any(segment.trusted for segment in recognition.segments)
