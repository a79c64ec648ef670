"""What happened: an append-only log chained by a keyed hash, and what staff did while reviewing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Integer, text
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime, now, uuid7


class Event(SQLModel, table=True):
    """One act. mac : keyed hash over this row and the mac of the row before it."""

    seq: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    actor: str = Field(description="account id, 'reporter', 'system' or 'operator'")
    deed: str = Field(index=True)
    complaint_id: UUID | None = Field(default=None, index=True)
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    mac: str = ""


class Heard(SQLModel, table=True):
    """A stretch of a recording that an account played, merged with its neighbours.

    at : when the last of it was played; nobody hears more seconds than have passed since
    """

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    medium_id: UUID = Field(foreign_key="medium.id", index=True)
    account_id: UUID = Field(foreign_key="account.id")
    start: float
    end: float
    at: datetime = Field(
        default_factory=now,
        sa_type=UtcDateTime,
        sa_column_kwargs={"server_default": text("CURRENT_TIMESTAMP")},
    )


class Draft(SQLModel, table=True):
    """An edit that was not finished, kept for its writer through an expired session."""

    account_id: UUID = Field(primary_key=True, foreign_key="account.id")
    medium_id: UUID = Field(primary_key=True, foreign_key="medium.id")
    base_version: int
    body: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Deployment(SQLModel, table=True):
    """Facts about this database: which key opens it, say."""

    name: str = Field(primary_key=True)
    value: str
