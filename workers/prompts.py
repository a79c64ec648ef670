"""Recordings of prompts are made what every phone plays, in the confined child as all sound is."""

from __future__ import annotations

from uuid import UUID

import structlog

from models import prompts
from models.columns import uuid7
from models.database import reading, writing
from models.errors import Permanent
from workers import decoding
from workers.confine import Bounds, Overrun
from workers.house import House

log = structlog.get_logger()


def make_playable(house: House, recording: UUID) -> None:
    """Put a copy that every phone plays in place of a recording that waits. Twice is harmless.

    What cannot be decoded is forgotten, and what was heard before goes on being heard.
    """
    waiting = prompts.blob_of(recording)
    with reading(house.engine) as session:
        if prompts.find_waiting(session, waiting) is None:
            return
    task = decoding.sound_task(most_seconds=prompts.SECONDS_MOST, disguised=False, samples=False)
    try:
        result = house.nursery.run(
            task, house.blobs.read(waiting), Bounds.of(house.settings.limits)
        )
        decoded = decoding.parse_sound(result)
    except (Permanent, Overrun) as error:
        log.warning("prompt not playable", recording=str(recording), code=error.code)
        with writing(house.engine) as session:
            needless = prompts.refuse(session, waiting)
        _delete(house, needless)
        return
    blob = prompts.blob_of(uuid7())
    with house.blobs.writer(blob) as writer:
        writer.write(decoded.copy)
        writer.commit()
    with writing(house.engine) as session:
        header = decoded.header
        needless = prompts.convert(session, waiting, blob, header.copy_mime, header.seconds)
    _delete(house, needless)


def _delete(house: House, blobs: tuple[str, ...]) -> None:
    for blob in blobs:
        house.blobs.delete(blob)
