"""The standard complaint as it is stored, and what hangs on it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, enum_column, now, uuid7
from models.status import Status


class ReportMedium(StrEnum):
    """What a whole report is made of."""

    VOICE = "voice"
    TEXT = "text"
    IMAGE = "image"
    MIXED = "mixed"


class IdentityMode(StrEnum):
    """Whether the reporter chose to be known."""

    ANONYMOUS = "anonymous"
    REAL_NAME = "real_name"


class Complaint(SQLModel, table=True):
    """One report. `models.record` turns it into the standard complaint that leaves the house.

    receipt_hash : keyed hash of the sixteen digits
    held_by : division code of the body that has it now; only it and those above see it
    reporter_sealed : name and contact, encrypted with this id as context
    provenance : per field, a list of `models.record.Provenance`
    confirmed : names of fields that a person confirmed; the machine never changes them again
    normalised : everything the normaliser said, with alternatives, for the reviewer
    """

    __table_args__ = (
        Index("ix_complaint_newest", "received_at", "id"),
        Index("ix_complaint_held_newest", "held_by", "received_at", "id"),
        Index("ix_complaint_status_newest", "status", "received_at", "id"),
        Index("ix_complaint_due", "due_at"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    receipt_hash: str = Field(unique=True)
    medium: ReportMedium = Field(sa_column=enum_column(ReportMedium))
    channel_code: str = Field(foreign_key="channel.code", index=True)
    jurisdiction: str
    held_by: str
    round: str = Field(default="", index=True)
    identity_mode: IdentityMode = Field(
        default=IdentityMode.ANONYMOUS, sa_column=enum_column(IdentityMode)
    )
    reporter_sealed: bytes | None = None

    subject_name: str = ""
    subject_unit: str = ""
    subject_unit_code: str | None = Field(default=None, index=True)
    subject_post: str = ""
    subject_rank: str = ""
    subject_region: str = ""
    domain: str = Field(default="", index=True)
    conduct: str = Field(default="", index=True)
    title: str = ""
    description: str = ""
    occurred_start: date | None = None
    occurred_end: date | None = None
    occurred_precision: str = ""
    occurred_text: str = ""
    place: str = ""
    place_code: str | None = None
    amounts: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    languages: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    language: str = Field(default="und", index=True, description="the tag with the largest share")
    declared_language: str = ""
    translations: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    provenance: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    normalised: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    confirmed: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    masks: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_column=Column(JSON, nullable=False),
        description="private spans of the text: kind, medium, start, end, seconds",
    )

    status: Status = Field(default=Status.RECEIVED, sa_column=enum_column(Status))
    status_reason: str = ""
    finding: str = ""
    assignee_id: UUID | None = Field(default=None, foreign_key="account.id", index=True)
    version: int = 1
    training_consent: bool = False
    upward_only: bool = False
    shut_out: list[str] = Field(
        default_factory=list,
        sa_column=Column(JSON, nullable=False),
        description="accounts that the report concerns; they never see it",
    )
    duplicate_of: UUID | None = Field(default=None, foreign_key="complaint.id")
    received_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retention_until: date


class Message(SQLModel, table=True):
    """One turn of the dialogue between office and reporter."""

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    complaint_id: UUID = Field(foreign_key="complaint.id", index=True)
    by: str = Field(description="'reporter', or the account's id")
    text: str = ""
    medium_id: UUID | None = Field(default=None, foreign_key="medium.id")
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Submission(SQLModel, table=True):
    """What one Idempotency-Key stands for, for 72 hours.

    key_digest : keyed hash of the client's key; content_digest : over the parts
    receipt_sealed : under a key derived from the client's key, which the server does not keep
    """

    key_digest: str = Field(primary_key=True)
    content_digest: str
    receipt_sealed: bytes
    complaint_id: UUID = Field(foreign_key="complaint.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)


class Repeat(SQLModel, table=True):
    """A proposal that two reports are about the same thing; a person decides."""

    complaint_id: UUID = Field(primary_key=True, foreign_key="complaint.id")
    other_id: UUID = Field(primary_key=True, foreign_key="complaint.id", index=True)
    score: float
    reasons: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    decided: str = Field(default="", description="'', linked or rejected")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
