"""The audit log: an append-only chain of events, each sealed by a keyed hash over the one before.

Whoever can write to the database but does not hold the key cannot change, drop, add or reorder an
event unseen. Cutting events off the end together with the stored head is seen against a head that
was exported earlier. The scheme follows B. Schneier and J. Kelsey, "Secure Audit Logs to Support
Computer Forensics", ACM TISSEC 2(2), 1999, without its forward-secure keys.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, or_, text
from sqlmodel import Session, col, select

from models import access, division
from models.account import Account, Role
from models.columns import now
from models.complaint import Complaint
from models.errors import Invalid
from models.event import Deployment, Event
from models.keys import Keys

PURPOSE = "audit"
HEAD_PURPOSE = "audit-head"
HEAD_NAME = "audit_head"
# Any constant will do, as long as nothing else in this database locks on it.
ADVISORY_LOCK = 0x58414E4759494E
ROWS_AT_ONCE = 1_000
# Who acts without an account.
REPORTER = "reporter"
SYSTEM = "system"

Detail = str | int | float | bool | None


class Deed(StrEnum):
    """What was done. Every event names one of these."""

    LOOKED = "looked"
    LISTED = "listed"
    IDENTITY_SEEN = "identity_seen"
    ORIGINAL_FETCHED = "original_fetched"
    COPY_PLAYED = "copy_played"
    TRANSCRIPT_READ = "transcript_read"
    EXPORTED = "exported"
    CORRECTED = "corrected"
    TRANSCRIPT_ACCEPTED = "transcript_accepted"
    FIELD_CHANGED = "field_changed"
    FIELD_CONFIRMED = "field_confirmed"
    TRANSLATED = "translated"
    REPEAT_DECIDED = "repeat_decided"
    RETRIED = "retried"
    ATTEMPT_FAILED = "attempt_failed"
    AUDIT_READ = "audit_read"
    LOGGED_OUT = "logged_out"
    STATUS_CHANGED = "status_changed"
    MOVED_UP = "moved_up"
    ASSIGNED = "assigned"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    CONSENTED = "consented"
    SHUT_OUT = "shut_out"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_CHANGED = "account_changed"
    LOGGED_IN = "logged_in"
    LOGIN_FAILED = "login_failed"
    LOCKED_OUT = "locked_out"
    TOKEN_ISSUED = "token_issued"
    TOKEN_REVOKED = "token_revoked"
    CHANNEL_ADDED = "channel_added"
    CHANNEL_CHANGED = "channel_changed"
    PROMPT_RECORDED = "prompt_recorded"
    PROMPT_REMOVED = "prompt_removed"


@dataclass(frozen=True)
class Head:
    """The newest event: enough to tell later that nothing before it was touched."""

    seq: int
    mac: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.mac}"

    @classmethod
    def parse(cls, written: str) -> Head:
        """Read a head as `str` writes it, or raise Invalid."""
        seq, _, mac = written.strip().partition(":")
        if not (seq.isascii() and seq.isdecimal() and len(mac) == 64):
            raise Invalid(
                "审计链首值格式不对，应为“序号:校验值”。",
                "That is no head of an audit log: give it as NUMBER:HASH, as it was exported.",
                code="bad_head",
            )
        return cls(int(seq), mac)


START = Head(0, "")


class Damage(StrEnum):
    """How a chain was broken."""

    CHANGED = "changed"
    MISSING = "missing"
    CUT = "cut"


@dataclass(frozen=True)
class Fault:
    """The first event at which the chain does not hold."""

    seq: int
    damage: Damage


@dataclass(frozen=True)
class Verdict:
    """What a verification found. count : events read; fault : None if the chain holds."""

    count: int
    head: Head
    fault: Fault | None


def append(
    session: Session,
    keys: Keys,
    actor: str,
    deed: str,
    complaint_id: UUID | None = None,
    details: Mapping[str, Detail] | None = None,
) -> Event:
    """Add an event in the session's transaction; it stands or falls with the deed itself.

    details : ids and codes, never content

    Append last in a transaction: from here until the commit every other writer of the log waits.
    """
    session.flush()
    _lock(session)
    last = head(session)
    event = Event(
        seq=last.seq + 1,
        at=now(),
        actor=actor,
        deed=deed,
        complaint_id=complaint_id,
        details=dict(details or {}),
    )
    event.mac = _mac(keys, last.mac, event)
    session.add(event)
    session.flush()
    _remember(session, keys, Head(last.seq + 1, event.mac))
    return event


def head(session: Session) -> Head:
    """Give the newest event's number and hash, or the start of an empty log."""
    last = session.exec(select(Event).order_by(col(Event.seq).desc()).limit(1)).first()
    return START if last is None else Head(last.seq or 0, last.mac)


def verify(session: Session, keys: Keys, exported: Head | None = None) -> Verdict:
    """Follow the chain from its first event, and prove that an exported head is still in it."""
    before, count = START, 0
    rows = session.exec(
        select(Event).order_by(col(Event.seq)).execution_options(yield_per=ROWS_AT_ONCE)
    )
    for event in rows:
        seq = event.seq or 0
        if seq != before.seq + 1:
            return Verdict(count, before, Fault(before.seq + 1, Damage.MISSING))
        if not hmac.compare_digest(_mac(keys, before.mac, event), event.mac):
            return Verdict(count, before, Fault(seq, Damage.CHANGED))
        if exported is not None and exported.seq == seq and exported.mac != event.mac:
            return Verdict(count, before, Fault(seq, Damage.CHANGED))
        before, count = Head(seq, event.mac), count + 1
        session.expunge(event)
    known = session.get(Deployment, HEAD_NAME)
    remembered = START if known is None else _recall(keys, known.value)
    if remembered != before or (exported is not None and exported.seq > before.seq):
        return Verdict(count, before, Fault(before.seq + 1, Damage.CUT))
    return Verdict(count, before, None)


def _lock(session: Session) -> None:
    """Make other transactions that append wait for this one; SQLite's writers already do."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(
            text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK}
        )


def _mac(keys: Keys, before: str, event: Event) -> str:
    """Hash one event together with the hash of the event before it."""
    row = json.dumps(
        [
            event.seq,
            event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            event.actor,
            event.deed,
            str(event.complaint_id or ""),
            event.details,
        ],
        sort_keys=True,
        ensure_ascii=True,
        separators=(",", ":"),
    )
    return keys.digest(PURPOSE, before.encode(), row.encode())


def _remember(session: Session, keys: Keys, newest: Head) -> None:
    """Store the head under a hash of its own, so that a shorter log cannot pass for a whole one."""
    value = f"{newest}:{keys.digest(HEAD_PURPOSE, str(newest).encode())}"
    known = session.get(Deployment, HEAD_NAME, populate_existing=True)
    if known is None:
        session.add(Deployment(name=HEAD_NAME, value=value))
    else:
        known.value = value
    session.flush()


def _recall(keys: Keys, value: str) -> Head | None:
    """Read a stored head; None if its hash was not made under our key."""
    written, _, mac = value.rpartition(":")
    if not hmac.compare_digest(keys.digest(HEAD_PURPOSE, written.encode()), mac):
        return None
    return Head.parse(written)


def recent(
    session: Session,
    *,
    before: int | None = None,
    size: int = 100,
    complaint_id: UUID | None = None,
    actor: str = "",
    deed: str = "",
    since: datetime | None = None,
    within: Sequence[ColumnElement[bool]] = (),
) -> tuple[Event, ...]:
    """List events newest first, those with a number under `before` where it is given."""
    query = select(Event).where(*within).order_by(col(Event.seq).desc()).limit(size)
    if before is not None:
        query = query.where(col(Event.seq) < before)
    if complaint_id is not None:
        query = query.where(Event.complaint_id == complaint_id)
    if actor:
        query = query.where(Event.actor == actor)
    if deed:
        query = query.where(Event.deed == deed)
    if since is not None:
        query = query.where(col(Event.at) >= since)
    return tuple(session.exec(query))


def sight(session: Session, account: Account) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions for the events that an account may read.

    An administrator reads all, since events hold ids and no content. A lead reads what their own
    people did, and nothing about a complaint that does not exist for them.
    """
    if account.role is Role.ADMINISTRATOR:
        return ()
    shared = division.prefix(account.division)
    people = session.exec(select(Account.id).where(col(Account.division).startswith(shared)))
    seen = select(Complaint.id).where(access.visible(account))
    return (
        col(Event.actor).in_([str(one) for one in people]),
        or_(col(Event.complaint_id).is_(None), col(Event.complaint_id).in_(seen)),
    )
