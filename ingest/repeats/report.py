"""From a stored report to its trace, and the look through all of them after an upgrade."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, insert
from sqlmodel import Session, col, select

from ingest import said as saying
from ingest.repeats import bulk, filed
from ingest.repeats.trace import Entry, Facts, Trace, entry
from ingest.said import Said
from models.complaint import Complaint, Repeat
from models.database import reading, writing
from models.medium import Kind
from models.record import Amount

AT_ONCE = 500


def trace_of(complaint: Complaint, said: Sequence[Said]) -> Trace:
    """Say what is known of a report for finding its repeats; what cannot be trusted is left out."""
    texts = [one.passage.text for one in said if one.trusted and one.passage.text]
    texts += [str(one.get("text", "")) for one in complaint.translations]
    sources: Sequence[Mapping[str, Any]] = complaint.provenance.get("subject.unit") or ({},)
    unit = complaint.subject_unit_code if sources[0].get("by") != "channel" else None
    return Trace(
        id=complaint.id,
        jurisdiction=complaint.jurisdiction,
        text="\n".join(texts),
        facts=Facts(
            unit=unit or "",
            domain=complaint.domain,
            person=complaint.subject_name,
            start=complaint.occurred_start,
            end=complaint.occurred_end,
            amounts=tuple(Amount.model_validate(one) for one in complaint.amounts),
        ),
        recordings=tuple(
            (one.medium.content_hash, one.medium.fingerprint or b"")
            for one in said
            if one.medium.kind is not Kind.TEXT
        ),
    )


def look_through(engine: Engine, tell: Callable[[int], None] = lambda _: None) -> tuple[int, int]:
    """File every settled report and propose among all; give how many reports and new proposals.

    What was proposed or decided before stays. tell : how many reports are filed so far
    """
    entries: list[Entry] = []
    ids = _settled(engine)
    for start in range(0, len(ids), AT_ONCE):
        with writing(engine) as session:
            part = [_trace(session, one) for one in ids[start : start + AT_ONCE]]
            entries += filed.put(session, [entry(one) for one in part])
        tell(len(entries))
    # Nobody may have to wait for the comparison: it is made outside of any transaction.
    proposals = list(bulk.pairs(entries))
    with writing(engine) as session:
        pairs = session.exec(select(Repeat.complaint_id, Repeat.other_id))
        known = {frozenset(pair) for pair in pairs}
        rows = [
            {
                "complaint_id": one.id,
                "other_id": one.other,
                "score": one.score,
                "reasons": filed.told(one),
            }
            for one in proposals
            if frozenset((one.id, one.other)) not in known
        ]
        if rows:
            session.connection().execute(insert(Repeat), rows)
    return len(entries), len(rows)


def _settled(engine: Engine) -> list[UUID]:
    with reading(engine) as session:
        return list(
            session.exec(
                select(Complaint.id)
                .where(col(Complaint.settled_at).is_not(None))
                .order_by(col(Complaint.received_at), col(Complaint.id))
            )
        )


def _trace(session: Session, complaint_id: UUID) -> Trace:
    media = saying.media(session, complaint_id)
    said = [saying.read(medium, saying.newest(session, medium)) for medium in media]
    return trace_of(session.get_one(Complaint, complaint_id), said)
