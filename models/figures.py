"""Figures for those who oversee: how many of what, and nothing of what was said.

A number so small that it could point at one report is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from models import access, division
from models.access import Act
from models.account import Account
from models.columns import now
from models.complaint import Complaint
from models.status import CLOSED

SMALLEST = 5
DAYS = 30


@dataclass(frozen=True)
class Figure:
    """A count of one code. count : None where it is under the smallest that is told"""

    code: str
    count: int | None


@dataclass(frozen=True)
class Figures:
    """Counts over the account's subtree."""

    total: int
    recent: int
    overdue: int | None
    by_status: tuple[Figure, ...]
    by_domain: tuple[Figure, ...]
    by_conduct: tuple[Figure, ...]
    by_language: tuple[Figure, ...]
    by_division: tuple[Figure, ...]


def count(session: Session, account: Account) -> Figures:
    """Count what is held in the account's subtree and rounds."""
    access.require(account, Act.SEE_FIGURES)
    within = _within(account)
    moment = now()
    late = (col(Complaint.due_at) < moment, col(Complaint.status).not_in(CLOSED))
    shared = len(division.prefix(account.division))
    below = func.substr(Complaint.held_by, 1, min(shared + division.PAIR, division.DIGITS))
    return Figures(
        total=_count(session, *within),
        recent=_count(session, *within, col(Complaint.received_at) > moment - timedelta(days=DAYS)),
        overdue=_told(_count(session, *within, *late)),
        by_status=_grouped(session, within, col(Complaint.status)),
        by_domain=_grouped(session, within, col(Complaint.domain)),
        by_conduct=_grouped(session, within, col(Complaint.conduct)),
        by_language=_grouped(session, within, col(Complaint.language)),
        by_division=tuple(
            Figure(one.code.ljust(division.DIGITS, "0"), one.count)
            for one in _grouped(session, within, below)
        ),
    )


def _within(account: Account) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    shared = division.prefix(account.division)
    if shared:
        conditions.append(col(Complaint.held_by).startswith(shared))
    if access.EVERY_ROUND not in account.rounds:
        conditions.append(col(Complaint.round).in_(["", *account.rounds]))
    return conditions


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(Complaint).where(*conditions)).one()


def _grouped(
    session: Session, conditions: list[ColumnElement[bool]], by: Any
) -> tuple[Figure, ...]:
    rows = session.execute(
        select(by, func.count()).select_from(Complaint).where(*conditions).group_by(by)
    ).all()
    ordered = sorted(rows, key=lambda row: -row[1])
    return tuple(Figure(str(getattr(code, "value", code) or ""), _told(n)) for code, n in ordered)


def _told(count: int) -> int | None:
    return count if count == 0 or count >= SMALLEST else None
