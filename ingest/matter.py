"""What the normaliser is given and what it gives back."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from models.medium import Kind
from models.record import Amount, Occurred, Provenance, Subject
from models.transcript import UNKNOWN_LANGUAGE, Frozen, Word


class Line(Frozen):
    """One line read from a photograph. box : left, top, right, bottom as shares of the page."""

    text: str
    box: tuple[float, float, float, float]
    score: float


class Passage(Frozen):
    """The text of one medium, with what is needed to point back into it.

    text : as recognised, typed or read; offsets below are characters of it
    words : of a transcript, in order, with seconds; lines : of a photograph, in reading order
    confidence : that the text is what was said or written, 0..1
    """

    medium: UUID | None
    kind: Kind
    text: str
    language: str = UNKNOWN_LANGUAGE
    transcript_version: int | None = None
    words: tuple[Word, ...] = ()
    lines: tuple[Line, ...] = ()
    confidence: float = 1.0


class ChannelFacts(Frozen):
    """What is known from the channel alone."""

    code: str
    unit_code: str | None
    unit_name: str
    jurisdiction: str


class Matter(Frozen):
    """Everything that one report says, and when and where it came in."""

    passages: tuple[Passage, ...]
    channel: ChannelFacts
    received: date
    reporter_name: str = ""


class Mask(Frozen):
    """A private stretch of a passage that is shown masked unless permitted.

    start, end : seconds of the recording it falls in, for an export that silences them
    """

    kind: Literal["identity_number", "phone", "bank_card", "plate", "reporter", "receipt"]
    medium: UUID | None
    from_character: int
    to_character: int
    start: float | None = None
    end: float | None = None


class Choice(Frozen):
    """One candidate for a field that has alternatives, best first."""

    code: str
    confidence: float


class Normalised(Frozen):
    """The fields that could be read, each with its provenance; what was not said stays empty.

    domain, conduct : "" where the evidence is under the threshold; `domains`, `conducts` : top-k
    provenance : by field name (`subject.unit`, `domain`, `occurred`, `amounts.0` ...)
    version : of the lexicon and model that made this
    """

    subject: Subject
    domain: str
    conduct: str
    domains: tuple[Choice, ...]
    conducts: tuple[Choice, ...]
    title: str
    description: str
    occurred: Occurred | None
    place: str
    place_code: str | None
    amounts: tuple[Amount, ...]
    masks: tuple[Mask, ...]
    provenance: dict[str, tuple[Provenance, ...]]
    version: str
