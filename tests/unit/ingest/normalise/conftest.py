"""The sample gazetteer and its channels, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

import pytest

from ingest.matter import ChannelFacts, Matter, Normalised, Passage
from ingest.normalise import Lexicons, labelled, load_lexicons, normalise, when
from ingest.normalise.network import Place
from ingest.normalise.reading import Reading, read
from ingest.normalise.surroundings import Surroundings
from models import gazetteer
from models.medium import Kind
from models.record import Occurred

SAMPLES = Path(__file__).parents[4] / "samples" / "complaints"
RECEIVED = date(2026, 5, 14)  # a Thursday


class Say(Protocol):
    """Normalise one text said through a channel of the samples."""

    def __call__(
        self, text: str, channel: str = "qx-shiqiao", *, received: date = RECEIVED
    ) -> Normalised: ...


@pytest.fixture(scope="session")
def lexicons() -> Lexicons:
    return load_lexicons(gazetteer.read(SAMPLES / "gazetteer.csv"))


@pytest.fixture(scope="session")
def channels() -> Mapping[str, ChannelFacts]:
    return labelled.read_channels(SAMPLES / "channels.toml")


@pytest.fixture(scope="session")
def say(lexicons: Lexicons, channels: Mapping[str, ChannelFacts]) -> Say:
    def said(text: str, channel: str = "qx-shiqiao", *, received: date = RECEIVED) -> Normalised:
        passage = Passage(medium=None, kind=Kind.TEXT, text=text, language="zh")
        matter = Matter(passages=(passage,), channel=channels[channel], received=received)
        return normalise(matter, lexicons)

    return said


class Date(Protocol):
    """Give the time that a text says its matter happened, if any."""

    def __call__(self, text: str, received: date = RECEIVED) -> Occurred | None: ...


@pytest.fixture(scope="session")
def dated(lexicons: Lexicons, typed: Callable[[str], Reading]) -> Date:
    def found(text: str, received: date = RECEIVED) -> Occurred | None:
        reading = typed(text)
        every = when.joined(reading.text, received)
        places = [Place(one.span, one.interval.precision) for one in every]
        read = lexicons.network.read(reading.text, places, ()).times
        around = Surroundings(reading.text)
        time = lexicons.dating.choose(reading, around, every, received, read)
        return time.occurred if time else None

    return found


@pytest.fixture(scope="session")
def typed() -> Callable[[str], Reading]:
    return lambda text: read(Passage(medium=None, kind=Kind.TEXT, text=text, language="zh"))
