"""One recording, text or photograph of a report."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, enum_column, now, uuid7
from models.status import MediumState


class Kind(StrEnum):
    """What a medium is."""

    VOICE = "voice"
    TEXT = "text"
    IMAGE = "image"


class Purpose(StrEnum):
    """What a medium is for. Identity is a spoken name: never part of the complaint's content."""

    COMPLAINT = "complaint"
    IDENTITY = "identity"
    ADDITION = "addition"
    MESSAGE = "message"


# A spoken name is kept for whoever may know it, and an answer is no part of what was reported.
CONTENT = frozenset({Purpose.COMPLAINT, Purpose.ADDITION})


class Medium(SQLModel, table=True):
    """A part of a report with a state of its own.

    content_hash : keyed hash of the original bytes
    original, copy : keys in the blob store; `copy_` is what staff play or see
    peaks : waveform for drawing, int8 pairs (minimum, maximum), `peaks_rate` pairs a second
    page : what a photograph says, as ingest.photographs read it: lines with boxes and scores
    truncated : the file ended early; what could be decoded was kept
    """

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    complaint_id: UUID = Field(foreign_key="complaint.id", index=True)
    position: int = 0
    kind: Kind = Field(sa_column=enum_column(Kind))
    purpose: Purpose = Field(default=Purpose.COMPLAINT, sa_column=enum_column(Purpose))
    state: MediumState = Field(
        default=MediumState.STORED, sa_column=enum_column(MediumState, index=True)
    )
    reason: str = ""
    content_hash: str = Field(index=True)
    mime: str
    size: int = Field(description="bytes of the original")
    original: str
    text: str = Field(default="", description="of a text medium; no blob is the truth of it")
    seconds: float | None = None
    speech_seconds: float | None = None
    loudness: float | None = Field(default=None, description="dBFS over speech")
    noise: float | None = Field(default=None, description="dBFS between speech")
    truncated: bool = False
    copy_: str | None = None
    copy_mime: str | None = None
    peaks: bytes | None = Field(default=None, sa_type=LargeBinary)
    peaks_rate: float | None = None
    page: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    fingerprint: bytes | None = Field(default=None, sa_type=LargeBinary)
    attempts: int = 0
    enqueued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
