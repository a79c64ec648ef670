"""What the tagger is measured on is never what it was taught."""

from __future__ import annotations

import random

import pytest

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
