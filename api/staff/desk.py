"""Everything that one complaint's page shows, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from api.staff.session import Seat
from models import audit, dossier, fields, indexed, presence, repeats, review
from models.access import Act
from models.account import Account
from models.channel import Channel
from models.complaint import Complaint
from models.dossier import Dossier
from models.event import Event
from models.medium import Kind, Medium, Purpose
from models.record import Provenance, StandardComplaint
from models.status import BY_MACHINE, FOLLOWING, Status
from models.transcript import Segment, Transcript

DOUBTFUL = 0.6
HISTORY = 60


@dataclass(frozen=True)
class Spoken:
    """One segment with what a reviewer needs to know of it. heard : by them, to its end"""

    number: int
    segment: Segment
    mark: str
    heard: bool


@dataclass(frozen=True)
class Version:
    """One version of a transcript, and who made and accepted it."""

    row: Transcript
    by: str
    accepted_by: str


@dataclass(frozen=True)
class Sound:
    """A recording with its newest transcript. draft : what the reviewer had begun, or None"""

    medium: Medium
    segments: tuple[Spoken, ...]
    versions: tuple[Version, ...]
    heard: tuple[tuple[float, float], ...]
    draft: dict[str, Any] | None
    draft_at: datetime | None

    @property
    def version(self) -> int:
        """Give the newest version, 0 where there is none."""
        return self.versions[-1].row.version if self.versions else 0

    @property
    def accepted(self) -> bool:
        """Tell whether the newest version was accepted."""
        return bool(self.versions) and self.versions[-1].row.accepted_by is not None

    @property
    def doubtful(self) -> int:
        """Count the words that the recogniser was unsure of."""
        return sum(
            word.probability < DOUBTFUL for one in self.segments for word in one.segment.words
        )


@dataclass(frozen=True)
class Line:
    """One line of a photograph. box : left, top, width, height in percent"""

    text: str
    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True)
class Picture:
    """A photograph with what was read from it."""

    medium: Medium
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Typed:
    """A text as it was written, private words hidden."""

    medium: Medium
    text: str


@dataclass(frozen=True)
class Field:
    """One field of the record. written : as a form takes it; sources : where it comes from"""

    name: str
    written: str
    shown: str
    sources: tuple[Provenance, ...]
    confirmed: bool


@dataclass(frozen=True)
class Turn:
    """One turn of the dialogue."""

    who: str
    ours: bool
    text: str
    medium: UUID | None
    playable: bool
    at: datetime


@dataclass(frozen=True)
class Desk:
    """One complaint, as its page shows it."""

    record: StandardComplaint
    complaint: Complaint
    channel: str
    sounds: tuple[Sound, ...]
    pictures: tuple[Picture, ...]
    texts: tuple[Typed, ...]
    fields: tuple[Field, ...]
    turns: tuple[Turn, ...]
    steps: tuple[Status, ...]
    colleagues: tuple[tuple[str, str], ...]
    assignee: str
    proposals: tuple[repeats.Proposal, ...]
    family: tuple[Complaint, ...]
    history: tuple[tuple[Event, str], ...]
    here: tuple[str, ...]
    low: bool


def gather(session: Session, seat: Seat, complaint: Complaint) -> Desk:
    """Read what the page of a complaint shows to this account."""
    account = seat.account
    gathered = dossier.gather(session, complaint)
    names = _names(session, gathered, complaint)
    record = dossier.standard(gathered)
    channel = session.get(Channel, complaint.channel_code)
    media = [m for m in gathered.media if m.purpose in (Purpose.COMPLAINT, Purpose.ADDITION)]
    history = audit.recent(session, complaint_id=complaint.id, size=HISTORY)
    called = _called(session, {event.actor for event in history})
    return Desk(
        record=record,
        complaint=complaint,
        channel=channel.name if channel else complaint.channel_code,
        sounds=tuple(
            sound(session, account, gathered, medium, names)
            for medium in media
            if medium.kind is Kind.VOICE
        ),
        pictures=tuple(_picture(gathered, m) for m in media if m.kind is Kind.IMAGE),
        texts=tuple(Typed(m, gathered.masker.hide(m.text)) for m in media if m.kind is Kind.TEXT),
        fields=tuple(_field(gathered, record, name) for name in fields.NAMES),
        turns=_turns(gathered, names),
        steps=_steps(seat, complaint),
        colleagues=_colleagues(session, seat, complaint),
        assignee=names.get(str(complaint.assignee_id), ""),
        proposals=repeats.of(session, account, complaint.id),
        family=repeats.family(session, account, complaint),
        history=tuple((event, called.get(event.actor, event.actor)) for event in history),
        here=tuple(presence.others(session, complaint.id, account.id)),
        low=indexed.is_low(complaint),
    )


def sound(
    session: Session,
    account: Account,
    gathered: Dossier,
    medium: Medium,
    names: dict[str, str],
) -> Sound:
    """Read one recording: its newest transcript, what was heard of it, what was being written."""
    rows = [row for row in gathered.transcripts if row.medium_id == medium.id]
    segments: Sequence[Segment] = ()
    if rows:
        segments = gathered.masker.hide_segments(medium.id, rows[-1].read_segments())
    heard = review.ranges(session, account.id, medium.id)
    missing = set(review.unheard(segments, heard))
    draft = review.draft_of(session, account, medium.id)
    return Sound(
        medium=medium,
        segments=tuple(
            Spoken(number, one, review.mark_of(one).value, number not in missing)
            for number, one in enumerate(segments)
        ),
        versions=tuple(
            Version(row, names.get(row.by, row.by), names.get(str(row.accepted_by), ""))
            for row in rows
        ),
        heard=heard,
        draft=draft.body if draft is not None else None,
        draft_at=draft.at if draft is not None else None,
    )


def _picture(gathered: Dossier, medium: Medium) -> Picture:
    lines = (medium.page or {}).get("lines", ())
    texts = gathered.masker.hide_across([str(line["text"]) for line in lines])
    made = []
    for text, line in zip(texts, lines, strict=True):
        left, top, right, bottom = (round(100 * float(share), 2) for share in line["box"])
        made.append(Line(text, (left, top, right - left, bottom - top), float(line["score"])))
    return Picture(medium, tuple(made))


def _field(gathered: Dossier, record: StandardComplaint, name: str) -> Field:
    sources = record.provenance.get(name, ())
    if name == "amounts" and not sources:
        sources = tuple(
            one
            for key, found in record.provenance.items()
            if key.startswith("amounts.")
            for one in found
        )
    plain = fields.written(gathered.complaint, name)
    said = gathered.complaint.occurred_text if name == "occurred" else ""
    return Field(
        name=name,
        written=gathered.masker.hide(plain),
        shown=gathered.masker.hide(said),
        sources=tuple(sources),
        confirmed=name in gathered.complaint.confirmed,
    )


def _turns(gathered: Dossier, names: dict[str, str]) -> tuple[Turn, ...]:
    playable = {medium.id for medium in gathered.media if medium.copy_ is not None}
    turns = [
        Turn(
            who=names.get(message.by, ""),
            ours=message.by != "reporter",
            text=gathered.masker.hide(message.text),
            medium=message.medium_id,
            playable=message.medium_id in playable,
            at=message.at,
        )
        for message in gathered.messages
    ]
    told = {message.medium_id for message in gathered.messages}
    added = [
        Turn(
            who="",
            ours=False,
            text=gathered.masker.hide(medium.text),
            medium=medium.id if medium.kind is not Kind.TEXT else None,
            playable=medium.id in playable,
            at=medium.created_at,
        )
        for medium in gathered.media
        if medium.purpose is Purpose.ADDITION and medium.id not in told
    ]
    return tuple(sorted([*turns, *added], key=lambda turn: turn.at))


def _steps(seat: Seat, complaint: Complaint) -> tuple[Status, ...]:
    """List the steps that this account may take a complaint, in the order of the table."""
    possible = []
    for status in Status:
        if status not in FOLLOWING[complaint.status] or status is Status.WITHDRAWN:
            continue
        if complaint.status in BY_MACHINE and status in BY_MACHINE:
            continue
        hands_over = status in (Status.PASSED_UP, Status.TRANSFERRED)
        if seat.may(Act.HAND_OVER if hands_over else Act.DECIDE):
            possible.append(status)
    return tuple(possible)


def _colleagues(session: Session, seat: Seat, complaint: Complaint) -> tuple[tuple[str, str], ...]:
    """List whom a lead may give a complaint to."""
    if not seat.may(Act.ASSIGN):
        return ()
    rows = session.exec(
        select(Account)
        .where(col(Account.disabled).is_(False), Account.division == seat.account.division)
        .order_by(Account.name)
    )
    return tuple(
        (str(one.id), one.name or one.username)
        for one in rows
        if str(one.id) not in complaint.shut_out and one.role.value != "administrator"
    )


def _names(session: Session, gathered: Dossier, complaint: Complaint) -> dict[str, str]:
    ids = {row.by for row in gathered.transcripts} | {m.by for m in gathered.messages}
    ids |= {str(row.accepted_by) for row in gathered.transcripts if row.accepted_by}
    ids |= {str(complaint.assignee_id)} if complaint.assignee_id else set()
    return _called(session, ids)


def _called(session: Session, actors: set[str]) -> dict[str, str]:
    """Name accounts by their ids; what is no id is left out."""
    ids = []
    for actor in actors:
        try:
            ids.append(UUID(actor))
        except ValueError:
            continue
    rows = session.exec(select(Account).where(col(Account.id).in_(ids)))
    return {str(one.id): one.name or one.username for one in rows}
