"""The `prepare` stage: untrusted media are decoded here and nowhere else, in a confined child."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from ingest.photographs import COPY_MIME
from ingest.queue import Stage
from models import logs
from models.channel import Channel
from models.complaint import Complaint
from models.database import reading, writing
from models.errors import Permanent, Unavailable
from models.medium import Kind, Medium, Purpose
from models.settings import Settings
from models.status import MediumState
from models.transcript import ListenerReason
from workers import decoding, loop, prompts
from workers.attempt import Failed, begin, close, fail, forgive, hold
from workers.batch import BatchWorker
from workers.confine import Bounds, Overrun
from workers.decoding import DecodedPicture, DecodedSound
from workers.house import House, open_house
from workers.stores import connect_worker
from workers.watchdog import Pulse

IDLE_SECONDS = 180.0
# Beyond what a child may take: the stores' own patience and the report's normalising.
GRACE_SECONDS = 60.0

log = structlog.get_logger()


def prepare_medium(medium_id: str) -> None:
    """Run one job by itself; the worker performs jobs of this name with what it holds open."""
    settings = Settings()
    logs.configure(settings.log_level, "prepare")
    house = open_house(settings)
    with house.nursery:
        prepare(house, UUID(medium_id))


def prepare(house: House, medium_id: UUID) -> None:
    """Make a stored medium ready to be heard, read and recognised. Twice is harmless.

    Raise Failed if it is to be tried again.
    """
    medium = begin(house, medium_id, MediumState.STORED)
    if medium is None:
        _hand_on(house, medium_id)
        _prepare_prompt(house, medium_id)
        return
    bound = log.bind(medium_id=str(medium_id), kind=medium.kind.value, attempts=medium.attempts)
    try:
        _prepare(house, medium)
    except Overrun as error:
        bound.warning("overrun", code=error.code)
        fail(house, medium_id, error.code)
        raise Failed(error.code) from None
    except (Unavailable, OperationalError, RedisError) as error:
        bound.warning("not available", error=type(error).__name__)
        forgive(house, medium_id)
        raise Failed("unavailable") from None
    except Exception as error:
        bound.error("failed", exc_info=error)
        fail(house, medium_id, type(error).__name__)
        raise Failed(type(error).__name__) from None
    bound.info("prepared")


def _prepare_prompt(house: House, recording: UUID) -> None:
    """Make a recorded prompt playable, if the id is of one."""
    try:
        prompts.make_playable(house, recording)
    except (Unavailable, OperationalError) as error:
        log.warning("not available", error=type(error).__name__)
        raise Failed("unavailable") from None


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
    task = decoding.sound_task(
        most_seconds=limits.recording_seconds,
        disguised=_disguised(house, medium),
        samples=wanted,
    )
    try:
        original = house.blobs.read(medium.original)
        decoded = decoding.parse_sound(house.nursery.run(task, original, Bounds.of(limits)))
    except Permanent:
        _give_to_listener(house, medium.id, ListenerReason.POOR_AUDIO)
        return
    copy = f"copy/{medium.id}"
    _store(house, copy, [decoded.copy])
    if wanted:
        _store(house, working_copy(medium.id), [decoded.samples])
    if _record_sound(house, medium.id, decoded, copy, further=wanted):
        _enqueue(house, medium.id)


def _record_sound(
    house: House, medium_id: UUID, decoded: DecodedSound, copy: str, *, further: bool
) -> bool:
    """Write down what was found, and tell whether the recogniser comes next."""
    with writing(house.engine) as session:
        medium = _still_stored(session, medium_id)
        if medium is None:
            return False
        header = decoded.header
        medium.seconds = header.seconds
        medium.speech_seconds = header.speech_seconds
        medium.loudness, medium.noise = header.loudness, header.noise
        medium.truncated = header.truncated
        medium.copy_, medium.copy_mime = copy, header.copy_mime
        medium.peaks, medium.peaks_rate = decoded.peaks, decoding.PEAKS_RATE
        medium.fingerprint = decoded.fingerprint or None
        if further:
            medium.state, medium.attempts = MediumState.PREPARED, 0
            session.add(medium)
        else:
            # A spoken name is heard by whoever may know it, and never written down.
            close(session, house, medium)
    return further


def _prepare_picture(house: House, medium: Medium) -> None:
    limits = house.settings.limits
    task = decoding.picture_task(
        most_pixels=limits.image_pixels, read=medium.purpose is not Purpose.IDENTITY
    )
    try:
        original = house.blobs.read(medium.original)
        decoded = decoding.parse_picture(house.nursery.run(task, original, Bounds.of(limits)))
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
    """Hand a recording to the recogniser if it is prepared already."""
    with reading(house.engine) as session:
        state = session.exec(select(Medium.state).where(col(Medium.id) == medium_id)).one_or_none()
    if state is MediumState.PREPARED:
        _enqueue(house, medium_id)


def _enqueue(house: House, medium_id: UUID) -> None:
    """Hand a prepared recording to the recogniser; if the queue is away, the sweeper does."""
    try:
        house.queue.enqueue(Stage.TRANSCRIBE, medium_id)
    except Unavailable as error:
        log.warning("not enqueued", medium_id=str(medium_id), code=error.code)


def _disguised(house: House, medium: Medium) -> bool:
    with reading(house.engine) as session:
        return session.exec(
            select(Channel.mask_voice)
            .join(Complaint, col(Complaint.channel_code) == col(Channel.code))
            .where(col(Complaint.id) == medium.complaint_id)
        ).one()


def _store(house: House, key: str, content: Iterable[bytes]) -> None:
    with house.blobs.writer(key) as writer:
        for piece in content:
            writer.write(piece)
        writer.commit()


def working_copy(medium_id: UUID) -> str:
    """Name the blob of decoded samples that lives until the medium is settled."""
    return f"work/{medium_id}"


def perform(house: House, pulse: Pulse, medium_ids: Sequence[UUID]) -> Mapping[UUID, Failed]:
    """Prepare media one after another; give those that are to be tried again, each with why."""
    failed: dict[UUID, Failed] = {}
    for medium_id in medium_ids:
        # It waits for the child, whose own clock is shorter.
        pulse.idle(house.settings.limits.decode_wall_seconds + GRACE_SECONDS)
        try:
            prepare(house, medium_id)
        except Failed as error:
            failed[medium_id] = error
    return failed


def watched() -> None:
    """Be the worker that the watchdog watches."""
    work(Settings(), Pulse.inherited(os.environ), burst="--burst" in sys.argv[1:])


def work(settings: Settings, pulse: Pulse, *, burst: bool = False) -> None:
    """Take jobs one at a time until told to stop, or with `burst` until the queue is empty."""
    logs.configure(settings.log_level, "prepare")
    house = open_house(settings)
    loop.keep_what_is_loaded()
    with house.nursery:
        house.nursery.start()
        loop.run(decoder(house, pulse), burst=burst)


def decoder(house: House, pulse: Pulse) -> BatchWorker:
    """Make the worker that takes the jobs of this stage."""
    return BatchWorker(
        [Stage.PREPARE.value],
        connection=connect_worker(house.settings),
        **loop.SET,
        perform=partial(perform, house, pulse),
        # Another worker may take the next one meanwhile.
        most=1,
        wait=0.0,
        idle=lambda: pulse.idle(IDLE_SECONDS),
    )
