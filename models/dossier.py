"""The whole of one complaint, read from its tables and written as the standard complaint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from models import masking
from models.complaint import Complaint, Message
from models.masking import Masker
from models.medium import Medium, Purpose
from models.record import (
    Amount,
    MediumRecord,
    MessageRecord,
    Occurred,
    Provenance,
    Reporter,
    StandardComplaint,
    Subject,
    TranscriptRecord,
    Translation,
)
from models.transcript import Language, ListenerReason, Transcript

DESCRIPTION_CHARACTERS = 4_000
TITLE_CHARACTERS = 60


@dataclass(frozen=True)
class Dossier:
    """The rows of one complaint. masker : hides its private spans; one without spans hides none."""

    complaint: Complaint
    media: tuple[Medium, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    messages: tuple[Message, ...] = ()
    masker: Masker = field(default_factory=Masker)


def gather(session: Session, complaint: Complaint, *, identity: bool = False) -> Dossier:
    """Read what hangs on a complaint.

    identity : the reader may know who reported: spoken names are there and nothing is masked
    """
    every = _media(session, [complaint.id])
    transcripts = _transcripts(session, every)
    media = tuple(m for m in every if identity or m.purpose is not Purpose.IDENTITY)
    shown = {medium.id for medium in media}
    messages = session.exec(
        select(Message)
        .where(Message.complaint_id == complaint.id)
        .order_by(col(Message.at), col(Message.id))
    ).all()
    return Dossier(
        complaint,
        media,
        tuple(t for t in transcripts if t.medium_id in shown),
        tuple(messages),
        Masker() if identity else masking.read(complaint.masks, every, transcripts),
    )


def maskers(session: Session, complaints: Sequence[Complaint]) -> dict[UUID, Masker]:
    """Make the maskers of several complaints with two queries."""
    masked = [complaint for complaint in complaints if complaint.masks]
    if not masked:
        return {}
    media = _media(session, [complaint.id for complaint in masked])
    transcripts = _transcripts(session, media)
    return {
        complaint.id: masking.read(
            complaint.masks, [m for m in media if m.complaint_id == complaint.id], transcripts
        )
        for complaint in masked
    }


def standard(dossier: Dossier, reporter: Reporter | None = None) -> StandardComplaint:
    """Write the standard complaint. reporter : only for whoever may see it."""
    complaint, hide = dossier.complaint, dossier.masker.hide
    return StandardComplaint(
        id=complaint.id,
        medium=complaint.medium.value,
        channel=complaint.channel_code,
        jurisdiction=complaint.jurisdiction,
        round=complaint.round,
        identity_mode=complaint.identity_mode.value,
        reporter=reporter,
        subject=_subject(dossier),
        domain=complaint.domain,
        conduct=complaint.conduct,
        title=hide(complaint.title)[:TITLE_CHARACTERS],
        description=hide(complaint.description)[:DESCRIPTION_CHARACTERS],
        occurred=_occurred(dossier),
        place=hide(complaint.place),
        place_code=complaint.place_code,
        amounts=tuple(
            _hidden(Amount.model_validate(amount), dossier.masker) for amount in complaint.amounts
        ),
        media=tuple(_medium(medium) for medium in dossier.media),
        languages=tuple(Language.model_validate(one) for one in complaint.languages),
        declared_language=complaint.declared_language,
        transcripts=tuple(transcript(one, dossier.masker) for one in dossier.transcripts),
        translations=tuple(
            _hidden(Translation.model_validate(one), dossier.masker)
            for one in complaint.translations
        ),
        provenance=_provenance(dossier),
        status=complaint.status.value,
        status_reason=complaint.status_reason,
        assignee=complaint.assignee_id,
        version=complaint.version,
        messages=tuple(_message(message, dossier.masker) for message in dossier.messages),
        training_consent=complaint.training_consent,
        upward_only=complaint.upward_only,
        duplicate_of=complaint.duplicate_of,
        received_at=complaint.received_at,
        due_at=complaint.due_at,
        closed_at=complaint.closed_at,
        retention_until=complaint.retention_until,
    )


def transcript(row: Transcript, masker: Masker) -> TranscriptRecord:
    """Write one version of a transcript, its private spans hidden."""
    return TranscriptRecord(
        medium=row.medium_id,
        version=row.version,
        segments=masker.hide_segments(row.medium_id, row.read_segments()),
        by=row.by,
        model=row.model,
        settings=row.settings,
        created=row.created_at,
        accepted_by=row.accepted_by,
    )


def _media(session: Session, complaint_ids: Sequence[UUID]) -> tuple[Medium, ...]:
    query = select(Medium).where(col(Medium.complaint_id).in_(complaint_ids))
    return tuple(session.exec(query.order_by(col(Medium.position), col(Medium.id))))


def _transcripts(session: Session, media: Sequence[Medium]) -> tuple[Transcript, ...]:
    query = select(Transcript).where(col(Transcript.medium_id).in_([m.id for m in media]))
    rows = session.exec(query.order_by(col(Transcript.version)))
    order = {medium.id: place for place, medium in enumerate(media)}
    return tuple(sorted(rows, key=lambda row: (order[row.medium_id], row.version)))


def _subject(dossier: Dossier) -> Subject:
    complaint, hide = dossier.complaint, dossier.masker.hide
    return Subject(
        name=hide(complaint.subject_name),
        unit=hide(complaint.subject_unit),
        unit_code=complaint.subject_unit_code,
        post=complaint.subject_post,
        rank=complaint.subject_rank,
        region=complaint.subject_region,
    )


def _occurred(dossier: Dossier) -> Occurred | None:
    complaint = dossier.complaint
    if complaint.occurred_start is None or complaint.occurred_end is None:
        return None
    return Occurred.model_validate(
        {
            "start": complaint.occurred_start,
            "end": complaint.occurred_end,
            "precision": complaint.occurred_precision or "range",
            "text": dossier.masker.hide(complaint.occurred_text),
        }
    )


def _medium(medium: Medium) -> MediumRecord:
    return MediumRecord(
        id=medium.id,
        kind=medium.kind.value,
        purpose=medium.purpose.value,
        content_hash=medium.content_hash,
        mime=medium.mime,
        size=medium.size,
        seconds=medium.seconds,
        state=medium.state.value,
        reason=ListenerReason(medium.reason) if medium.reason else None,
        truncated=medium.truncated,
        copy_mime=medium.copy_mime,
        has_peaks=medium.peaks is not None,
    )


def _provenance(dossier: Dossier) -> dict[str, tuple[Provenance, ...]]:
    return {
        name: tuple(_hidden(Provenance.model_validate(one), dossier.masker) for one in sources)
        for name, sources in dossier.complaint.provenance.items()
    }


def _message(message: Message, masker: Masker) -> MessageRecord:
    return MessageRecord(
        sender=message.by,
        text=masker.hide(message.text),
        medium=message.medium_id,
        at=message.at,
    )


def _hidden(record: Any, masker: Masker) -> Any:
    """Hide private spans in the `text` of a record."""
    return record.model_copy(update={"text": masker.hide(record.text)})
