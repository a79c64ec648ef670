"""When the last medium of a report is settled: read it once, and say where the report stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from ingest import repeats
from ingest import said as saying
from ingest.matter import ChannelFacts, Matter, Normalised
from ingest.said import Said
from models import audit, casework, clocks, reporter
from models.audit import Deed
from models.channel import Channel
from models.columns import now
from models.complaint import Complaint
from models.keys import Keys
from models.medium import Medium
from models.status import BY_MACHINE, SETTLED, MediumState, Status
from models.transcript import UNKNOWN_LANGUAGE, ListenerReason

log = structlog.get_logger()


class Normaliser(Protocol):
    """Whatever can turn what was said into fields."""

    def __call__(self, matter: Matter) -> Normalised:
        """Read one report."""
        ...


def settle(
    session: Session,
    keys: Keys,
    complaint_id: UUID,
    normaliser: Normaliser,
    *,
    again: bool = False,
    at: datetime | None = None,
) -> bool:
    """Read a report whose media are all settled and set its status, in the session's transaction.

    again : even if nothing was added since it was last settled, say after a correction. Fields
    that a person confirmed stay as they are; the status moves only while the machine moves it.
    Give whether anything was done; a second call changes nothing.
    """
    complaint = _locked(session, complaint_id)
    if complaint is None or (complaint.settled_at is not None and not again):
        return False
    media = saying.media(session, complaint_id)
    if any(medium.state not in SETTLED for medium in media):
        return False
    said = tuple(saying.read(medium, saying.newest(session, medium)) for medium in media)
    read = _read(session, keys, complaint, said, normaliser, fill=again or _fillable(complaint))
    complaint.languages = [one.model_dump(mode="json") for one in saying.shares(said)]
    complaint.language = complaint.languages[0]["tag"] if complaint.languages else UNKNOWN_LANGUAGE
    complaint.settled_at = at or now()
    complaint.version += 1
    before = complaint.status
    if before in BY_MACHINE:
        complaint.status, complaint.status_reason = _standing(media, read)
    session.add(complaint)
    session.flush()
    if complaint.status is not before:
        details = {"from": before.value, "to": complaint.status.value}
        audit.append(session, keys, audit.SYSTEM, Deed.STATUS_CHANGED, complaint.id, details)
    # Behind the audit log, whose lock lets no second report be filed at the same moment.
    _look_for_repeats(session, complaint, said)
    casework.route(session, keys, complaint)
    return True


def _look_for_repeats(session: Session, complaint: Complaint, said: Sequence[Said]) -> None:
    try:
        with session.begin_nested():
            repeats.file(session, repeats.trace_of(complaint, said))
    except OperationalError:
        raise
    except Exception as error:
        # A report reaches a person whatever the index stumbles over.
        log.error("not filed", complaint_id=str(complaint.id), exc_info=error)


def _locked(session: Session, complaint_id: UUID) -> Complaint | None:
    return session.exec(
        select(Complaint)
        .where(col(Complaint.id) == complaint_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _read(
    session: Session,
    keys: Keys,
    complaint: Complaint,
    said: Sequence[Said],
    normaliser: Normaliser,
    *,
    fill: bool,
) -> bool:
    """Read what can be trusted, and fill the fields with it; False if the normaliser failed."""
    try:
        trusted = normaliser(_matter(session, keys, complaint, [s for s in said if s.trusted]))
        private = trusted.masks
        if any(one.passage.text and not one.trusted for one in said):
            # What is not trusted fills no field, but it is shown to staff: it must be masked too.
            private = normaliser(_matter(session, keys, complaint, said)).masks
    except Exception as error:
        # Whatever it stumbles over, the report must reach a person.
        log.error("not normalised", complaint_id=str(complaint.id), exc_info=error)
        return False
    complaint.normalised = trusted.model_dump(mode="json")
    if fill:
        apply(complaint, trusted)
    complaint.masks = [mask.model_dump(mode="json") for mask in private]
    return True


def _matter(session: Session, keys: Keys, complaint: Complaint, said: Sequence[Said]) -> Matter:
    channel = session.get_one(Channel, complaint.channel_code)
    named = ""
    if complaint.reporter_sealed is not None:
        named = reporter.unseal(keys, complaint.id, complaint.reporter_sealed).name
    return Matter(
        passages=tuple(one.passage for one in said if one.passage.text),
        channel=ChannelFacts(
            code=channel.code,
            unit_code=channel.unit_code,
            unit_name=channel.unit_name,
            jurisdiction=channel.jurisdiction,
        ),
        received=complaint.received_at.astimezone(clocks.OFFICE).date(),
        reporter_name=named,
    )


def _fillable(complaint: Complaint) -> bool:
    """Tell whether nobody has decided yet on what the fields say."""
    return complaint.status in BY_MACHINE or complaint.status is Status.IN_REVIEW


def _standing(media: Sequence[Medium], read: bool) -> tuple[Status, str]:
    reasons = [m.reason for m in media if m.state is MediumState.NEEDS_LISTENER and m.reason]
    if not read:
        reasons.append(ListenerReason.PROCESSING_FAILED.value)
    if not reasons:
        return Status.READY, ""
    return Status.NEEDS_LISTENER, ", ".join(dict.fromkeys(reasons))


def apply(complaint: Complaint, read: Normalised) -> None:
    """Write what was read into the fields that no person confirmed, with where it came from."""
    confirmed = frozenset(complaint.confirmed)
    for name, columns in _columns(read).items():
        if not {name, name.partition(".")[0]} & confirmed:
            for column, value in columns.items():
                setattr(complaint, column, value)
    kept = {
        name: sources
        for name, sources in complaint.provenance.items()
        if _field(name) in confirmed or name.partition(".")[0] in confirmed
    }
    found = {
        name: [source.model_dump(mode="json") for source in sources]
        for name, sources in read.provenance.items()
    }
    complaint.provenance = {
        name: sources for name, sources in found.items() if _field(name) not in confirmed
    } | kept


def _field(name: str) -> str:
    """Give the field that a provenance belongs to: `amounts.0` to `amounts`."""
    first, _, rest = name.partition(".")
    return name if first == "subject" and rest else first


def _columns(read: Normalised) -> dict[str, dict[str, Any]]:
    """Give each field's columns; fields are named as in `provenance`."""
    occurred = read.occurred
    return {
        "subject.name": {"subject_name": read.subject.name},
        "subject.unit": {
            "subject_unit": read.subject.unit,
            "subject_unit_code": read.subject.unit_code,
        },
        "subject.post": {"subject_post": read.subject.post},
        "subject.rank": {"subject_rank": read.subject.rank},
        "subject.region": {"subject_region": read.subject.region},
        "domain": {"domain": read.domain},
        "conduct": {"conduct": read.conduct},
        "title": {"title": read.title},
        "description": {"description": read.description},
        "occurred": {
            "occurred_start": occurred.start if occurred else None,
            "occurred_end": occurred.end if occurred else None,
            "occurred_precision": occurred.precision if occurred else "",
            "occurred_text": occurred.text if occurred else "",
        },
        "place": {"place": read.place, "place_code": read.place_code},
        "amounts": {"amounts": [amount.model_dump(mode="json") for amount in read.amounts]},
    }
