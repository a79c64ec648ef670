"""How a time in a text is described to the model of times that date the act."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from ingest.normalise.times import Found
from ingest.normalise.weighing import Features, Surroundings, order

MODEL_FILE = "dating.npz"
OLDEST = 10  # years before the report; what is older is just old
_NUMBER = re.compile(r"[一二三四五六七八九十〇零两\d]+")


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
