"""The `prepare` stage: untrusted media are decoded here and nowhere else, in a confined child."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq import Worker
from rq.job import Job
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from ingest.photographs import COPY_MIME
from ingest.queue import Stage
from models import logs
from models.channel import Channel
from models.complaint import Complaint
from models.database import reading, writing
from models.errors import Permanent, Unavailable
from models.medium import Kind, Medium, Purpose
from models.settings import Limits, Settings
from models.status import MediumState
from models.transcript import ListenerReason
from workers import decoding, loop
from workers.attempt import begin, close, forgive, hold
from workers.confine import Bounds, Confined, Overrun
from workers.decoding import DecodedPicture, DecodedSound
from workers.family import end_with_parent
from workers.house import Ground, House, build, lay_ground
from workers.stores import connect_worker

RENEW_SECONDS = 30.0

log = structlog.get_logger()

# What this process was started with; a job that is run by anything else lays it itself.
_ground: Ground | None = None


class Failed(Exception):
    """An attempt ended without a result and will be made again; carries no content."""


def prepare_medium(medium_id: str) -> None:
    """Run one job. Everything is opened here, in the process that was forked for it."""
    prepare(build(_ground or lay_ground(Settings())), UUID(medium_id))


def prepare(house: House, medium_id: UUID) -> None:
    """Make a stored medium ready to be heard, read and recognised. Twice is harmless.

    Raise Failed if it is to be tried again.
    """
    medium = begin(house, medium_id, MediumState.STORED)
    if medium is None:
        _hand_on(house, medium_id)
        return
    bound = log.bind(medium_id=str(medium_id), kind=medium.kind.value, attempts=medium.attempts)
    try:
        _prepare(house, medium)
    except Overrun as error:
        bound.warning("overrun", code=error.code)
        raise Failed(error.code) from None
    except (Unavailable, OperationalError, RedisError) as error:
        bound.warning("not available", error=type(error).__name__)
        forgive(house, medium_id)
        raise Failed("unavailable") from None
    except Exception as error:
        bound.error("failed", exc_info=error)
        raise Failed(type(error).__name__) from None
    bound.info("prepared")


def _prepare(house: House, medium: Medium) -> None:
    if medium.kind is Kind.TEXT:
        with writing(house.engine) as session:
            held = _still_stored(session, medium.id)
            if held is not None:
                close(session, house, held)
    elif medium.kind is Kind.IMAGE:
        _prepare_picture(house, medium)
    else:
        _prepare_sound(house, medium)


def _prepare_sound(house: House, medium: Medium) -> None:
    wanted = medium.purpose is not Purpose.IDENTITY
    limits = house.settings.limits
    work = decoding.sound_work(
        most_seconds=limits.recording_seconds,
        disguised=_disguised(house, medium),
        samples=wanted,
    )
    try:
        with Confined(work, decoding_bounds(limits)) as confined:
            decoded = decoding.parse_sound(confined.run(house.blobs.read(medium.original)))
    except Permanent:
        _give_to_listener(house, medium.id, ListenerReason.POOR_AUDIO)
        return
    copy = f"copy/{medium.id}"
    _store(house, copy, [decoded.copy])
    if wanted:
        _store(house, working_copy(medium.id), [decoded.samples])
    _record_sound(house, medium.id, decoded, copy, further=wanted)
    _hand_on(house, medium.id)


def _record_sound(
    house: House, medium_id: UUID, decoded: DecodedSound, copy: str, *, further: bool
) -> None:
    with writing(house.engine) as session:
        medium = _still_stored(session, medium_id)
        if medium is None:
            return
        header = decoded.header
        medium.seconds = header.seconds
        medium.speech_seconds = header.speech_seconds
        medium.loudness, medium.noise = header.loudness, header.noise
        medium.truncated = header.truncated
        medium.copy_, medium.copy_mime = copy, header.copy_mime
        medium.peaks, medium.peaks_rate = decoded.peaks, decoding.PEAKS_RATE
        if further:
            medium.state, medium.attempts = MediumState.PREPARED, 0
            session.add(medium)
        else:
            # A spoken name is heard by whoever may know it, and never written down.
            close(session, house, medium)


def _prepare_picture(house: House, medium: Medium) -> None:
    limits = house.settings.limits
    work = decoding.picture_work(
        most_pixels=limits.image_pixels, read=medium.purpose is not Purpose.IDENTITY
    )
    try:
        with Confined(work, decoding_bounds(limits)) as confined:
            decoded = decoding.parse_picture(confined.run(house.blobs.read(medium.original)))
    except Permanent:
        _give_to_listener(house, medium.id, ListenerReason.UNTRUSTED_TEXT)
        return
    copy = f"copy/{medium.id}"
    _store(house, copy, [decoded.copy])
    _record_picture(house, medium.id, decoded, copy)


def _record_picture(house: House, medium_id: UUID, decoded: DecodedPicture, copy: str) -> None:
    with writing(house.engine) as session:
        medium = _still_stored(session, medium_id)
        if medium is None:
            return
        page = decoded.header.page
        medium.truncated = decoded.header.truncated
        medium.copy_, medium.copy_mime = copy, COPY_MIME
        medium.page = page.model_dump(mode="json") if page else None
        doubtful = page is not None and not page.trusted
        close(session, house, medium, ListenerReason.UNTRUSTED_TEXT if doubtful else None)


def _give_to_listener(house: House, medium_id: UUID, reason: ListenerReason) -> None:
    with writing(house.engine) as session:
        medium = _still_stored(session, medium_id)
        if medium is not None:
            close(session, house, medium, reason)


def _still_stored(session: Session, medium_id: UUID) -> Medium | None:
    """Give the medium unless somebody else prepared it meanwhile."""
    medium = hold(session, medium_id)
    return medium if medium is not None and medium.state is MediumState.STORED else None


def _hand_on(house: House, medium_id: UUID) -> None:
    """Hand a prepared recording to the recogniser; if the queue is away, the sweeper does."""
    with reading(house.engine) as session:
        medium = session.get(Medium, medium_id)
    if medium is not None and medium.state is MediumState.PREPARED:
        try:
            house.queue.enqueue(Stage.TRANSCRIBE, medium_id)
        except Unavailable as error:
            log.warning("not enqueued", medium_id=str(medium_id), code=error.code)


def _disguised(house: House, medium: Medium) -> bool:
    with reading(house.engine) as session:
        complaint = session.get_one(Complaint, medium.complaint_id)
        return session.get_one(Channel, complaint.channel_code).mask_voice


def _store(house: House, key: str, content: Iterable[bytes]) -> None:
    with house.blobs.writer(key) as writer:
        for piece in content:
            writer.write(piece)
        writer.commit()


def working_copy(medium_id: UUID) -> str:
    """Name the blob of decoded samples that lives until the medium is settled."""
    return f"work/{medium_id}"


def decoding_bounds(limits: Limits) -> Bounds:
    """Give what a child that decodes may take."""
    return Bounds(
        memory_bytes=limits.decode_memory_bytes,
        cpu_seconds=limits.decode_cpu_seconds,
        wall_seconds=limits.decode_wall_seconds,
    )


class PrepareWorker(Worker):
    """A worker that forks for each job, whose children end with it, and whose death shows soon."""

    renewed = 0.0

    def fork_work_horse(self, job: Job, queue: RqQueue) -> None:
        self._parent = os.getpid()
        if _ground is not None and time.monotonic() - self.renewed > RENEW_SECONDS:
            # Compiled here once, and not by every child for itself.
            self.renewed = time.monotonic()
            _ground.renew()
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: RqQueue) -> None:
        end_with_parent(self._parent, signal.SIGKILL)
        super().main_work_horse(job, queue)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        return loop.SIGN_OF_LIFE_SECONDS


def main(settings: Settings, *, burst: bool = False) -> None:
    """Run the worker until it is told to stop, or with `burst` until the queue is empty."""
    global _ground
    logs.configure(settings.log_level, "prepare")
    _ground = lay_ground(settings)
    worker = PrepareWorker(
        [Stage.PREPARE.value],
        connection=connect_worker(settings),
        **loop.SET,
    )
    loop.run(worker, burst=burst)
