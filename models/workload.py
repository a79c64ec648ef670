"""How much waits, for how long, what went through, and what a person should try again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, func, select

from models import access, audit
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.columns import now
from models.complaint import Complaint
from models.errors import Conflict, NotFound
from models.event import Event
from models.keys import Keys
from models.medium import Kind, Medium
from models.status import MediumState, Status
from models.transcript import UNKNOWN_LANGUAGE, ListenerReason

HOURS = 24
FAILURES_SHOWN = 100


@dataclass(frozen=True)
class Waiting:
    """What waits at one stage in one language. oldest : when the oldest came in"""

    stage: str
    language: str
    count: int
    oldest: datetime


@dataclass(frozen=True)
class Failure:
    """A medium whose processing was given up.

    why : of the last attempt that said so; "" where the attempt took its process with it
    """

    medium_id: UUID
    complaint_id: UUID
    kind: str
    mime: str
    size: int
    attempts: int
    why: str
    at: datetime


@dataclass(frozen=True)
class Workload:
    """The state of the machinery. settled : media finished in each of the last hours"""

    waiting: tuple[Waiting, ...]
    settled: tuple[int, ...]
    failures: tuple[Failure, ...]
    failed: int
    statuses: dict[str, int]


def measure(session: Session, *, failures: int = FAILURES_SHOWN) -> Workload:
    """Read the workload from the database, which is the truth; the queue only carries ids."""
    return Workload(
        waiting=_waiting(session),
        settled=_settled(session),
        failures=_failures(session, failures),
        failed=session.exec(
            select(func.count())
            .select_from(Medium)
            .where(Medium.reason == ListenerReason.PROCESSING_FAILED)
        ).one(),
        statuses={
            Status(status).value: count
            for status, count in session.exec(
                select(Complaint.status, func.count()).group_by(col(Complaint.status))
            )
        },
    )


def retry(session: Session, keys: Keys, account: Account, medium_id: UUID) -> Medium:
    """Let a medium that was given up be prepared again from its original."""
    access.require(account, Act.ADMINISTER)
    medium = session.get(Medium, medium_id, with_for_update=True)
    if medium is None:
        raise NotFound("没有这个文件。", "There is no such medium.", code="no_file")
    if medium.reason != ListenerReason.PROCESSING_FAILED:
        raise Conflict(
            "它已经处理过了，请刷新页面。",
            "It was dealt with meanwhile: reload the page.",
            code="not_failed",
        )
    medium.state, medium.reason = MediumState.STORED, ""
    medium.attempts, medium.settled_at, medium.enqueued_at = 0, None, now()
    complaint = session.get(Complaint, medium.complaint_id, with_for_update=True)
    if complaint is not None:
        complaint.settled_at = None
        session.add(complaint)
    session.add(medium)
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.RETRIED,
        medium.complaint_id,
        {"medium": str(medium_id)},
    )
    return medium


def _waiting(session: Session) -> tuple[Waiting, ...]:
    declared = func.coalesce(func.nullif(Complaint.declared_language, ""), UNKNOWN_LANGUAGE)
    rows = session.exec(
        select(
            Medium.state,
            declared,
            func.count(),
            func.min(func.coalesce(Medium.enqueued_at, Medium.created_at)),
        )
        .join(Complaint, col(Complaint.id) == col(Medium.complaint_id))
        .where(col(Medium.state).in_([MediumState.STORED, MediumState.PREPARED]))
        .group_by(col(Medium.state), declared)
    )
    stages = {MediumState.STORED: "prepare", MediumState.PREPARED: "transcribe"}
    return tuple(
        sorted(
            (
                Waiting(stages[MediumState(state)], language, count, _aware(oldest))
                for state, language, count, oldest in rows
            ),
            key=lambda one: (one.stage, -one.count),
        )
    )


def _settled(session: Session) -> tuple[int, ...]:
    """Count by hours; a few thousand rows at most, so no dialect's clock is needed."""
    moment = now()
    start = moment - timedelta(hours=HOURS)
    counts = [0] * HOURS
    for at in session.exec(select(Medium.settled_at).where(col(Medium.settled_at) > start)):
        if at is not None:
            hour = int((at - start).total_seconds() // 3600)
            counts[min(HOURS - 1, max(0, hour))] += 1
    return tuple(counts)


def _failures(session: Session, most: int) -> tuple[Failure, ...]:
    rows: Sequence[Medium] = session.exec(
        select(Medium)
        .where(
            Medium.reason == ListenerReason.PROCESSING_FAILED,
            col(Medium.kind).in_([Kind.VOICE, Kind.IMAGE]),
        )
        .order_by(col(Medium.id).desc())
        .limit(most)
    ).all()
    reasons = _reasons(session, rows)
    return tuple(
        Failure(
            medium_id=row.id,
            complaint_id=row.complaint_id,
            kind=row.kind.value,
            mime=row.mime,
            size=row.size,
            attempts=row.attempts,
            why=reasons.get(str(row.id), ""),
            at=row.settled_at or row.created_at,
        )
        for row in rows
    )


def _reasons(session: Session, rows: Sequence[Medium]) -> dict[str, str]:
    """Give by medium why its last attempt failed."""
    events = session.exec(
        select(Event)
        .where(
            Event.deed == Deed.ATTEMPT_FAILED,
            col(Event.complaint_id).in_({row.complaint_id for row in rows}),
        )
        .order_by(col(Event.seq))
    )
    return {str(event.details["medium"]): str(event.details["why"]) for event in events}


def _aware(moment: datetime | str) -> datetime:
    """Read a moment that came through SQL's functions, which forget its zone on SQLite."""
    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
