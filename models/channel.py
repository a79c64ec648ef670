"""Where reports come in: the QR code, window or phone line, and the units that it covers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, now


class Unit(SQLModel, table=True):
    """One row of the gazetteer: a body or place that a complaint can be about."""

    code: str = Field(primary_key=True)
    name: str = Field(index=True)
    kind: str = ""
    parent: str | None = Field(default=None, index=True)
    division: str = Field(index=True, description="GB/T 2260, six digits")
    aliases: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    rank: str = Field(default="", description="village, town, county, city or province")


class Channel(SQLModel, table=True):
    """One QR code, window or phone line.

    jurisdiction : division code of the body that runs it; decides who may see its reports
    unit_code : the unit inspected, the fallback subject of its reports
    languages : BCP-47 tags in the order the page shows them
    """

    code: str = Field(primary_key=True)
    name: str
    unit_code: str | None = Field(default=None, foreign_key="unit.code")
    unit_name: str = ""
    jurisdiction: str = Field(index=True)
    round: str = ""
    languages: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    valid_from: date | None = None
    valid_until: date | None = None
    recording_seconds: int | None = Field(
        default=None, description="None: the installation's limit"
    )
    mask_voice: bool = Field(
        default=False, description="staff hear a copy with the voice disguised"
    )
    help_name: str = ""
    help_phone: str = ""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Scan(SQLModel, table=True):
    """How often a channel's page was opened on one day; nothing of who opened it."""

    channel_code: str = Field(primary_key=True, foreign_key="channel.code")
    day: date = Field(primary_key=True)
    count: int = 0


class Prompt(SQLModel, table=True):
    """A spoken prompt that an administrator recorded for one channel ("" for all) and language.

    blob : "" where nothing was recorded before what waits
    waiting : blob of a newer recording that is not yet made playable everywhere, or ""
    """

    channel_code: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    blob: str
    waiting: str = ""
    mime: str
    seconds: float
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
