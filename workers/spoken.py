"""The labelled complaints said aloud and recognised, so that recognition errors are real.

The held-out complaints are said by four voices that no pack is trained on, every third training
complaint by one of them. What the recogniser made of it is kept as text; the sound is not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from ingest.normalise import labelled
from ingest.normalise.labelled import Heard, Labelled
from models.errors import XiangyinError
from models.transcript import ListenerReason
from transcribe.engine import Engine, Request
from transcribe.train import espeak, synthetic
from transcribe.train.grammar import bare
from transcribe.train.synthetic import Line

VOICES = ("f3", "m4", "Annie", "edward2")
LANGUAGE, ESPEAK_LANGUAGE = "zh", "cmn"
THIRD = 3
HEARD = "spoken.jsonl"
AT_ONCE = 16

Spoken = tuple[Labelled, str]


def speak(
    folder: Path, engine: Engine, pack: str, tell: Callable[[str], None]
) -> tuple[Heard, ...]:
    """Say and recognise the complaints of a folder, write and give what was heard.

    Goes on where it was stopped: what this version of the pack heard before is kept.
    pack : its name and version, as the engine was loaded from it
    """
    path = folder / HEARD
    wanted = plan(folder)
    order = [(one.id, voice) for one, voice in wanted]
    lengths = {one.id: len(bare(one.text)) for one, _ in wanted}
    before = labelled.read_heard(path) if path.exists() else ()
    known = {
        (one.id, one.voice): one
        for one in before
        if one.pack == pack and lengths.get(one.id) == one.characters
    }
    missing = [(one, voice) for one, voice in wanted if (one.id, voice) not in known]
    for start in range(0, len(missing), AT_ONCE):
        for heard in _heard(engine, pack, missing[start : start + AT_ONCE]):
            known[heard.id, heard.voice] = heard
        done = [known[one] for one in order if one in known]
        labelled.write_heard(path, done)
        rate = f"{error_rate(done):.1%}"
        tell(f"{len(done)} of {len(order)} said, character error rate so far {rate}")
    return tuple(known[one] for one in order)


def plan(folder: Path) -> tuple[Spoken, ...]:
    """Say which complaint is said by which voice."""
    training = labelled.read_training(folder)[::THIRD]
    heldout = labelled.read(folder / "heldout.jsonl")
    return (
        *((one, VOICES[number % len(VOICES)]) for number, one in enumerate(training)),
        *((one, voice) for voice in VOICES for one in heldout),
    )


def _heard(engine: Engine, pack: str, spoken: Sequence[Spoken]) -> Iterator[Heard]:
    outcomes = engine.recognise([_said(one, voice) for one, voice in spoken])
    for (one, voice), outcome in zip(spoken, outcomes, strict=True):
        text, reason = "", ListenerReason.PROCESSING_FAILED.value
        if not isinstance(outcome, XiangyinError):
            text, reason = outcome.text, outcome.reason.value if outcome.reason else ""
        meant = bare(one.text)
        yield Heard(
            id=one.id,
            text=text,
            voice=voice,
            pack=pack,
            reason=reason,
            characters=len(meant),
            errors=Levenshtein.distance(meant, bare(text)),
        )


def _said(one: Labelled, variant: str) -> Request:
    """Say one complaint; the same voice says it the same way every time."""
    espeak.renew()
    dice = random.Random(f"{one.id}|{variant}")
    voice = espeak.Voice(
        ESPEAK_LANGUAGE, variant, dice.randint(140, 190), dice.randint(35, 65), dice.randint(40, 60)
    )
    sound = synthetic.speak(Line(LANGUAGE, ESPEAK_LANGUAGE, one.text), voice, dice)
    return Request(sound.pcm, LANGUAGE)


def error_rate(heard: Sequence[Heard]) -> float:
    """Give the share of characters that were heard wrong, over all that were said."""
    return sum(one.errors for one in heard) / max(1, sum(one.characters for one in heard))
