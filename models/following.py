"""What the holder of a receipt learns and decides after a report was sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from models import audit, receipt, stored
from models.audit import Deed
from models.columns import now
from models.complaint import Complaint, Message
from models.errors import NotFound
from models.keys import Keys
from models.medium import Medium
from models.status import FOLLOWING, Status
from models.status import require as require_following
from models.stored import StoredFile
from models.transcript import UNKNOWN_LANGUAGE, Frozen


class Answer(Frozen):
    """One thing that the office told the reporter. medium : a spoken answer"""

    text: str
    medium: UUID | None
    at: datetime


class ReporterView(Frozen):
    """All that a receipt shows: the state and what the office answered."""

    status: Status
    received_at: datetime
    answers: tuple[Answer, ...]


class Following(Frozen):
    """How a report stands.

    channel : whose recorded prompts are heard; language : the one to speak to the reporter in
    open : it still takes additions; may_withdraw : nobody has accepted it yet
    """

    status: Status
    channel: str
    language: str
    open: bool
    may_withdraw: bool
    training_consent: bool
    answers: tuple[Answer, ...]


def follow(session: Session, keys: Keys, digits: str) -> Following | None:
    """Tell the reporter how it stands; None for a receipt nobody was given, in the same time."""
    view = reporter_view(session, keys, digits)
    complaint = by_receipt(session, keys, digits)
    if view is None or complaint is None:
        return None
    return Following(
        status=view.status,
        channel=complaint.channel_code,
        language=_language(complaint),
        open=view.status is not Status.WITHDRAWN,
        may_withdraw=Status.WITHDRAWN in FOLLOWING[view.status],
        training_consent=complaint.training_consent,
        answers=view.answers,
    )


def consent(session: Session, keys: Keys, digits: str, agreed: bool) -> Complaint | None:
    """Note whether the recording may teach the machine its language; it may be changed again."""
    complaint = by_receipt(session, keys, digits)
    if complaint is not None and complaint.training_consent != agreed:
        complaint.training_consent = agreed
        session.add(complaint)
        details: dict[str, audit.Detail] = {"agreed": agreed}
        audit.append(session, keys, audit.REPORTER, Deed.CONSENTED, complaint.id, details)
    return complaint


def by_receipt(session: Session, keys: Keys, digits: str) -> Complaint | None:
    """Find the report that a receipt stands for."""
    hashed = receipt.digest(keys, digits)
    return session.exec(select(Complaint).where(Complaint.receipt_hash == hashed)).first()


def reporter_view(session: Session, keys: Keys, digits: str) -> ReporterView | None:
    """Tell a reporter the state and the office's answers; None for a receipt nobody was given.

    Both queries are made in either case, so that a wrong receipt costs what a right one does.
    """
    complaint = by_receipt(session, keys, digits)
    asked = complaint.id if complaint is not None else UUID(int=0)
    rows = session.exec(
        select(Message)
        .where(Message.complaint_id == asked, Message.by != audit.REPORTER)
        .order_by(col(Message.at), col(Message.id))
    ).all()
    answers = tuple(Answer(text=row.text, medium=row.medium_id, at=row.at) for row in rows)
    if complaint is None:
        return None
    return ReporterView(status=complaint.status, received_at=complaint.received_at, answers=answers)


def spoken_answer(session: Session, keys: Keys, digits: str, medium_id: UUID) -> StoredFile | None:
    """Find a recording that the office answered with; None for a receipt nobody was given."""
    complaint = by_receipt(session, keys, digits)
    asked = complaint.id if complaint is not None else UUID(int=0)
    medium = session.exec(
        select(Medium)
        .join(Message, col(Message.medium_id) == Medium.id)
        .where(Message.complaint_id == asked, Message.by != audit.REPORTER, Medium.id == medium_id)
    ).first()
    if complaint is None:
        return None
    file = None if medium is None else stored.copy_of(medium)
    if file is None:
        raise stored.no_file()
    return file


def withdraw(session: Session, keys: Keys, digits: str) -> Complaint:
    """Withdraw a report for whoever holds its receipt, as long as nobody has accepted it."""
    hashed = receipt.digest(keys, digits)
    complaint = session.exec(
        select(Complaint)
        .where(Complaint.receipt_hash == hashed)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if complaint is None:
        raise unknown_receipt()
    require_following(complaint.status, Status.WITHDRAWN)
    complaint.status, complaint.status_reason = Status.WITHDRAWN, ""
    complaint.closed_at = now()
    complaint.version += 1
    session.add(complaint)
    audit.append(session, keys, audit.REPORTER, Deed.WITHDRAWN, complaint.id)
    return complaint


def unknown_receipt() -> NotFound:
    """Make the error for a receipt that nobody was given."""
    return NotFound(
        "没有找到这个回执号，请对照再输一次。",
        "That receipt number is not known: please compare it and enter it again.",
        code="unknown_receipt",
    )


def _language(complaint: Complaint) -> str:
    declared = complaint.declared_language
    return complaint.language if declared in ("", UNKNOWN_LANGUAGE) else declared
