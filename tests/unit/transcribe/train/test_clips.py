"""Clips: made from a seed, kept in shards, with features as faster-whisper has them."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from transcribe.train import clips, espeak, heldout, manifest, synthetic
from transcribe.train.features import log_mel
from transcribe.train.synthetic import Line, Order

LINES = tuple(Line("kk", "kk", text) for text in ("жол жоқ екен", "су бар", "үй салды", "мал көп"))


def order(folder: Path, kind: str = "single") -> Order:
    return Order(folder / kind, 0, 5, LINES, ("m1", "f1"), kind)


def test_features_are_those_of_faster_whisper() -> None:
    pcm = np.random.default_rng(1).standard_normal(16_000).astype(np.float32) * 0.1
    own = log_mel(pcm)
    assert own.shape == (101, 80)
    assert np.allclose(own.T, FeatureExtractor(feature_size=80)(pcm), atol=2e-3)
    assert log_mel(pcm, 128).shape == (101, 128)


def test_a_shard_comes_back_as_it_was_made(tmp_path: Path) -> None:
    synthetic.make(order(tmp_path))
    (first, *_), every = clips.read_shard(tmp_path / "single", 0), clips.read(tmp_path / "single")
    assert [stored.clip.parts[0].text for stored in every] == [line.text for line in LINES]
    assert first.features().shape == (first.frames, 80)
    assert first.frames == int(first.clip.seconds * 100) + 1
    assert first.clip.words
    assert first.clip.phones


def test_the_same_order_makes_the_same_shard(tmp_path: Path) -> None:
    for name in ("a", "b"):
        synthetic.make(order(tmp_path / name))
    one, two = (clips.read(tmp_path / name / "single") for name in ("a", "b"))
    assert [s.clip for s in one] == [s.clip for s in two]
    assert all(np.array_equal(a.features(), b.features()) for a, b in zip(one, two, strict=True))


def test_a_shard_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    synthetic.make(order(tmp_path))
    before = (tmp_path / "single" / "00000.npy").stat().st_mtime_ns
    synthetic.make(replace(order(tmp_path), seed=6))
    assert (tmp_path / "single" / "00000.npy").stat().st_mtime_ns == before


def test_joined_clips_fit_a_window_and_keep_their_times(tmp_path: Path) -> None:
    synthetic.make(order(tmp_path, "joined"))
    for stored in clips.read(tmp_path / "joined"):
        clip = stored.clip
        assert clip.seconds <= 29.6
        starts = [part.start for part in clip.parts]
        assert starts == sorted(starts)
        assert all(part.end <= clip.seconds for part in clip.parts)


def test_a_voice_starts_where_its_clip_says() -> None:
    espeak.renew()  # as whoever makes clips does: what it said before shifts its times
    rng = random.Random(3)
    sound = synthetic.speak(LINES[0], espeak.Voice("kk", "m1"), rng)
    loud = np.flatnonzero(np.abs(sound.pcm) > 0.02) / 16_000
    (part,) = sound.clip.parts
    assert abs(loud[0] - part.start) < 0.05
    assert abs(loud[-1] - part.end) < 0.1
    assert abs(sound.clip.words[0].start - part.start) < 0.06


def test_nobody_says_nothing() -> None:
    sound = synthetic.nobody("kk", np.random.default_rng(1))
    assert not sound.clip.parts
    assert np.abs(sound.pcm).max() <= 1


def test_held_out_clips_are_written_with_a_manifest_that_can_be_read(tmp_path: Path) -> None:
    lines = [Line("kk", "kk", text.text) for text in LINES] * 2
    size = heldout.write(tmp_path, lines, "1")
    read = manifest.read(tmp_path / "manifest.jsonl", ["kk"])
    assert not read.left_out
    assert len(read.entries) == 8
    assert size == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert {entry.condition for entry in read.entries} == {"clean", "amr", "noise"}
    assert all(entry.speaker.split("+")[1] in espeak.HELDOUT_VARIANTS for entry in read.entries)
    assert all(entry.words for entry in read.entries)


def test_a_text_that_ends_the_synthesiser_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak = synthetic.speak

    def dying(line: Line, spoken_by: espeak.Voice, rng: random.Random) -> synthetic.Sound:
        if line == LINES[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return speak(line, spoken_by, rng)

    monkeypatch.setattr(synthetic, "speak", dying)
    synthetic.make(Order(tmp_path, 0, 1, LINES, espeak.TRAINING_VARIANTS))
    kept = [stored.clip.parts[0].text for stored in clips.read(tmp_path)]
    assert kept == [line.text for line in LINES if line != LINES[1]]


def test_a_shard_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    nowhere = Line("zh", "no-such-voice", "一")
    with pytest.raises(RuntimeError, match="without a result"):
        synthetic.make(Order(tmp_path, 0, 1, (nowhere,), espeak.TRAINING_VARIANTS))
