"""What the tagger is measured on is never what it was taught."""

from __future__ import annotations

import os
import random
import signal

import numpy as np
import pytest

from transcribe.speech import Samples
from transcribe.train import background
from transcribe.train.background import Job, heldout_languages

TAGS = sorted(heldout_languages())


def texts(tag: str, *, heldout: bool) -> set[str]:
    job = Job(heldout_languages()[tag].voice, tag, 40, "seed", tag, heldout=heldout)
    return {background._text(job, number, random.Random(number)) for number in range(job.count)}


@pytest.mark.parametrize("tag", TAGS)
def test_a_newcomer_is_measured_on_sentences_it_was_not_taught(tag: str) -> None:
    taught, measured = texts(tag, heldout=False), texts(tag, heldout=True)
    assert taught
    assert measured
    assert not taught & measured


def test_no_voice_of_a_measured_language_is_part_of_the_background() -> None:
    measured = {one.voice.split("-")[0] for one in heldout_languages().values()}
    assert not measured & {voice.split("-")[0] for voice in background.voices()}
    assert not measured & set(background.KNOWN)


def test_measuring_covers_a_thousand_sounds_by_default() -> None:
    jobs = background.heldout_jobs("measure", 210, 52)
    assert sum(job.count for job in jobs) >= 1_000
    assert all(job.heldout for job in jobs)


def test_a_text_that_ends_its_process_is_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deadly: list[str] = []

    def noting(text: str, *_: object) -> None:
        deadly.append(text)

    monkeypatch.setattr(background, "say", noting)
    background.make(background.Job("ga", "und", 2, "s", ""), set(), int)

    def dying(text: str, *_: object) -> Samples:
        if text == deadly[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros(16_000, np.float32)

    monkeypatch.setattr(background, "say", dying)
    listed = [background.Job("ga", "und", 3, "s", ""), background.Job("cy", "und", 1, "s", "")]
    assert [one.group for one in background.spoken(listed)] == ["ga", "ga", "cy"]
    assert "ga" in capsys.readouterr().err


def test_sounds_that_cannot_be_made_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(background, "say", failing)
    with pytest.raises(RuntimeError, match="without a result"):
        list(background.spoken([background.Job("ga", "und", 1, "s", "")]))
