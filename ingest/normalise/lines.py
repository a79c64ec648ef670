"""Normalising from the command line: a text in, its fields as one JSON line out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest import text as texts
from ingest.matter import ChannelFacts, Matter, Normalised, Passage
from ingest.normalise.labelled import read_channels, shipped
from ingest.normalise.lexicons import Lexicons, load_lexicons
from ingest.normalise.record import normalise
from models import gazetteer
from models.errors import Invalid
from models.medium import Kind
from models.transcript import UNKNOWN_LANGUAGE

NOWHERE = ChannelFacts(code="", unit_code=None, unit_name="", jurisdiction="000000")


@dataclass(frozen=True)
class Desk:
    """Where texts are read: with which lexicons, as if they came in where and when."""

    lexicons: Lexicons
    channel: ChannelFacts
    received: date


def sit_down(gazetteer_file: Path | None, channel: str, received: date) -> Desk:
    """Compile the lexicons for a gazetteer, or for the samples' own.

    channel : a code of the samples' channels, "" for none; raise Invalid for one they lack
    """
    folder = shipped()
    units = gazetteer.read(gazetteer_file or folder / "gazetteer.csv")
    channels = read_channels(folder / "channels.toml")
    if channel and channel not in channels:
        raise Invalid(
            f"没有渠道 {channel}，可用的有：{' '.join(channels)}",
            f"There is no channel {channel}: give one of {' '.join(channels)}.",
            code="unknown_channel",
        )
    return Desk(load_lexicons(units), channels[channel] if channel else NOWHERE, received)


def normalise_text(text: str, desk: Desk) -> Normalised:
    """Normalise one typed text."""
    found, _ = texts.languages(text)
    tag = found[0].tag if found else UNKNOWN_LANGUAGE
    passage = Passage(medium=None, kind=Kind.TEXT, text=text, language=tag)
    matter = Matter(passages=(passage,), channel=desk.channel, received=desk.received)
    return normalise(matter, desk.lexicons)


def normalise_lines(lines: Iterable[str], desk: Desk) -> Iterator[Normalised]:
    """Normalise each line that is not blank as a text of its own."""
    return (normalise_text(line.strip(), desk) for line in lines if line.strip())
