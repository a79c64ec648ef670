"""The `transcribe` stage: prepared recordings become transcripts, many at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, func, select

from ingest.queue import Stage
from models import logs
from models.channel import Channel
from models.complaint import Complaint
from models.database import reading, writing
from models.errors import NotFound, Permanent, Unavailable, Unplayable, XiangyinError
from models.medium import Medium
from models.settings import Settings
from models.status import MediumState
from models.transcript import Likely, ListenerReason, Recognition, Transcript
from transcribe.engine import Engine, Request, load
from transcribe.speech import SAMPLE_RATE
from transcribe.turns import Tell
from workers import loop
from workers.attempt import Failed, begin, close, fail, forgive, hold
from workers.batch import BatchWorker
from workers.decoding import to_samples
from workers.house import House, open_house
from workers.prepare import working_copy
from workers.share import on_gpu
from workers.stores import connect_worker
from workers.warm import Warm
from workers.watchdog import Pulse

# Samples of so much sound, with what the engine makes of them, fit into some hundred megabytes.
BATCH_SECONDS = 1_800.0
# Slower than this no model is of use; a call that takes longer is taken to hang.
SLOWEST_REAL_TIME = 5.0
GRACE_SECONDS = 90.0
IDLE_SECONDS = 180.0
# Jobs that are taken from the queue together: some of the engine's own batches of windows.
MOST_JOBS = {"cpu": 40, "cuda": 128}
# A worker that is told to stop leaves its batch after so long, well before the watchdog ends it.
FINISH_SECONDS = 6.0
# How much a channel's first language is expected before anything was heard, and each next one:
# together never certain.
LIKELY_FIRST = 0.45
LIKELY_FALL = 0.5

log = structlog.get_logger()


@dataclass(frozen=True)
class Prepared:
    """One recording with what the engine is told of it."""

    medium: Medium
    request: Request

    @property
    def seconds(self) -> float:
        return len(self.request.samples) / SAMPLE_RATE


Outcome = Recognition | XiangyinError


class Stopped(Exception):
    """The worker was told to stop, and what it has in hand is for another."""


def transcribe_medium(medium_id: str) -> None:
    """Run one job by itself; the warm worker performs jobs of this name in batches instead."""
    settings = Settings()
    logs.configure(settings.log_level, "transcribe")
    house = open_house(settings)
    failed = transcribe(house, open_warm(settings).engine(), [UUID(medium_id)])
    if failed:
        raise next(iter(failed.values()))


def transcribe(
    house: House, engine: Engine, medium_ids: Sequence[UUID], tell: Tell = lambda _: None
) -> dict[UUID, Failed]:
    """Transcribe prepared media together and settle each on its own. Twice is harmless.

    Give those that are to be tried again, each with why.
    """
    failed: dict[UUID, Failed] = {}
    fresh: list[Prepared] = []
    for medium_id in dict.fromkeys(medium_ids):
        try:
            prepared = _fetch(house, medium_id)
        except Failed as error:
            failed[medium_id] = error
            _forgive(house, medium_id)
            continue
        if prepared is None:
            continue
        if prepared.medium.attempts > 1:
            # Whatever ended the last attempt, it takes no neighbour with it again.
            failed |= _together(house, engine, [prepared], tell)
        else:
            fresh.append(prepared)
    for group in _grouped(fresh):
        failed |= _together(house, engine, group, tell)
    return failed


def _fetch(house: House, medium_id: UUID) -> Prepared | None:
    """Count the attempt and read the samples; None if there is nothing to do any more."""
    try:
        medium = begin(house, medium_id, MediumState.PREPARED)
        if medium is None:
            _send_back(house, medium_id)
            return None
        try:
            samples = b"".join(house.blobs.read(working_copy(medium_id)))
        except NotFound:
            _prepare_again(house, medium_id)
            return None
        with reading(house.engine) as session:
            declared, languages = session.exec(
                select(Complaint.declared_language, Channel.languages)
                .join(Channel, col(Channel.code) == col(Complaint.channel_code))
                .where(col(Complaint.id) == medium.complaint_id)
            ).one()
        request = Request(
            samples=to_samples(samples), declared=declared, likely=expected(languages)
        )
        return Prepared(medium, request)
    except (Unavailable, OperationalError, RedisError) as error:
        log.warning("not available", medium_id=str(medium_id), error=type(error).__name__)
        raise Failed("unavailable") from None


def _forgive(house: House, medium_id: UUID) -> None:
    """Take back an attempt that no recording is to blame for, if the database is there to do it."""
    try:
        forgive(house, medium_id)
    except (Unavailable, OperationalError) as error:
        log.warning("not forgiven", medium_id=str(medium_id), error=type(error).__name__)


def expected(languages: Sequence[str]) -> tuple[Likely, ...]:
    """Turn the order in which a channel shows its languages into what is likely there."""
    return tuple(
        Likely(tag=tag, probability=LIKELY_FIRST * LIKELY_FALL**place)
        for place, tag in enumerate(languages)
    )


def _together(
    house: House, engine: Engine, group: Sequence[Prepared], tell: Tell
) -> dict[UUID, Failed]:
    failed: dict[UUID, Failed] = {}
    try:
        outcomes = _recognise(engine, group, tell)
    except Stopped:
        for prepared in group:
            _forgive(house, prepared.medium.id)
        return {prepared.medium.id: Failed("stopped") for prepared in group}
    for prepared, outcome in zip(group, outcomes, strict=True):
        medium_id = prepared.medium.id
        try:
            _end(house, medium_id, outcome)
        except Failed as error:
            fail(house, medium_id, str(error))
            failed[medium_id] = error
        except (Unavailable, OperationalError, RedisError) as error:
            log.warning("not available", medium_id=str(medium_id), error=type(error).__name__)
            failed[medium_id] = Failed("unavailable")
            _forgive(house, medium_id)
        except Exception as error:
            log.error("failed", medium_id=str(medium_id), exc_info=error)
            fail(house, medium_id, type(error).__name__)
            failed[medium_id] = Failed(type(error).__name__)
    return failed


def _recognise(engine: Engine, group: Sequence[Prepared], tell: Tell) -> list[Outcome | None]:
    """Ask the engine for all at once, or one by one where that fails; None for one that fails."""
    try:
        return list(engine.recognise([prepared.request for prepared in group], tell))
    except Stopped:
        raise
    except Exception as error:
        log.error("batch failed", batch=len(group), exc_info=error)
        if len(group) == 1:
            return [None]
    return [outcome for prepared in group for outcome in _recognise(engine, [prepared], tell)]


def _end(house: House, medium_id: UUID, outcome: Outcome | None) -> None:
    """Write down what came of one recording."""
    if outcome is None:
        raise Failed("engine")
    if isinstance(outcome, XiangyinError) and not isinstance(outcome, Permanent):
        log.warning("not recognised", medium_id=str(medium_id), code=outcome.code)
        raise Failed(outcome.code)
    with writing(house.engine) as session:
        medium = hold(session, medium_id)
        if medium is None or medium.state is not MediumState.PREPARED:
            return
        reason: ListenerReason | None
        if isinstance(outcome, XiangyinError):
            poor = isinstance(outcome, Unplayable)
            reason = ListenerReason.POOR_AUDIO if poor else ListenerReason.PROCESSING_FAILED
        else:
            reason = outcome.reason
            session.add(_transcript(session, medium_id, outcome))
            medium.speech_seconds = outcome.speech_seconds
        close(session, house, medium, reason)
    house.blobs.delete(working_copy(medium_id))
    log.info("transcribed", medium_id=str(medium_id), reason=reason.value if reason else "")


def _transcript(session: Session, medium_id: UUID, heard: Recognition) -> Transcript:
    newest = session.exec(
        select(func.max(Transcript.version)).where(col(Transcript.medium_id) == medium_id)
    ).one()
    return Transcript(
        medium_id=medium_id,
        version=(newest or 0) + 1,
        segments=[segment.model_dump(mode="json") for segment in heard.segments],
        languages=[language.model_dump(mode="json") for language in heard.languages],
        evidence=[evidence.model_dump(mode="json") for evidence in heard.evidence],
        by="model",
        model=heard.model,
        settings=dict(heard.settings),
    )


def _grouped(prepared: Iterable[Prepared]) -> Iterable[list[Prepared]]:
    """Cut a batch where its sound would fill the memory."""
    group: list[Prepared] = []
    for one in prepared:
        if group and sum(each.seconds for each in [*group, one]) > BATCH_SECONDS:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _send_back(house: House, medium_id: UUID) -> None:
    """Hand a medium that is not prepared yet to the stage that does it."""
    with reading(house.engine) as session:
        medium = session.get(Medium, medium_id)
    if medium is not None and medium.state is MediumState.STORED:
        house.queue.enqueue(Stage.PREPARE, medium_id)


def _prepare_again(house: House, medium_id: UUID) -> None:
    """Go back a stage where the samples are gone, say after a restore from a backup."""
    with writing(house.engine) as session:
        medium = hold(session, medium_id)
        if medium is None or medium.state is not MediumState.PREPARED:
            return
        medium.state = MediumState.STORED
        session.add(medium)
    house.queue.enqueue(Stage.PREPARE, medium_id)


def open_warm(settings: Settings) -> Warm:
    """Load the engine as the settings say."""
    return Warm(
        partial(
            load,
            device=settings.device,
            compute_type=settings.compute_type,
            threads=settings.threads,
            batch=settings.batch,
        ),
        settings.pack_folder,
        settings.pack,
    )


class Patience:
    """Promise the watchdog each native call, and leave the batch when told to stop.

    stopping : tells whether the worker was asked to stop
    """

    def __init__(self, pulse: Pulse, stopping: Callable[[], bool]) -> None:
        self._pulse = pulse
        self._stopping = stopping
        self._asked: float | None = None

    def tell(self, seconds: float) -> None:
        """Promise to be back from so many seconds of sound; raise Stopped where it is time."""
        if self._stopping():
            self._asked = self._asked or time.monotonic()
            if time.monotonic() - self._asked > FINISH_SECONDS:
                raise Stopped
        self._pulse.busy(GRACE_SECONDS + SLOWEST_REAL_TIME * seconds)


def watched() -> None:
    """Be the worker that the watchdog watches."""
    work(
        Settings(),
        Pulse.inherited(os.environ),
        burst="--burst" in sys.argv[1:],
    )


def work(settings: Settings, pulse: Pulse, *, burst: bool = False) -> None:
    """Load the engine, then take jobs in batches until told to stop."""
    logs.configure(settings.log_level, "transcribe")
    house = open_house(settings)
    warm = open_warm(settings)
    loop.keep_what_is_loaded()

    patience = Patience(pulse, lambda: worker.stopping)

    def perform(medium_ids: Sequence[UUID]) -> dict[UUID, Failed]:
        pulse.busy(GRACE_SECONDS)
        return transcribe(house, warm.engine(), medium_ids, patience.tell)

    worker = BatchWorker(
        [Stage.TRANSCRIBE.value],
        connection=connect_worker(settings),
        **loop.SET,
        perform=perform,
        most=settings.batch or MOST_JOBS["cuda" if on_gpu(settings) else "cpu"],
        wait=settings.batch_wait_ms / 1000,
        idle=lambda: pulse.idle(IDLE_SECONDS),
    )
    loop.run(worker, burst=burst)
