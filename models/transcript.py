"""What was said: words, segments and languages with the evidence for them, and their versions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field as Stored
from sqlmodel import SQLModel

from models.columns import UtcDateTime, now, uuid7

UNKNOWN_LANGUAGE = "und"
NO_LANGUAGE = "zxx"  # BCP-47 for sound without language


class Frozen(BaseModel):
    """A typed record that is never changed, only made anew with `model_copy(update=...)`."""

    # What does not fit may be what somebody said: an error never shows it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ListenerReason(StrEnum):
    """Why a medium needs a person to hear or read it. None of them is a failure."""

    ASKED_FOR = "asked_for"
    UNSUPPORTED_LANGUAGE = "unsupported_language"
    UNCERTAIN_LANGUAGE = "uncertain_language"
    POOR_AUDIO = "poor_audio"
    NO_SPEECH = "no_speech"
    UNTRUSTED_TEXT = "untrusted_text"
    PROCESSING_FAILED = "processing_failed"


class Word(Frozen):
    """One word as heard. start, end : seconds from the start of the recording."""

    start: float = Field(ge=0)
    end: float = Field(ge=0)
    text: str
    probability: float = Field(ge=0, le=1)


class Flag(Frozen):
    """A doubt about a segment, with the figure that raised it (say `compression_ratio`, 3.1)."""

    name: str
    value: float


class Segment(Frozen):
    """A stretch of one recording with its text as recognised.

    start, end : seconds from the start of the recording, start < end
    text : raw, as the recogniser or the person wrote it; the joined words where there are any
    tidy : the same text simplified and with spoken numbers as digits
    language : BCP-47, `und` when unsure; confidence : of that tag, 0..1
    trusted : False if the flags say that the text may not be what was said
    """

    start: float = Field(ge=0)
    end: float = Field(ge=0)
    text: str
    tidy: str = ""
    language: str = UNKNOWN_LANGUAGE
    confidence: float = Field(0.0, ge=0, le=1)
    words: tuple[Word, ...] = ()
    average_logprob: float | None = None
    no_speech: float | None = None
    compression_ratio: float | None = None
    flags: tuple[Flag, ...] = ()
    trusted: bool = True


class Likely(Frozen):
    """One candidate language with the probability that a witness gives it."""

    tag: str
    probability: float = Field(ge=0, le=1)


class Evidence(Frozen):
    """What one witness says about the language.

    by : declared, channel, whisper, tagger, script, text or person
    candidates : best first; outside : probability mass on languages that are not installed
    start, end : seconds of the stretch it speaks of; both None for the whole medium
    """

    by: str
    candidates: tuple[Likely, ...]
    outside: float = Field(0.0, ge=0, le=1)
    start: float | None = None
    end: float | None = None


class Language(Frozen):
    """One language of a medium or complaint. share : of the speech or text, 0..1."""

    tag: str
    confidence: float = Field(ge=0, le=1)
    by: str
    share: float = Field(1.0, ge=0, le=1)


class Recognition(Frozen):
    """What an engine makes of one recording.

    reason : None if the text can be trusted, else why a person must listen
    model : name and version of the pack; settings : what it was run with
    seconds, speech_seconds : of the recording, and of speech found in it
    """

    segments: tuple[Segment, ...]
    languages: tuple[Language, ...]
    evidence: tuple[Evidence, ...]
    reason: ListenerReason | None
    model: str
    settings: dict[str, str | int | float | bool] = {}
    seconds: float
    speech_seconds: float

    @property
    def text(self) -> str:
        """Join the segments' raw text."""
        return join_text(segment.text for segment in self.segments)

    @property
    def language(self) -> Language:
        """Give the language with the largest share, or `und`."""
        known = sorted(self.languages, key=lambda language: -language.share)
        return known[0] if known else Language(tag=UNKNOWN_LANGUAGE, confidence=0, by="none")


def join_text(parts: Any) -> str:
    """Join texts of segments: a space between scripts that use one, nothing after Chinese."""
    joined = ""
    for part in (text.strip() for text in parts):
        if joined and part and (_spaced(joined[-1]) and _spaced(part[0])):
            joined += " "
        joined += part
    return joined


def _spaced(character: str) -> bool:
    """Tell whether a script puts spaces between words at this character."""
    point = ord(character)
    unspaced = (0x3000, 0x30FF), (0x3400, 0x9FFF), (0xA000, 0xA4CF), (0xF900, 0xFAFF)
    return not any(low <= point <= high for low, high in (*unspaced, (0xFF00, 0xFFEF)))


class Transcript(SQLModel, table=True):
    """One version of a medium's transcript. Versions are only ever added."""

    __table_args__ = (UniqueConstraint("medium_id", "version"),)

    id: UUID = Stored(default_factory=uuid7, primary_key=True)
    medium_id: UUID = Stored(foreign_key="medium.id", index=True)
    version: int
    segments: list[dict[str, Any]] = Stored(sa_column=Column(JSON, nullable=False))
    languages: list[dict[str, Any]] = Stored(sa_column=Column(JSON, nullable=False))
    evidence: list[dict[str, Any]] = Stored(sa_column=Column(JSON, nullable=False))
    by: str = Stored(description="'model', or the account's id")
    model: str = ""
    settings: dict[str, Any] = Stored(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Stored(default_factory=now, sa_type=UtcDateTime)
    accepted_by: UUID | None = Stored(default=None, foreign_key="account.id")
    accepted_at: datetime | None = Stored(default=None, sa_type=UtcDateTime)

    def read_segments(self) -> tuple[Segment, ...]:
        """Give the stored segments as records."""
        return tuple(Segment.model_validate(segment) for segment in self.segments)

    def read_languages(self) -> tuple[Language, ...]:
        """Give the stored languages as records."""
        return tuple(Language.model_validate(language) for language in self.languages)
