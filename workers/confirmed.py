"""Recordings whose language staff confirmed and whose reporter agreed to training on them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlmodel import col, select

from models.complaint import Complaint
from models.database import reading
from models.errors import Permanent
from models.medium import CONTENT, Kind, Medium
from models.transcript import UNKNOWN_LANGUAGE, Transcript
from transcribe.lessons import Recording
from workers import decoding
from workers.confine import Bounds, Overrun
from workers.nursery import Nursery
from workers.stores import Stores

# A recording counts for a language that takes so much of its speech.
CLEAR_SHARE = 0.95


def recordings(stores: Stores) -> Iterator[Recording]:
    """Decode them one after the other, each in a confined child: no model may be loaded yet.

    Those in several languages, and those that cannot be decoded any more, are left out.
    """
    limits = stores.settings.limits
    task = decoding.samples_task(limits.recording_seconds)
    with Nursery() as nursery:
        for original, tag in _confirmed(stores).values():
            try:
                samples = nursery.run(task, stores.blobs.read(original), Bounds.of(limits))
            except (Permanent, Overrun):
                continue
            yield Recording(decoding.to_samples(samples), tag, tag)


def _confirmed(stores: Stores) -> dict[UUID, tuple[str, str]]:
    """Give original and language by medium, from the newest version that staff accepted."""
    wanted = (
        select(Transcript, Medium)
        .join(Medium, col(Medium.id) == col(Transcript.medium_id))
        .join(Complaint, col(Complaint.id) == col(Medium.complaint_id))
        .where(
            col(Complaint.training_consent),
            col(Transcript.accepted_by).is_not(None),
            col(Medium.kind) == Kind.VOICE,
            col(Medium.purpose).in_(CONTENT),
        )
        .order_by(col(Transcript.medium_id), col(Transcript.version))
    )
    found: dict[UUID, tuple[str, str]] = {}
    with reading(stores.engine) as session:
        for transcript, medium in session.exec(wanted):
            found.pop(medium.id, None)
            clear = [one for one in transcript.read_languages() if one.share >= CLEAR_SHARE]
            if clear and clear[0].tag != UNKNOWN_LANGUAGE:
                found[medium.id] = (medium.original, clear[0].tag)
    return found
