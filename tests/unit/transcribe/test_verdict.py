"""Which texts are shown: what sound and text say together of a language, at its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models import packs
from models.packs import Pack
from models.transcript import Likely, ListenerReason, Recognition, Word
from transcribe.engine import PLAIN
from transcribe.language import Sounding
from transcribe.newcomers import Newcomers
from transcribe.scribe import CERTAINLY_ANOTHER, Scribe
from transcribe.sounds import Sounds
from transcribe.speech import SAMPLE_RATE, Span
from transcribe.tagger import Belief, Tagger
from transcribe.turns import Job, Request, Turn
from transcribe.verdict import CERTAINLY_UNKNOWN, Judge
from transcribe.whisper import Encoded, Heard, Written
from transcribe.windows import Window

SECONDS = 3
TEXT = " жол жоқ екен ауылда"
GOOD, FAIR, POOR = -0.1, -0.2, -2.0
PACK = packs.read(packs.demo_pack())
ONE = np.ones(1, np.float32)
NO_NEWCOMERS = Newcomers(
    sounds=Sounds(ONE, ONE[:, None], ONE[:, None], ONE[:, None], ONE),
    labels=("kk",),
    taught=1,
    centre=np.zeros(2, np.float32),
    projection=np.ones((2, 1), np.float32),
    scale=ONE,
    prototypes=ONE[:, None],
    counts=ONE,
)
TAGGER = Tagger(
    labels=("kk",),
    centre=np.zeros(2, np.float32),
    projection=np.eye(2, dtype=np.float32),
    prototypes=np.zeros((1, 2), np.float32),
    limit=1.0,
    temperature=1.0,
    newcomers=NO_NEWCOMERS,
    written=Belief(bias=3.0, slope=1.0, heard=0.3),
    spelt=Belief(bias=3.0, slope=1.0, heard=0.3),
    usual={"kk": (GOOD, 0.05)},
)


def turn(unknown: float, logprob: float, **named: float) -> Turn:
    """Make a window of Kazakh text. unknown : how sure its sound makes us that it is none"""
    ours = 1 - unknown - sum(named.values())
    odds = {**dict.fromkeys(PACK.tags, 0.0), "kk": ours, "und": unknown, **named}
    words = tuple(
        Word(start=0.4 * n, end=0.4 * n + 0.3, text=f" {word}", probability=float(np.exp(logprob)))
        for n, word in enumerate(TEXT.split())
    )
    return Turn(
        window=Window(0, (Span(0, SECONDS * SAMPLE_RATE),)),
        frames=300,
        mel=np.zeros((80, 300), np.float32),
        encoded=Encoded(np.zeros((150, 2), np.float32), 150),
        sounding=Sounding(Heard((Likely(tag="kk", probability=1.0),), 0.0), (), SECONDS),
        odds=odds,
        tag="kk",
        written=Written((1, 2, 3), 8, TEXT, logprob, 0.0, 1.0, False),
        words=words,
    )


def judged(one: Turn, pack: Pack = PACK) -> Recognition:
    samples = np.full(SECONDS * SAMPLE_RATE, 0.1, np.float32)
    job = Job(Request(samples), one.window.spans, (one.window,), [one])
    return Judge(pack, TAGGER, pack.tags, "cpu", "int8").close(job)


def test_a_text_that_was_written_well_is_shown_though_its_sound_was_doubted() -> None:
    found = judged(turn(0.99, GOOD))
    assert found.text.split() == TEXT.split()


@pytest.mark.parametrize(("sure", "trusted"), [(0.88, True), (0.91, False)])
def test_a_text_is_trusted_only_where_its_language_is_surer_than_told(
    sure: float, trusted: bool
) -> None:
    thresholds = PACK.thresholds.model_copy(update={"sure": sure})
    found = judged(turn(0.02, FAIR), PACK.model_copy(update={"thresholds": thresholds}))
    assert found.language.tag == "kk"
    assert all(segment.trusted is trusted for segment in found.segments)
    assert all(any(f.name == "language" for f in s.flags) is not trusted for s in found.segments)
    assert found.reason is (None if trusted else ListenerReason.UNTRUSTED_TEXT)


def test_what_sound_and_text_both_say_is_no_language_of_the_pack_is_not_shown() -> None:
    found = judged(turn(0.99, POOR))
    assert not found.segments
    assert found.reason is ListenerReason.UNSUPPORTED_LANGUAGE


@pytest.mark.parametrize(
    ("unknown", "shown"),
    [(CERTAINLY_UNKNOWN - 0.001, True), (CERTAINLY_UNKNOWN + 0.001, False)],
)
def test_a_poor_text_is_shown_up_to_how_sure_its_sound_is(unknown: float, shown: bool) -> None:
    found = judged(turn(unknown, POOR))
    assert bool(found.segments) is shown
    assert not any(segment.trusted for segment in found.segments)


class Pen:
    """Stands for what a scribe asks of the recogniser and of the ear."""

    pack = PACK
    tags = (*PACK.tags, "ky")


@pytest.mark.parametrize(
    ("one", "written"),
    [
        (turn(0.999, GOOD), True),
        (turn(0.0, GOOD, ky=CERTAINLY_ANOTHER - 0.001), True),
        (turn(0.0, GOOD, ky=CERTAINLY_ANOTHER), False),
    ],
)
def test_only_a_language_known_by_name_keeps_a_text_from_being_written(
    one: Turn, written: bool
) -> None:
    one.odds.setdefault("ky", 0.0)
    scribe = Scribe(Pen(), Pen(), 8, PLAIN)  # type: ignore[arg-type]
    assert scribe._worth_writing(one) is written


def test_where_surely_nothing_is_said_nothing_is_written() -> None:
    one = turn(0.5, GOOD)
    one.odds["ky"] = 0.0
    silent = (Likely(tag="zxx", probability=CERTAINLY_ANOTHER),)
    one.sounding = replace(one.sounding, tagger=silent)
    scribe = Scribe(Pen(), Pen(), 8, PLAIN)  # type: ignore[arg-type]
    assert not scribe._worth_writing(one)
