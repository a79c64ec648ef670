"""One attempt at a medium: counted before it starts, and the end of it written only once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from ingest.settle import settle
from models import audit
from models.audit import Deed, Detail
from models.columns import now
from models.complaint import Complaint
from models.database import writing
from models.medium import Medium
from models.status import SETTLED, MediumState
from models.transcript import ListenerReason
from workers.house import House

LOCK_COMPLAINT = (
    select(Complaint.id)
    .where(
        col(Complaint.id)
        == select(Medium.complaint_id)
        .where(col(Medium.id) == bindparam("medium"))
        .scalar_subquery()
    )
    .with_for_update()
)


class Failed(Exception):
    """An attempt ended without a result and will be made again; carries no content."""


def begin(house: House, medium_id: UUID, state: MediumState) -> Medium | None:
    """Count an attempt at a medium in a given state; None if there is nothing left to do.

    Attempts are counted in the database before they start, because an attempt that kills its
    process cannot count itself. Past the cap the medium goes to a listener.
    """
    with writing(house.engine) as session:
        medium = hold(session, medium_id)
        if medium is None:
            return None
        if medium.state in SETTLED:
            # A crash may have left the report behind its last medium.
            settle(session, house.keys, medium.complaint_id, house.normaliser)
            return None
        if medium.state is not state:
            return None
        if medium.attempts >= house.settings.attempts:
            close(session, house, medium, ListenerReason.PROCESSING_FAILED)
            return None
        medium.attempts += 1
        session.add(medium)
        return medium


def forgive(house: House, medium_id: UUID) -> None:
    """Take back an attempt that failed for want of a store, queue or database."""
    with writing(house.engine) as session:
        medium = hold(session, medium_id)
        if medium is not None and medium.attempts > 0:
            medium.attempts -= 1
            session.add(medium)


def fail(house: House, medium_id: UUID, why: str) -> None:
    """Write down why an attempt failed, for whoever decides whether to try again.

    why : a code or the name of an error, never content
    """
    with writing(house.engine) as session:
        medium = session.get(Medium, medium_id)
        if medium is not None:
            details: dict[str, Detail] = {
                "medium": str(medium_id),
                "why": why,
                "attempt": medium.attempts,
            }
            audit.append(
                session, house.keys, audit.SYSTEM, Deed.ATTEMPT_FAILED, medium.complaint_id, details
            )


def hold(session: Session, medium_id: UUID) -> Medium | None:
    """Give a medium as it is now, locked until the session commits.

    Its complaint is locked first, by everybody, so that two media of one report never wait for
    each other.
    """
    session.exec(LOCK_COMPLAINT, params={"medium": medium_id}).one_or_none()
    return session.get(Medium, medium_id, populate_existing=True, with_for_update=True)


def close(
    session: Session, house: House, medium: Medium, reason: ListenerReason | None = None
) -> None:
    """Settle a medium as done, or for a listener, and its report if it was the last."""
    medium.state = MediumState.DONE if reason is None else MediumState.NEEDS_LISTENER
    medium.reason = "" if reason is None else reason.value
    medium.settled_at = now()
    session.add(medium)
    session.flush()
    settle(session, house.keys, medium.complaint_id, house.normaliser)
