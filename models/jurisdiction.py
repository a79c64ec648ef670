"""Which body holds a report: never one that the report is about, nor one the reporter went past."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from models import division
from models.account import Account
from models.complaint import Complaint
from models.division import Level
from models.errors import NotAllowed


@dataclass(frozen=True)
class Placing:
    """Where a report belongs.

    held_by : division code of the lowest body, from the one that has it upwards, that may have it
    shut_out : ids of the accounts that it concerns, whoever holds it
    """

    held_by: str
    shut_out: tuple[str, ...]


@dataclass(frozen=True)
class Barred:
    """The bodies that may not hold a report.

    past : the body that the reporter went past, with all below it; "" for none
    rank : of whom it is about; bodies up to this level may not hold it
    employers : divisions of the staff that it is about
    """

    past: str = ""
    rank: Level | None = None
    employers: frozenset[str] = frozenset()

    def bars(self, body: str) -> bool:
        """Tell whether a body may not hold the report; the nation has nobody above it."""
        if body == division.NATION:
            return False
        gone_past = self.past not in ("", division.NATION) and division.within(body, self.past)
        too_low = self.rank is not None and division.level(body) <= self.rank
        return gone_past or too_low or body in self.employers

    def lowest(self, body: str) -> str:
        """Climb from a body to the first that may hold the report."""
        holder = division.check(body)
        while self.bars(holder):
            holder = division.parent(holder)
        return holder


def rank_of(written: str) -> Level | None:
    """Read a rank as the gazetteer writes it; None if it says nothing."""
    return Level.__members__.get(written.strip().upper())


def place(session: Session, complaint: Complaint) -> Placing:
    """Work out who may hold a report and who must never see it, from what it says now.

    Somebody once shut out stays so: what was known about a report is not forgotten when a field is
    corrected.
    """
    concerned = _concerned(session, complaint)
    shut_out = dict.fromkeys([*complaint.shut_out, *(str(account.id) for account in concerned)])
    return Placing(_barred(complaint, concerned).lowest(complaint.held_by), tuple(shut_out))


def require_may_hold(session: Session, complaint: Complaint, body: str) -> None:
    """Raise NotAllowed unless a body may be given this report."""
    if _barred(complaint, _concerned(session, complaint)).bars(division.check(body)):
        raise NotAllowed(
            "这件事涉及该机关、其工作人员或其上级，不能交给它，请选择更高一级。",
            "The report concerns that body, its staff or one above it: choose a higher one.",
            code="may_not_hold",
        )


def _barred(complaint: Complaint, concerned: list[Account]) -> Barred:
    return Barred(
        past=complaint.jurisdiction if complaint.upward_only else "",
        rank=rank_of(complaint.subject_rank),
        employers=frozenset(account.division for account in concerned),
    )


def _concerned(session: Session, complaint: Complaint) -> list[Account]:
    """Find the accounts whose holder is named in the report, or whose unit it is about."""
    conditions: list[ColumnElement[bool]] = []
    if complaint.subject_name.strip():
        conditions.append(col(Account.name) == complaint.subject_name.strip())
    if complaint.subject_unit_code:
        conditions.append(col(Account.unit_code) == complaint.subject_unit_code)
    if not conditions:
        return []
    return list(session.exec(select(Account).where(or_(*conditions))))
