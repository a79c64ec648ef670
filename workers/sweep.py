"""The sweeper: what a crash, a wiped queue or a full disk left behind is found and done again.

The database says what is unfinished. What waits in the queue, or is in the hands of a living
worker, is left alone; so is what is young, since whoever committed it is about to enqueue it.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from types import FrameType
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, exists, select, update

from ingest.queue import Stage
from models import logs, prompts
from models.columns import now
from models.complaint import Complaint, Submission
from models.database import reading, writing
from models.errors import Unavailable
from models.medium import CONTENT, Medium
from models.settings import Settings
from models.status import SETTLED, MediumState
from workers.stores import Stores, open_stores

STAGE_OF = {MediumState.STORED: Stage.PREPARE, MediumState.PREPARED: Stage.TRANSCRIBE}
# Parts whose sender never finished, and samples of media that are settled, go after so long.
ORPHAN_AGE = timedelta(hours=24)
CLEAN_SECONDS = 3600.0
AT_ONCE = 1_000

log = structlog.get_logger()


def sweep_once(settings: Settings) -> int:
    """Look once; give how many media were handed to the queue again."""
    stores = open_stores(settings)
    clean(stores)
    return sweep(stores)


def sweep(stores: Stores, at: datetime | None = None) -> int:
    """Hand unfinished media that nobody has to the queue; give how many."""
    moment = at or now()
    stale = moment - timedelta(seconds=stores.settings.stale_seconds)
    handed = sum(_sweep_stage(stores, state, stale, moment) for state in STAGE_OF)
    handed += _sweep_reports(stores, stale)
    handed += _sweep_prompts(stores, stale)
    if handed:
        log.info("swept", count=handed)
    return handed


def clean(stores: Stores, at: datetime | None = None) -> None:
    """Remove what has served its time: idempotency rows, and blobs that nothing refers to."""
    moment = at or now()
    forgotten = moment - timedelta(hours=stores.settings.idempotency_hours)
    with writing(stores.engine) as session:
        session.execute(delete(Submission).where(col(Submission.created_at) < forgotten))
    for prefix in ("media", "work", "copy"):
        _clean_blobs(stores, prefix, moment - ORPHAN_AGE)


def _sweep_stage(stores: Stores, state: MediumState, stale: datetime, moment: datetime) -> int:
    stage = STAGE_OF[state]
    held = stores.queue.held(stage)
    fallen = stores.queue.fallen(stage) - held
    with reading(stores.engine) as session:
        unfinished = set(
            session.exec(
                select(Medium.id).where(
                    Medium.state == state,
                    col(Medium.enqueued_at).is_(None) | (col(Medium.enqueued_at) < stale),
                )
            )
        )
        open_fallen = _in_state(session, fallen, state)
    for medium_id in fallen - open_fallen:
        stores.queue.drop(stage, medium_id)
    due = sorted((unfinished - held) | open_fallen)
    for medium_id in due:
        stores.queue.renew(stage, medium_id)
    _note(stores, due, moment)
    return len(due)


def _sweep_reports(stores: Stores, stale: datetime) -> int:
    """Hand over one medium of each report that is behind its last: its job settles the report."""
    other = aliased(Medium)
    unfinished = exists().where(
        col(other.complaint_id) == Complaint.id,
        col(other.purpose).in_(CONTENT),
        col(other.state).not_in(SETTLED),
    )
    with reading(stores.engine) as session:
        rows = session.exec(
            select(Medium.complaint_id, Medium.id)
            .join(Complaint, col(Complaint.id) == Medium.complaint_id)
            .where(
                col(Complaint.settled_at).is_(None),
                ~unfinished,
                col(Medium.purpose).in_(CONTENT),
                col(Medium.settled_at) < stale,
            )
        ).all()
    behind = dict(rows).values()
    for medium_id in behind:
        stores.queue.enqueue(Stage.PREPARE, medium_id)
    return len(behind)


def _sweep_prompts(stores: Stores, stale: datetime) -> int:
    """Hand over recordings of prompts that not every phone plays."""
    with reading(stores.engine) as session:
        waiting = prompts.waiting(session, stale)
    for recording in waiting:
        stores.queue.enqueue(Stage.PREPARE, recording)
    return len(waiting)


def _in_state(session: Session, ids: Iterable[UUID], state: MediumState) -> set[UUID]:
    wanted = sorted(ids)
    found: set[UUID] = set()
    for at in range(0, len(wanted), AT_ONCE):
        part = wanted[at : at + AT_ONCE]
        query = select(Medium.id).where(col(Medium.id).in_(part), Medium.state == state)
        found.update(session.exec(query))
    return found


def _note(stores: Stores, handed: list[UUID], moment: datetime) -> None:
    """Remember when media were handed over, so that they are young again."""
    for at in range(0, len(handed), AT_ONCE):
        part = handed[at : at + AT_ONCE]
        with writing(stores.engine) as session:
            session.execute(
                update(Medium).where(col(Medium.id).in_(part)).values(enqueued_at=moment)
            )


def _clean_blobs(stores: Stores, prefix: str, before: datetime) -> None:
    keys = list(stores.blobs.older(prefix, before))
    for at in range(0, len(keys), AT_ONCE):
        part = {UUID(key.rpartition("/")[2]): key for key in keys[at : at + AT_ONCE]}
        with reading(stores.engine) as session:
            query = select(Medium.id, Medium.state).where(col(Medium.id).in_(list(part)))
            states = dict(session.exec(query).all())
        for medium_id, key in part.items():
            finished = prefix == "work" and states.get(medium_id) in SETTLED
            if medium_id not in states or finished:
                stores.blobs.delete(key)


def main() -> None:
    """Sweep every few seconds until told to stop."""
    settings = Settings()
    logs.configure(settings.log_level, "sweep")
    stop = threading.Event()

    def ask(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    stores = open_stores(settings)
    cleaned = -CLEAN_SECONDS
    while not stop.wait(settings.sweep_seconds):
        try:
            sweep(stores)
            if time.monotonic() - cleaned >= CLEAN_SECONDS:
                cleaned = time.monotonic()
                clean(stores)
        except (Unavailable, OperationalError) as error:
            log.warning("not available", error=type(error).__name__)
    sys.exit(0)
