"""What is kept of each report so that its repeats are found without reading all others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, LargeBinary, Uuid
from sqlmodel import Field, SQLModel

WIDE = BigInteger().with_variant(Integer, "sqlite")


class StoredTrace(SQLModel, table=True):
    """One report in the index of repeats, in the order in which they were settled.

    sketch : uint32, the smallest mixed keys of its text's runs of syllables; runs : how many runs
    facts : unit, domain, person, time and amounts as the report itself says them
    """

    __tablename__ = "repeat_trace"
    seq: int | None = Field(
        default=None, sa_column=Column(WIDE, primary_key=True, autoincrement=True)
    )
    complaint_id: UUID = Field(
        sa_column=Column(
            Uuid, ForeignKey("complaint.id", ondelete="CASCADE"), unique=True, nullable=False
        )
    )
    jurisdiction: str
    sketch: bytes = Field(sa_type=LargeBinary)
    runs: int
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class TraceKey(SQLModel, table=True):
    """That a report has a key: what two reports must share before they are compared.

    key : 64 bits of jurisdiction, sort of key and value; trace : a report's `seq`
    """

    __tablename__ = "repeat_key"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    trace: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
