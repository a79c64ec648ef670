"""How right the language tags are: accuracy, honesty, and what is said of unknown languages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import XiangyinError
from models.transcript import UNKNOWN_LANGUAGE, Frozen, ListenerReason, Recognition
from transcribe.engine import Engine, Request
from transcribe.lessons import Recording

AT_ONCE = 16
CONFIDENT = 0.8
BINS = 15
Z95 = 1.959964


@dataclass(frozen=True)
class Judged:
    """One recording and what was said of it.

    truth : the language, `und` where the pack does not have it; group : its proper name
    tag, confidence : as shown; likeliest : the language with most evidence, also where it is `und`
    """

    truth: str
    group: str
    tag: str
    confidence: float
    likeliest: str
    reason: ListenerReason | None
    trusted_characters: int


class Share(Frozen):
    """A share with its count and 95 % interval (Wilson, 1927)."""

    value: float
    low: float
    high: float
    count: int


class Figures(Frozen):
    """What the evaluation found.

    accuracy : of known languages that got their tag, `und` counting as wrong
    auroc : chance that a known language scores above an unknown one
    calibration_error : mean distance between confidence and being right, over BINS bins
    confident_wrong : of all recordings, with a wrong tag over CONFIDENT
    invented : of unknown languages, with any text that is marked as trusted
    ready : of known languages, those whose text needs no listener
    """

    known: int
    unknown: int
    accuracy: Share
    auroc: float
    calibration_error: float
    confident_wrong: Share
    unknown_as_und: Share
    invented: Share
    ready: Share
    by_language: dict[str, Share]


def judge(engine: Engine, recordings: Iterable[Recording], tags: Sequence[str]) -> list[Judged]:
    """Recognise recordings and put the tags beside the truth."""
    judged: list[Judged] = []
    part: list[Recording] = []
    for recording in recordings:
        part.append(recording)
        if len(part) == AT_ONCE:
            judged += _judge(engine, part, tags)
            part = []
    return judged + (_judge(engine, part, tags) if part else [])


def _judge(engine: Engine, part: Sequence[Recording], tags: Sequence[str]) -> list[Judged]:
    outcomes = engine.recognise([Request(one.samples) for one in part])
    return [
        _one(recording, outcome, tags) for recording, outcome in zip(part, outcomes, strict=True)
    ]


def _one(recording: Recording, outcome: Recognition | XiangyinError, tags: Sequence[str]) -> Judged:
    if not isinstance(outcome, Recognition):
        raise outcome
    language = outcome.language
    return Judged(
        truth=recording.tag if recording.tag in tags else UNKNOWN_LANGUAGE,
        group=recording.group or recording.tag,
        tag=language.tag,
        confidence=language.confidence,
        likeliest=_likeliest(outcome),
        reason=outcome.reason,
        trusted_characters=sum(len(one.text) for one in outcome.segments if one.trusted),
    )


def _likeliest(outcome: Recognition) -> str:
    """Give the tag, or where it is `und` the first candidate of the last witness."""
    if outcome.language.tag != UNKNOWN_LANGUAGE:
        return outcome.language.tag
    whole = [one for one in outcome.evidence if one.start is None and one.candidates]
    return whole[-1].candidates[0].tag if whole else UNKNOWN_LANGUAGE


def figures(judged: Sequence[Judged]) -> Figures:
    """Sum up."""
    known = [one for one in judged if one.truth != UNKNOWN_LANGUAGE]
    unknown = [one for one in judged if one.truth == UNKNOWN_LANGUAGE]
    return Figures(
        known=len(known),
        unknown=len(unknown),
        accuracy=share(sum(one.tag == one.truth for one in known), len(known)),
        auroc=auroc([one.confidence for one in known], [one.confidence for one in unknown]),
        calibration_error=calibration_error(judged),
        confident_wrong=share(
            sum(
                one.tag not in (one.truth, UNKNOWN_LANGUAGE) and one.confidence > CONFIDENT
                for one in judged
            ),
            len(judged),
        ),
        unknown_as_und=share(sum(one.tag == UNKNOWN_LANGUAGE for one in unknown), len(unknown)),
        invented=share(sum(one.trusted_characters > 0 for one in unknown), len(unknown)),
        ready=share(sum(one.reason is None for one in known), len(known)),
        by_language={
            name: share(
                sum(one.tag == one.truth for one in judged if one.group == name),
                sum(one.group == name for one in judged),
            )
            for name in sorted({one.group for one in judged})
        },
    )


def share(hits: int, count: int) -> Share:
    """Give a share with its Wilson interval."""
    if not count:
        return Share(value=0.0, low=0.0, high=1.0, count=0)
    value = hits / count
    centre = (value + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = (
        Z95
        * math.sqrt(value * (1 - value) / count + Z95**2 / (4 * count**2))
        / (1 + Z95**2 / count)
    )
    return Share(
        value=round(value, 5),
        low=round(max(0.0, centre - half), 5),
        high=round(min(1.0, centre + half), 5),
        count=count,
    )


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Give the chance that a positive scores above a negative, ties counting half."""
    if not positive or not negative:
        return 0.5
    ordered = np.sort(np.asarray(negative))
    below = np.searchsorted(ordered, positive, side="left")
    upto = np.searchsorted(ordered, positive, side="right")
    return round(float((below + upto).mean() / (2 * len(ordered))), 5)


def calibration_error(judged: Sequence[Judged]) -> float:
    """Give the expected calibration error of the likeliest installed language (Naeini, 2015).

    No installed language is right about an unknown one, so the confidence should be near 0 there.
    """
    if not judged:
        return 0.0
    scores = np.array([one.confidence for one in judged])
    right = np.array([UNKNOWN_LANGUAGE != one.truth == one.likeliest for one in judged])
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = (
        (bins == place).sum() * abs(scores[bins == place].mean() - right[bins == place].mean())
        for place in set(bins.tolist())
    )
    return round(float(sum(gaps) / len(judged)), 5)
