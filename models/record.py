"""The standard complaint as it leaves the house; its JSON Schema is made from these records."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from models.transcript import Frozen, Language, ListenerReason, Segment

Precision = Literal["day", "week", "month", "season", "year", "range"]
GIVEN_NAME_UNSAID = "某"  # behind a surname: 王某


class Provenance(Frozen):
    """Where a value comes from.

    start, end : seconds of a recording; from_character, to_character : a span of the medium's text;
    box : left, top, right, bottom in a photograph, as shares of its width and height
    """

    by: Literal["reporter", "channel", "rule", "model", "staff"]
    confidence: float = Field(ge=0, le=1)
    medium: UUID | None = None
    transcript_version: int | None = None
    from_character: int | None = None
    to_character: int | None = None
    start: float | None = None
    end: float | None = None
    box: tuple[float, float, float, float] | None = None
    text: str = Field("", description="the words it was read from")
    why: str = Field("", description="the rule or model, and its version")


class Subject(Frozen):
    """The person or body complained of; `unit` may be "unknown"."""

    name: str = ""
    unit: str = ""
    unit_code: str | None = None
    post: str = ""
    rank: str = ""
    region: str = ""


class Occurred(Frozen):
    """When it happened, both days included. text : as it was said."""

    start: date
    end: date
    precision: Precision
    text: str = ""


class Amount(Frozen):
    """How much, in a normalised unit (元, 人, 户, 亩, 平方米, 天); text : as it was said."""

    value: float
    unit: str
    text: str


class Reporter(Frozen):
    """Who reported, shown only with the permission."""

    name: str = ""
    contact: str = ""


class Translation(Frozen):
    """What the report says in another language, and who wrote that."""

    tag: str
    text: str
    by: str


class MediumRecord(Frozen):
    """One recording, text or photograph of the report."""

    id: UUID
    kind: str
    purpose: str
    content_hash: str
    mime: str
    size: int = Field(serialization_alias="bytes")
    seconds: float | None
    state: str
    reason: ListenerReason | None
    truncated: bool
    copy_mime: str | None
    has_peaks: bool


class TranscriptRecord(Frozen):
    """One version of a voice medium's transcript."""

    medium: UUID
    version: int
    segments: tuple[Segment, ...]
    by: str
    model: str
    settings: dict[str, Any]
    created: datetime
    accepted_by: UUID | None


class MessageRecord(Frozen):
    """One turn between office and reporter."""

    sender: str = Field(serialization_alias="from")
    text: str
    medium: UUID | None
    at: datetime


class StandardComplaint(Frozen):
    """One record for voice, text and photographs, comparable across province, city and county."""

    id: UUID
    medium: Literal["voice", "text", "image", "mixed"]
    channel: str
    jurisdiction: str
    round: str = ""
    identity_mode: Literal["anonymous", "real_name"]
    reporter: Reporter | None = None
    subject: Subject
    domain: str = ""
    conduct: str = ""
    title: str = Field("", max_length=60)
    description: str = Field("", max_length=4_000)
    occurred: Occurred | None = None
    place: str = ""
    place_code: str | None = None
    amounts: tuple[Amount, ...] = ()
    media: tuple[MediumRecord, ...] = ()
    languages: tuple[Language, ...] = ()
    declared_language: str = ""
    transcripts: tuple[TranscriptRecord, ...] = ()
    translations: tuple[Translation, ...] = ()
    provenance: dict[str, tuple[Provenance, ...]] = {}
    status: str
    status_reason: str = ""
    assignee: UUID | None = None
    version: int
    messages: tuple[MessageRecord, ...] = ()
    training_consent: bool = False
    upward_only: bool = False
    duplicate_of: UUID | None = None
    received_at: datetime
    due_at: datetime
    closed_at: datetime | None = None
    retention_until: date
