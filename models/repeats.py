"""Reports about the same thing: proposed by the machine or named by a person, never merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, select

from models import access, audit
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.complaint import Complaint, Repeat
from models.errors import Conflict, NotFound
from models.keys import Keys

LINKED = "linked"
REJECTED = "rejected"


@dataclass(frozen=True)
class Proposal:
    """Another report that may be about the same. decided : '', linked or rejected"""

    other: Complaint
    score: float
    reasons: tuple[dict[str, Any], ...]
    decided: str


def of(session: Session, account: Account, complaint_id: UUID) -> tuple[Proposal, ...]:
    """List the proposals for a complaint, best first, as far as the account sees the other one."""
    rows = session.exec(
        select(Repeat).where(
            or_(
                col(Repeat.complaint_id) == complaint_id,
                col(Repeat.other_id) == complaint_id,
            )
        )
    ).all()
    ids = {row.other_id if row.complaint_id == complaint_id else row.complaint_id for row in rows}
    seen = {
        one.id: one
        for one in session.exec(
            select(Complaint).where(col(Complaint.id).in_(ids), access.visible(account))
        )
    }
    found = []
    for row in sorted(rows, key=lambda row: -row.score):
        other = seen.get(row.other_id if row.complaint_id == complaint_id else row.complaint_id)
        if other is not None:
            found.append(Proposal(other, row.score, tuple(row.reasons), row.decided))
    return tuple(found)


def decide(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    other_id: UUID,
    *,
    same: bool,
) -> None:
    """Say whether two reports are about the same; the later one then points at the first."""
    access.require(account, Act.DECIDE)
    complaint = access.find(session, account, complaint_id, locked=True)
    other = access.find(session, account, other_id)
    if complaint.id == other.id:
        raise Conflict(
            "不能与自己关联。", "A report is no repeat of itself.", code="repeat_of_itself"
        )
    row = _row(session, complaint.id, other.id)
    row.decided = LINKED if same else REJECTED
    session.add(row)
    first, later = sorted((complaint, other), key=lambda one: (one.received_at, one.id))
    root = _root(session, first)
    if same and root.id != later.id:
        later.duplicate_of = root.id
        later.version += 1
    elif not same and later.duplicate_of in (first.id, root.id):
        later.duplicate_of = None
        later.version += 1
    session.add(later)
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.REPEAT_DECIDED,
        complaint_id,
        {"other": str(other_id), "decided": row.decided},
    )


def family(session: Session, account: Account, complaint: Complaint) -> tuple[Complaint, ...]:
    """List the linked reports that the account sees, first one first."""
    root = complaint.duplicate_of or complaint.id
    rows = session.exec(
        select(Complaint)
        .where(
            or_(col(Complaint.id) == root, col(Complaint.duplicate_of) == root),
            col(Complaint.id) != complaint.id,
            access.visible(account),
        )
        .order_by(col(Complaint.received_at))
    )
    return tuple(rows)


def _row(session: Session, one: UUID, other: UUID) -> Repeat:
    known = session.get(Repeat, (one, other)) or session.get(Repeat, (other, one))
    return known or Repeat(complaint_id=one, other_id=other, score=1.0, reasons=[{"by": "staff"}])


def _root(session: Session, complaint: Complaint) -> Complaint:
    """Follow links to the first report; they never form a ring, since each points back in time."""
    steps = 0
    while complaint.duplicate_of is not None:
        before = session.get(Complaint, complaint.duplicate_of)
        if before is None or steps > 1_000:
            raise NotFound("找不到首件举报。", "The first report is gone.", code="no_first")
        complaint, steps = before, steps + 1
    return complaint
