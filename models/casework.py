"""What is done with complaints: listing and reading them, moving them on, answering, withdrawing.

Every deed takes the session of the transaction that it belongs to, changes the record by its rules
and writes its event into the audit log.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, Uuid, and_, literal, or_, tuple_
from sqlmodel import Session, col, select

from models import access, audit, clocks, division, dossier, jurisdiction, receipt, reporter
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.clocks import Clock, Holidays
from models.columns import UtcDateTime, now
from models.complaint import Complaint, Message, ReportMedium
from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.event import Event
from models.keys import Keys
from models.masking import Masker
from models.medium import Medium, Purpose
from models.record import Reporter, StandardComplaint, TranscriptRecord
from models.status import BY_MACHINE, REASON_NEEDED, Finding, Status
from models.status import require as require_following
from models.transcript import Frozen, Transcript

REPORTER = "reporter"
SYSTEM = "system"
PAGE = 50
PAGE_MOST = 200
ANSWER_CHARACTERS = 4_000
REASON_CHARACTERS = 500
# A player asks for a recording in many pieces; together they are one listening.
ONE_LISTENING = timedelta(minutes=15)
# What a person must have confirmed before a complaint is accepted.
CONFIRMED_FIRST = ("subject.unit", "domain", "conduct")
OPEN = frozenset(Status) - {Status.ARCHIVED, Status.WITHDRAWN}
# Which clock a status starts; the others keep the one that runs.
_CLOCKS = {
    Status.PASSED_UP: Clock.ACCEPT,
    Status.TRANSFERRED: Clock.ACCEPT,
    Status.ACCEPTED: Clock.TELL,
    Status.CONCLUDED: Clock.FEED_BACK,
    Status.RECTIFYING: Clock.RECTIFY,
}


# What lies further away overflows where it is turned into UTC.
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]


class Filters(Frozen):
    """Which complaints to list; what is left empty does not matter. language : with its variants"""

    status: tuple[Status, ...] = Field((), max_length=len(Status))
    channel: str = Field("", max_length=64)
    unit: str = Field("", max_length=64)
    domain: str = Field("", max_length=64)
    conduct: str = Field("", max_length=64)
    language: str = Field("", max_length=35)
    medium: ReportMedium | None = None
    round: str = Field("", max_length=64)
    assignee: UUID | None = None
    overdue: bool | None = None
    received_from: Moment | None = None
    received_until: Moment | None = None


class Summary(Frozen):
    """One row of a list."""

    id: UUID
    received_at: datetime
    due_at: datetime
    medium: ReportMedium
    channel: str
    held_by: str
    round: str
    status: Status
    language: str
    domain: str
    conduct: str
    title: str
    unit: str
    assignee: UUID | None
    version: int


class Page(Frozen):
    """A stretch of a list, newest first. next : cursor of the one after it, None at the end."""

    complaints: tuple[Summary, ...]
    next: str | None


class Answer(Frozen):
    """One thing that the office told the reporter. medium : a spoken answer"""

    text: str
    medium: UUID | None
    at: datetime


class ReporterView(Frozen):
    """All that a receipt shows: the state and what the office answered."""

    status: Status
    received_at: datetime
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: the next page begins after it."""

    received_at: datetime
    id: UUID

    def __str__(self) -> str:
        plain = f"{self.received_at.isoformat()} {self.id}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, written: str) -> Cursor:
        """Read a cursor as `str` writes it, or raise Invalid."""
        try:
            plain = base64.urlsafe_b64decode(written.encode() + b"=" * (-len(written) % 4)).decode()
            at, _, complaint_id = plain.partition(" ")
            received_at = datetime.fromisoformat(at)
            if received_at.tzinfo is None or not EARLIEST <= received_at <= LATEST:
                raise ValueError("no moment that a report came in")
            return cls(received_at, UUID(complaint_id))
        except (ValueError, binascii.Error) as error:
            raise Invalid(
                "翻页位置无效，请从第一页重新开始。",
                "That cursor is not one of ours: start again from the first page.",
                code="bad_cursor",
            ) from error


@dataclass(frozen=True)
class Move:
    """A step to another status. to : division that a transfer goes to; finding : on concluding"""

    following: Status
    reason: str = ""
    finding: Finding | None = None
    to: str = ""


@dataclass(frozen=True)
class StoredFile:
    """What a medium's bytes are in the blob store. etag : changes with the content"""

    blob: str
    mime: str
    etag: str


def listing(
    session: Session,
    account: Account,
    filters: Filters,
    *,
    after: Cursor | None = None,
    size: int = PAGE,
) -> Page:
    """List what the account sees, newest first, by keyset: a page costs the same wherever it is."""
    access.require(account, Act.READ)
    query = select(Complaint).where(access.visible(account), *conditions(filters))
    if after is not None:
        query = query.where(
            tuple_(col(Complaint.received_at), col(Complaint.id))
            < tuple_(literal(after.received_at, UtcDateTime), literal(after.id, Uuid()))
        )
    query = query.order_by(col(Complaint.received_at).desc(), col(Complaint.id).desc())
    rows = session.exec(query.limit(min(size, PAGE_MOST) + 1)).all()
    shown = rows[: min(size, PAGE_MOST)]
    maskers = dossier.maskers(session, shown)
    last = shown[-1] if len(rows) > len(shown) else None
    return Page(
        complaints=tuple(_summary(row, maskers.get(row.id, Masker())) for row in shown),
        next=None if last is None else str(Cursor(last.received_at, last.id)),
    )


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Turn filters into conditions on `Complaint`."""
    equal = {
        Complaint.channel_code: filters.channel,
        Complaint.subject_unit_code: filters.unit,
        Complaint.domain: filters.domain,
        Complaint.conduct: filters.conduct,
        Complaint.round: filters.round,
        Complaint.medium: filters.medium,
        Complaint.assignee_id: filters.assignee,
    }
    found: list[ColumnElement[bool]] = [
        col(column) == value for column, value in equal.items() if value not in ("", None)
    ]
    if filters.status:
        found.append(col(Complaint.status).in_(filters.status))
    if filters.language:
        found.append(
            or_(
                col(Complaint.language) == filters.language,
                col(Complaint.language).startswith(f"{filters.language}-", autoescape=True),
            )
        )
    if filters.overdue is not None:
        late = and_(col(Complaint.due_at) < now(), col(Complaint.status).in_(OPEN))
        found.append(late if filters.overdue else ~late)
    if filters.received_from is not None:
        found.append(col(Complaint.received_at) >= filters.received_from)
    if filters.received_until is not None:
        found.append(col(Complaint.received_at) < filters.received_until)
    return found


def look(
    session: Session, keys: Keys, account: Account, complaint_id: UUID, *, identity: bool = False
) -> StandardComplaint:
    """Give one complaint as the standard record, and remember who looked.

    identity : with who reported and with nothing masked, which needs the permission
    """
    access.require(account, Act.READ)
    complaint = access.find(session, account, complaint_id)
    who = _reporter(keys, account, complaint) if identity else None
    record = dossier.standard(dossier.gather(session, complaint, identity=identity), who)
    deed = Deed.IDENTITY_SEEN if identity else Deed.LOOKED
    audit.append(session, keys, str(account.id), deed, complaint.id)
    return record


def transcript(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    medium_id: UUID,
    *,
    version: int | None = None,
) -> TranscriptRecord:
    """Give a version of a recording's transcript, by default the newest, private spans masked."""
    access.require(account, Act.READ)
    complaint = access.find(session, account, complaint_id)
    gathered = dossier.gather(session, complaint, identity=False)
    versions = [row for row in gathered.transcripts if row.medium_id == medium_id]
    wanted = [row for row in versions if version is None or row.version == version]
    if not wanted:
        raise NotFound(
            "这段录音还没有这一版文字稿。",
            "There is no such version of a transcript for this recording, or not yet.",
            code="no_transcript",
        )
    row: Transcript = wanted[-1]
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.TRANSCRIPT_READ,
        complaint.id,
        {"medium": str(medium_id), "version": row.version},
    )
    return dossier.transcript(row, gathered.masker)


def original(
    session: Session, keys: Keys, account: Account, complaint_id: UUID, medium_id: UUID
) -> StoredFile:
    """Find a medium's untouched original, which needs the permission; each fetch is recorded."""
    access.require(account, Act.FETCH_ORIGINAL)
    medium = _medium(session, account, complaint_id, medium_id)
    if not medium.original:
        raise _no_file()
    details = {"medium": str(medium.id)}
    audit.append(session, keys, str(account.id), Deed.ORIGINAL_FETCHED, complaint_id, details)
    return StoredFile(medium.original, medium.mime, medium.content_hash[:32])


def listening_copy(
    session: Session, keys: Keys, account: Account, complaint_id: UUID, medium_id: UUID
) -> StoredFile:
    """Find the copy that staff hear or see; pieces fetched together are recorded once."""
    access.require(account, Act.READ)
    medium = _medium(session, account, complaint_id, medium_id)
    file = _copy(medium)
    if file is None:
        raise _no_file()
    if not _played_lately(session, account, medium):
        details = {"medium": str(medium.id)}
        audit.append(session, keys, str(account.id), Deed.COPY_PLAYED, complaint_id, details)
    return file


def move(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    version: int,
    step: Move,
    holidays: Holidays | None = None,
) -> Complaint:
    """Take a complaint to another status by the table in `models.status`.

    version : that the person saw; raise Conflict if somebody changed it since
    holidays : by which the next step is due; None: those that ship
    """
    hands_over = step.following in (Status.PASSED_UP, Status.TRANSFERRED)
    access.require(account, Act.HAND_OVER if hands_over else Act.DECIDE)
    complaint = _guarded(session, account, complaint_id, version)
    before, held_by = complaint.status, complaint.held_by
    require_following(before, step.following)
    _require_step(complaint, step)
    complaint.held_by = _receiver(session, complaint, step)
    complaint.status, complaint.status_reason = step.following, step.reason.strip()
    if step.finding is not None:
        complaint.finding = step.finding.value
    if complaint.held_by != held_by:
        complaint.assignee_id = None
    _set_clock(complaint, holidays)
    complaint.version += 1
    session.add(complaint)
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.STATUS_CHANGED,
        complaint.id,
        {
            "from": before.value,
            "to": step.following.value,
            "held_by": complaint.held_by,
            "held_by_before": held_by,
            "version": complaint.version,
        },
    )
    return complaint


def route(session: Session, keys: Keys, complaint: Complaint, *, actor: str = SYSTEM) -> bool:
    """Move a report up at once if whoever holds it may not, and shut out whom it concerns.

    Called whenever what the report says changed. Give whether anything changed; a second call
    changes nothing.
    """
    placing = jurisdiction.place(session, complaint)
    moved = placing.held_by != complaint.held_by
    named = [one for one in placing.shut_out if one not in complaint.shut_out]
    if not (moved or named):
        return False
    before = complaint.held_by
    complaint.held_by, complaint.shut_out = placing.held_by, list(placing.shut_out)
    if moved or str(complaint.assignee_id) in placing.shut_out:
        complaint.assignee_id = None
    complaint.version += 1
    session.add(complaint)
    if named:
        details = {"accounts": " ".join(named)}
        audit.append(session, keys, actor, Deed.SHUT_OUT, complaint.id, details)
    if moved:
        details = {"held_by": complaint.held_by, "held_by_before": before}
        audit.append(session, keys, actor, Deed.MOVED_UP, complaint.id, details)
    return True


def assign(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    version: int,
    assignee_id: UUID | None,
) -> Complaint:
    """Give a complaint to a member of staff who can see it, or to nobody.

    Taking it oneself needs no more than the role that decides; giving it to others is for leads.
    """
    access.require(account, Act.DECIDE if assignee_id == account.id else Act.ASSIGN)
    complaint = _guarded(session, account, complaint_id, version)
    if assignee_id is not None:
        assignee = session.get(Account, assignee_id)
        if assignee is None or assignee.disabled or not _sees(session, assignee, complaint_id):
            raise NotAllowed(
                "这位同事看不到这件举报，请选择别人。",
                "That colleague cannot see this complaint: choose another.",
                code="assignee_cannot_see",
            )
    complaint.assignee_id = assignee_id
    complaint.version += 1
    session.add(complaint)
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.ASSIGNED,
        complaint.id,
        {"assignee": str(assignee_id or ""), "version": complaint.version},
    )
    return complaint


def answer(
    session: Session,
    keys: Keys,
    account: Account,
    complaint_id: UUID,
    text: str = "",
    medium_id: UUID | None = None,
) -> Message:
    """Tell the reporter something, in text or by a recording that is already stored."""
    access.require(account, Act.ANSWER)
    complaint = access.find(session, account, complaint_id, locked=True)
    text = text.strip()
    if not (text or medium_id) or len(text) > ANSWER_CHARACTERS:
        raise Invalid(
            f"答复不能为空，最多 {ANSWER_CHARACTERS} 字。",
            f"An answer needs something in it and at most {ANSWER_CHARACTERS} characters.",
            code="bad_answer",
        )
    if medium_id is not None:
        medium = session.get(Medium, medium_id)
        ours = medium is not None and medium.complaint_id == complaint.id
        if medium is None or not ours or medium.purpose is not Purpose.MESSAGE:
            raise _no_file()
    message = Message(complaint_id=complaint.id, by=str(account.id), text=text, medium_id=medium_id)
    session.add(message)
    details = {"message": str(message.id)}
    audit.append(session, keys, str(account.id), Deed.ANSWERED, complaint.id, details)
    return message


def by_receipt(session: Session, keys: Keys, digits: str) -> Complaint | None:
    """Find the report that a receipt stands for."""
    hashed = receipt.digest(keys, digits)
    return session.exec(select(Complaint).where(Complaint.receipt_hash == hashed)).first()


def reporter_view(session: Session, keys: Keys, digits: str) -> ReporterView | None:
    """Tell a reporter the state and the office's answers; None for a receipt nobody was given.

    Both queries are made in either case, so that a wrong receipt costs what a right one does.
    """
    complaint = by_receipt(session, keys, digits)
    asked = complaint.id if complaint is not None else UUID(int=0)
    rows = session.exec(
        select(Message)
        .where(Message.complaint_id == asked, Message.by != REPORTER)
        .order_by(col(Message.at), col(Message.id))
    ).all()
    answers = tuple(Answer(text=row.text, medium=row.medium_id, at=row.at) for row in rows)
    if complaint is None:
        return None
    return ReporterView(status=complaint.status, received_at=complaint.received_at, answers=answers)


def spoken_answer(session: Session, keys: Keys, digits: str, medium_id: UUID) -> StoredFile | None:
    """Find a recording that the office answered with; None for a receipt nobody was given."""
    complaint = by_receipt(session, keys, digits)
    asked = complaint.id if complaint is not None else UUID(int=0)
    medium = session.exec(
        select(Medium)
        .join(Message, col(Message.medium_id) == Medium.id)
        .where(Message.complaint_id == asked, Message.by != REPORTER, Medium.id == medium_id)
    ).first()
    if complaint is None:
        return None
    file = None if medium is None else _copy(medium)
    if file is None:
        raise _no_file()
    return file


def withdraw(session: Session, keys: Keys, digits: str) -> Complaint:
    """Withdraw a report for whoever holds its receipt, as long as nobody has accepted it."""
    hashed = receipt.digest(keys, digits)
    complaint = session.exec(
        select(Complaint)
        .where(Complaint.receipt_hash == hashed)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if complaint is None:
        raise unknown_receipt()
    require_following(complaint.status, Status.WITHDRAWN)
    complaint.status, complaint.status_reason = Status.WITHDRAWN, ""
    complaint.closed_at = now()
    complaint.version += 1
    session.add(complaint)
    audit.append(session, keys, REPORTER, Deed.WITHDRAWN, complaint.id)
    return complaint


def unknown_receipt() -> NotFound:
    """Make the error for a receipt that nobody was given."""
    return NotFound(
        "没有找到这个回执号，请对照再输一次。",
        "That receipt number is not known: please compare it and enter it again.",
        code="unknown_receipt",
    )


def _guarded(session: Session, account: Account, complaint_id: UUID, version: int) -> Complaint:
    complaint = access.find(session, account, complaint_id, locked=True)
    if complaint.version != version:
        raise Conflict(
            "别人刚刚改动了这件举报，请刷新后再操作。",
            "Somebody changed this complaint meanwhile: reload it and do it again.",
            code="changed_meanwhile",
        )
    return complaint


def _require_step(complaint: Complaint, step: Move) -> None:
    """Raise what a step lacks, beyond being in the table."""
    if step.following is Status.WITHDRAWN or (
        complaint.status in BY_MACHINE and step.following in BY_MACHINE
    ):
        raise NotAllowed(
            "这一步由举报人或系统完成，工作人员不能代办。",
            "That step is the reporter's or the machine's, not the staff's.",
            code="not_a_staff_step",
        )
    reopened = complaint.status is Status.ARCHIVED
    missing = (step.following in REASON_NEEDED or reopened) and not step.reason.strip()
    if missing or len(step.reason) > REASON_CHARACTERS:
        raise Invalid(
            f"请写明理由，最多 {REASON_CHARACTERS} 字。",
            f"Say why, in at most {REASON_CHARACTERS} characters.",
            code="reason_needed",
        )
    if step.following is Status.CONCLUDED and step.finding is None:
        raise Invalid(
            "请选择核查结论。", "Choose what the verification found.", code="finding_needed"
        )
    if step.following is Status.ACCEPTED and complaint.status is Status.IN_REVIEW:
        _require_confirmed(complaint)


def _require_confirmed(complaint: Complaint) -> None:
    values = (complaint.subject_unit, complaint.domain, complaint.conduct)
    if not all(values) or not set(CONFIRMED_FIRST) <= set(complaint.confirmed):
        raise Conflict(
            "受理前请先确认被反映单位（可填“unknown”）、领域和行为。",
            "Confirm the unit (or “unknown”), the domain and the conduct before accepting.",
            code="not_confirmed",
        )


def _receiver(session: Session, complaint: Complaint, step: Move) -> str:
    """Tell which body holds the complaint after a step."""
    if step.following is Status.PASSED_UP:
        if complaint.held_by == division.NATION:
            raise Conflict(
                "已经是最高一级，不能再上报。",
                "There is no level above this one to pass it to.",
                code="no_level_above",
            )
        above = complaint.model_copy(update={"held_by": division.parent(complaint.held_by)})
        return jurisdiction.place(session, above).held_by
    if step.following is Status.TRANSFERRED:
        jurisdiction.require_may_hold(session, complaint, step.to)
        return step.to
    if complaint.status is Status.TRANSFERRED and step.following is Status.IN_REVIEW:
        return _sender(session, complaint)
    return complaint.held_by


def _sender(session: Session, complaint: Complaint) -> str:
    """Tell who transferred a complaint here, to send it back to them."""
    changes = session.exec(
        select(Event)
        .where(Event.complaint_id == complaint.id, Event.deed == Deed.STATUS_CHANGED)
        .order_by(col(Event.seq).desc())
    )
    for event in changes:
        if event.details.get("to") == Status.TRANSFERRED.value:
            return str(event.details["held_by_before"])
    return complaint.held_by


def _set_clock(complaint: Complaint, holidays: Holidays | None) -> None:
    clock = _CLOCKS.get(complaint.status)
    if clock is not None:
        complaint.due_at = clocks.due(clock, now(), holidays)
    closed = complaint.status in (Status.ARCHIVED, Status.WITHDRAWN)
    complaint.closed_at = now() if closed else None


def _sees(session: Session, account: Account, complaint_id: UUID) -> bool:
    query = select(Complaint.id).where(Complaint.id == complaint_id, access.visible(account))
    return session.exec(query).first() is not None


def _reporter(keys: Keys, account: Account, complaint: Complaint) -> Reporter | None:
    access.require(account, Act.SEE_IDENTITY)
    if complaint.reporter_sealed is None:
        return None
    return reporter.unseal(keys, complaint.id, complaint.reporter_sealed)


def _medium(session: Session, account: Account, complaint_id: UUID, medium_id: UUID) -> Medium:
    complaint = access.find(session, account, complaint_id)
    medium = session.get(Medium, medium_id)
    if medium is None or medium.complaint_id != complaint.id:
        raise _no_file()
    if medium.purpose is Purpose.IDENTITY:
        access.require(account, Act.SEE_IDENTITY)
    return medium


def _copy(medium: Medium) -> StoredFile | None:
    if medium.copy_ is None or medium.copy_mime is None:
        return None
    return StoredFile(medium.copy_, medium.copy_mime, f"{medium.content_hash[:31]}c")


def _played_lately(session: Session, account: Account, medium: Medium) -> bool:
    plays = session.exec(
        select(Event).where(
            Event.complaint_id == medium.complaint_id,
            Event.deed == Deed.COPY_PLAYED,
            Event.actor == str(account.id),
            col(Event.at) > now() - ONE_LISTENING,
        )
    )
    return any(event.details.get("medium") == str(medium.id) for event in plays)


def _no_file() -> NotFound:
    return NotFound(
        "没有这个文件，或者还没有处理好。",
        "There is no such file, or it is not prepared yet.",
        code="no_file",
    )


def _summary(row: Complaint, masker: Masker) -> Summary:
    return Summary(
        id=row.id,
        received_at=row.received_at,
        due_at=row.due_at,
        medium=row.medium,
        channel=row.channel_code,
        held_by=row.held_by,
        round=row.round,
        status=row.status,
        language=row.language,
        domain=row.domain,
        conduct=row.conduct,
        title=masker.hide(row.title),
        unit=masker.hide(row.subject_unit),
        assignee=row.assignee_id,
        version=row.version,
    )
