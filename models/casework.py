"""What staff do with a complaint: reading it and its media, moving it on, answering.

Every deed takes the session of the transaction that it belongs to, changes the record by its rules
and writes its event into the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from models import access, audit, clocks, division, dossier, jurisdiction, reporter, stored
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.clocks import Clock, Holidays
from models.columns import now
from models.complaint import Complaint, Message
from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.event import Event
from models.keys import Keys
from models.medium import Medium, Purpose
from models.record import Reporter, StandardComplaint, TranscriptRecord
from models.status import BY_MACHINE, CLOSED, REASON_NEEDED, Finding, Status
from models.status import require as require_following
from models.stored import StoredFile
from models.transcript import Transcript

ANSWER_CHARACTERS = 4_000
REASON_CHARACTERS = 500
# A player asks for a recording in many pieces; together they are one listening.
ONE_LISTENING = timedelta(minutes=15)
# What a person must have confirmed before a complaint is accepted.
CONFIRMED_FIRST = ("subject.unit", "domain", "conduct")
# Which clock a status starts; the others keep the one that runs.
_CLOCKS = {
    Status.PASSED_UP: Clock.ACCEPT,
    Status.TRANSFERRED: Clock.ACCEPT,
    Status.ACCEPTED: Clock.TELL,
    Status.CONCLUDED: Clock.FEED_BACK,
    Status.RECTIFYING: Clock.RECTIFY,
}


@dataclass(frozen=True)
class Move:
    """A step to another status. to : division that a transfer goes to; finding : on concluding"""

    following: Status
    reason: str = ""
    finding: Finding | None = None
    to: str = ""


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
        raise stored.no_file()
    details = {"medium": str(medium.id)}
    audit.append(session, keys, str(account.id), Deed.ORIGINAL_FETCHED, complaint_id, details)
    return StoredFile(medium.original, medium.mime, medium.content_hash[:32])


def listening_copy(
    session: Session, keys: Keys, account: Account, complaint_id: UUID, medium_id: UUID
) -> StoredFile:
    """Find the copy that staff hear or see; pieces fetched together are recorded once."""
    access.require(account, Act.READ)
    medium = _medium(session, account, complaint_id, medium_id)
    file = stored.copy_of(medium)
    if file is None:
        raise stored.no_file()
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


def route(session: Session, keys: Keys, complaint: Complaint, *, actor: str = audit.SYSTEM) -> bool:
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
            raise stored.no_file()
    message = Message(complaint_id=complaint.id, by=str(account.id), text=text, medium_id=medium_id)
    session.add(message)
    details = {"message": str(message.id)}
    audit.append(session, keys, str(account.id), Deed.ANSWERED, complaint.id, details)
    return message


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
    complaint.closed_at = now() if complaint.status in CLOSED else None


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
        raise stored.no_file()
    if medium.purpose is Purpose.IDENTITY:
        access.require(account, Act.SEE_IDENTITY)
    return medium


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
