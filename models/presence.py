"""Who has a complaint open just now, so that two people know of each other before they collide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Field, Session, SQLModel, col, select

from models.account import Account
from models.columns import UtcDateTime, now

HERE = timedelta(seconds=40)


class Presence(SQLModel, table=True):
    """One account that had one complaint open at a moment."""

    complaint_id: UUID = Field(primary_key=True, foreign_key="complaint.id", ondelete="CASCADE")
    account_id: UUID = Field(primary_key=True, foreign_key="account.id")
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


def arrive(session: Session, complaint_id: UUID, account_id: UUID) -> None:
    """Note that an account has a complaint open."""
    known = session.get(Presence, (complaint_id, account_id))
    if known is None:
        session.add(Presence(complaint_id=complaint_id, account_id=account_id))
    else:
        known.at = now()


def leave(session: Session, complaint_id: UUID, account_id: UUID) -> None:
    """Note that it was closed."""
    known = session.get(Presence, (complaint_id, account_id))
    if known is not None:
        session.delete(known)


def others(session: Session, complaint_id: UUID, account_id: UUID) -> Sequence[str]:
    """Name the others who have it open."""
    return session.exec(
        select(Account.name)
        .join(Presence, col(Presence.account_id) == col(Account.id))
        .where(
            Presence.complaint_id == complaint_id,
            Presence.account_id != account_id,
            col(Presence.at) > now() - HERE,
        )
        .order_by(Account.name)
    ).all()
