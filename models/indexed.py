"""What the search index holds of a complaint: what it is filtered by, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from models import clocks, division, masking, terms
from models.complaint import Complaint
from models.medium import Medium, Purpose
from models.status import CLOSED
from models.transcript import Transcript

LOW = 0.7
# When something is due is told by the day and by ever longer stretches of days, up to 256.
DUE_LEVELS = range(9)
# What PostgreSQL keeps of one tsvector.
_POSITIONS = 14_000


def read(session: Session, complaints: Sequence[Complaint]) -> dict[UUID, str]:
    """Write the terms of complaints, by their ids: filters first, then words."""
    ids = [complaint.id for complaint in complaints]
    media: dict[UUID, list[Medium]] = {one: [] for one in ids}
    for medium in session.exec(
        select(Medium)
        .where(col(Medium.complaint_id).in_(ids), col(Medium.purpose) != Purpose.IDENTITY)
        .order_by(col(Medium.id))
    ):
        media[medium.complaint_id].append(medium)
    transcripts: dict[UUID, list[Transcript]] = {one: [] for one in ids}
    whose = {medium.id: medium.complaint_id for own in media.values() for medium in own}
    for transcript in session.exec(select(Transcript).where(col(Transcript.medium_id).in_(whose))):
        transcripts[whose[transcript.medium_id]].append(transcript)
    return {
        complaint.id: _read(complaint, media[complaint.id], transcripts[complaint.id])
        for complaint in complaints
    }


def _read(complaint: Complaint, media: Sequence[Medium], transcripts: Sequence[Transcript]) -> str:
    newest: dict[UUID, Transcript] = {}
    for transcript in sorted(transcripts, key=lambda one: one.version):
        newest[transcript.medium_id] = transcript
    masker = masking.read(complaint.masks, media, transcripts)
    texts = [
        complaint.title,
        complaint.description,
        complaint.subject_name,
        complaint.subject_unit,
        complaint.subject_post,
        complaint.place,
        *(str(one.get("text", "")) for one in complaint.translations),
    ]
    for medium in media:
        read = newest.get(medium.id)
        texts.append(masking.passage_text(medium, read))
        if read is not None:
            texts.append(" ".join(segment.tidy for segment in read.read_segments()))
    return written(complaint, [masker.hide(one) for one in dict.fromkeys(texts) if one])


def written(complaint: Complaint, texts: Sequence[str]) -> str:
    """Write what the index holds for a complaint with these texts."""
    words: list[str] = []
    heads: set[str] = set()
    for one in texts:
        said, begun = terms.read(one)
        heads |= begun
        words += said
        words.append("_")  # no phrase reaches from one text into the next
    return " ".join([*tags(complaint), *sorted(heads), *words[:_POSITIONS]])


def tags(complaint: Complaint) -> list[str]:
    """Give the terms of everything that a complaint can be filtered or shown by."""
    shared = division.prefix(complaint.held_by)
    found = [
        "_all",
        terms.tag("s", complaint.status.value),
        terms.tag("c", complaint.channel_code),
        terms.tag("u", complaint.subject_unit_code or complaint.subject_unit),
        terms.tag("uc", complaint.subject_unit_code or ""),
        terms.tag("d", complaint.domain),
        terms.tag("k", complaint.conduct),
        terms.tag("m", complaint.medium.value),
        terms.tag("r", complaint.round),
        terms.tag("a", complaint.assignee_id or ""),
        *(terms.tag("h", shared[:end]) for end in range(2, len(shared) + 1, 2)),
        *(terms.tag("x", account) for account in complaint.shut_out),
    ]
    if complaint.status not in CLOSED:
        day = clocks.midnight(complaint.due_at).toordinal()
        found += ["_open", *(_due(level, day) for level in DUE_LEVELS)]
    if is_low(complaint):
        found.append("_low")
    if complaint.upward_only:
        found.append(terms.tag("up", complaint.jurisdiction))
    heard = {complaint.language, *(str(one.get("tag", "")) for one in complaint.languages)}
    for language in heard:
        parts = language.split("-")
        found += [terms.tag("l", "-".join(parts[: n + 1])) for n in range(len(parts))]
    if complaint.declared_language:
        found.append(terms.tag("ld", complaint.declared_language))
    return list(dict.fromkeys(found))


def is_low(complaint: Complaint) -> bool:
    """Tell whether the machine was unsure of the language, the domain or the conduct."""
    languages = [float(one.get("confidence", 0)) for one in complaint.languages]
    sources = complaint.provenance
    fields = [
        float(source.get("confidence", 0))
        for name in ("domain", "conduct")
        for source in sources.get(name, ())
    ]
    return any(confidence < LOW for confidence in [*languages, *fields])


def due_from(moment: datetime) -> tuple[str, ...]:
    """Give the terms of what is due on a moment's day or later; no clock runs for a year."""
    here, found = clocks.midnight(moment).toordinal(), []
    for _ in range(len(DUE_LEVELS) + 2):
        level = max(one for one in DUE_LEVELS if here % (1 << one) == 0)
        found.append(_due(level, here))
        here += 1 << level
    return tuple(found)


def _due(level: int, day: int) -> str:
    """Give the term of the 2 ** level days that a day lies in: few terms then say "from then"."""
    return terms.tag("due", f"{level}x{day >> level}")
