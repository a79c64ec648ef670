"""What the tagger is measured on is never what it was taught."""

from __future__ import annotations

import os
import random
import signal

import numpy as np
import pytest

from transcribe.lessons import Recording
from transcribe.train import background
from transcribe.train.background import Job, heldout_languages

TAGS = sorted(heldout_languages())


def texts(tag: str, *, heldout: bool) -> set[str]:
    job = Job(heldout_languages()[tag][0], tag, 40, "seed", tag, heldout=heldout)
    return {background._text(job, number, random.Random(number)) for number in range(job.count)}


@pytest.mark.parametrize("tag", TAGS)
def test_a_newcomer_is_measured_on_sentences_it_was_not_taught(tag: str) -> None:
    taught, measured = texts(tag, heldout=False), texts(tag, heldout=True)
    assert taught
    assert measured
    assert not taught & measured


def test_no_voice_of_a_measured_language_is_part_of_the_background() -> None:
    measured = {voice.split("-")[0] for voice, _ in heldout_languages().values()}
    assert not measured & {voice.split("-")[0] for voice in background.voices()}
    assert not measured & set(background.KNOWN)


def test_measuring_covers_a_thousand_sounds_by_default() -> None:
    jobs = background.heldout_jobs("measure", 210, 52)
    assert sum(job.count for job in jobs) >= 1_000
    assert all(job.heldout for job in jobs)


def test_a_voice_that_ends_its_process_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(job: background.Job) -> list[Recording]:
        if job.voice == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        return [Recording(np.zeros(10, np.float32), job.tag)]

    monkeypatch.setattr(background, "make", make)
    listed = [background.Job(voice, "und", 3, "s", "") for voice in ("one", "deadly", "two")]
    assert len(list(background.spoken(listed))) == 2
    assert "deadly" in capsys.readouterr().err


def test_sounds_that_cannot_be_made_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(job: background.Job) -> list[Recording]:
        raise LookupError(job.voice)

    monkeypatch.setattr(background, "make", make)
    with pytest.raises(RuntimeError, match="could not be made"):
        list(background.spoken([background.Job("one", "und", 1, "s", "")]))
