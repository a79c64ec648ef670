"""When it happened: which of the times that a text says dates the main act."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from ingest.normalise.reading import Reading, Span
from ingest.normalise.surroundings import Features, Surroundings, order
from ingest.normalise.times import Found
from ingest.normalise.weighing import Weights, likeliest, pooled
from models.record import Occurred

MODEL_FILE = "dating.npz"
TOGETHER = pooled
# A time that dates the act less likely than this is left out. With `xiangyin normalise validate
# --folds 2` precision (0.924) and the share of complaints whose time is right (3,193 of 3,443) are
# equal here. Pooled opinions have 3,136 right at a precision of 0.948, averaged ones 3,118 at 0.945
# and 3,060 at 0.956.
LIKELY = 0.75
SUREST = 0.97
OLDEST = 10  # years before the report; what is older is just old
_NUMBER = re.compile(r"[一二三四五六七八九十〇零两\d]+")


@dataclass(frozen=True)
class Time:
    """The time chosen for a reading, with how sure the choice is."""

    span: Span
    occurred: Occurred
    confidence: float


class Dating:
    """Chooses the time of the main act. weights : of the words around a time"""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def choose(
        self,
        reading: Reading,
        around: Surroundings,
        every: Sequence[Found],
        received: date,
        read: Sequence[float],
    ) -> Time | None:
        """Choose the time of the main act among all that are said; None if none is likely it.

        read : how likely the network finds each
        """
        weighed = self._weights.probabilities(described(around, every, received))
        chosen = likeliest(TOGETHER((weighed, read)), LIKELY)
        if chosen is None:
            return None
        place, likely = chosen
        one = every[place]
        return Time(
            span=one.span,
            occurred=Occurred(
                start=one.interval.start,
                end=one.interval.end,
                precision=one.interval.precision,
                text=reading.passage.text[one.span.start : one.span.end],
            ),
            confidence=min(SUREST, likely),
        )


def described(around: Surroundings, every: Sequence[Found], received: date) -> list[Features]:
    """Describe each of a text's times and the words around it."""
    return [features(around, every, place, received) for place in range(len(every))]


def features(around: Surroundings, every: Sequence[Found], place: int, received: date) -> Features:
    """Describe one of a text's times and the words around it. place : which one"""
    return around.of(every[place].span) | dict.fromkeys(_own(around, every, place, received), 1.0)


def _own(around: Surroundings, every: Sequence[Found], place: int, received: date) -> Iterator[str]:
    one, precision = every[place], every[place].interval.precision
    at = order(place, len(every))
    yield f"said {_NUMBER.sub('#', around.text[one.span.start : one.span.end])}"
    yield f"precision {precision}"
    yield f"precision {precision} {at}"
    yield f"order {at}"
    yield f"years {min(received.year - one.interval.start.year, OLDEST)}"
