"""Taking a report in: parts are stored first, then the record, then a receipt is given."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from ingest import submission
from ingest.blobs import Blobs
from ingest.part import Part, PartWriter
from ingest.queue import Queue, Stage
from ingest.submission import ClientKey
from models import clocks, division, receipt, reporter
from models.channel import Channel
from models.columns import now
from models.complaint import Complaint, IdentityMode, ReportMedium, Submission
from models.database import writing
from models.errors import (
    Conflict,
    Empty,
    Invalid,
    NotFound,
    Refused,
    TooLarge,
    Unavailable,
)
from models.keys import Keys
from models.medium import Kind, Medium, Purpose
from models.record import Reporter
from models.settings import Limits
from models.status import Status

NAME_CHARACTERS = 200
# A new receipt hits one that is in use, or two clients race with one key: both end in one retry.
ATTEMPTS = 5
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

log = structlog.get_logger()


@dataclass(frozen=True, repr=False)
class About:
    """What a report says of itself.

    channel : code of the QR code or window, "" for the installation's own
    declared_language : what the reporter touched, BCP-47, "und" for another language, or ""
    upward_only : only the level above may hear it
    """

    channel: str = ""
    declared_language: str = ""
    identity_mode: IdentityMode = IdentityMode.ANONYMOUS
    reporter_name: str = ""
    reporter_contact: str = ""
    text: str = ""
    upward_only: bool = False


@dataclass(frozen=True, repr=False)
class Acknowledged:
    """What the reporter takes away. repeated : the same report had been sent before."""

    receipt: str
    complaint_id: UUID
    repeated: bool = False


class Intake:
    """Take reports in. Once a receipt is given, nothing of what it stands for can be lost."""

    def __init__(
        self,
        engine: Engine,
        keys: Keys,
        blobs: Blobs,
        queue: Queue,
        limits: Limits,
        *,
        default_channel: str = "default",
        idempotency_hours: int = 72,
        retention_years: int = 10,
        holidays: clocks.Holidays | None = None,
    ) -> None:
        self.engine = engine
        self.keys = keys
        self.blobs = blobs
        self.queue = queue
        self.limits = limits
        self._default_channel = default_channel
        self._remembered = timedelta(hours=idempotency_hours)
        self._retention_months = 12 * retention_years
        self._holidays = holidays or clocks.load()

    def receive(self, kind: Kind, purpose: Purpose = Purpose.COMPLAINT) -> PartWriter:
        """Open a writer for one file; what it turns out to be is told by its content."""
        return PartWriter(self.blobs, self.keys, self.limits, kind, purpose)

    def discard(self, parts: Sequence[Part]) -> None:
        """Remove parts that no report took."""
        for part in parts:
            self.blobs.delete(part.blob)

    def accept(self, parts: Sequence[Part], about: About, key: str | None = None) -> Acknowledged:
        """Make one report of the parts and give its receipt.

        key : the client's Idempotency-Key; the same report under it gives the same receipt, any
        other raises Conflict. What is refused is removed; where the database fails, it may be
        committed all the same, so parts stay until the sweeper knows.
        """
        try:
            client_key = submission.parse(key) if key is not None else None
            about = self._checked(parts, about)
            acknowledged = self._record(parts, about, client_key)
        except Refused:
            self.discard(parts)
            raise
        if acknowledged.repeated:
            self.discard(parts)
        return acknowledged

    def add(self, complaint_id: UUID, parts: Sequence[Part], text: str = "") -> None:
        """Add what the reporter sends later; what the report holds already is not added twice.

        Raise Conflict once the report was withdrawn.
        """
        try:
            self._check_amount(parts, text)
            with writing(self.engine) as session:
                new = self._added(session, complaint_id, parts, text.strip())
        except Refused:
            self.discard(parts)
            raise
        taken = {medium.original for medium in new}
        self.discard([part for part in parts if part.blob not in taken])
        self._hand_over(new)

    def _checked(self, parts: Sequence[Part], about: About) -> About:
        """Give `about` cleaned of spaces; raise what is wrong with the report as a whole."""
        self._check_amount([p for p in parts if p.purpose is not Purpose.IDENTITY], about.text)
        if len(parts) > self.limits.files:
            raise _too_many_files(self.limits.files)
        named = about.reporter_name.strip() or about.reporter_contact.strip()
        spoken = any(part.purpose is Purpose.IDENTITY for part in parts)
        real = about.identity_mode is IdentityMode.REAL_NAME
        if real != bool(named or spoken):
            raise Invalid(
                "实名举报请留下姓名或联系方式，匿名举报请不要填写。",
                "Give a name or contact with a real-name report, and none with an anonymous one.",
                code="identity_unclear",
            )
        if max(len(about.reporter_name), len(about.reporter_contact)) > NAME_CHARACTERS:
            raise TooLarge(
                f"姓名和联系方式请各不超过 {NAME_CHARACTERS} 字。",
                f"Keep name and contact under {NAME_CHARACTERS} characters each.",
            )
        if about.declared_language and not _TAG.fullmatch(about.declared_language):
            raise Invalid(
                "语言代码不对，例如 zh、ug、ii。",
                "That is no language tag: give one such as zh, ug or ii.",
                code="bad_language",
            )
        return About(
            channel=about.channel.strip() or self._default_channel,
            declared_language=about.declared_language,
            identity_mode=about.identity_mode,
            reporter_name=about.reporter_name.strip(),
            reporter_contact=about.reporter_contact.strip(),
            text=about.text.strip(),
            upward_only=about.upward_only,
        )

    def _check_amount(self, parts: Sequence[Part], text: str) -> None:
        if not parts and not text.strip():
            raise Empty(
                "还没有内容，请录音、拍照或写几句话。",
                "There is nothing in it yet: record, photograph or write something.",
            )
        if len(parts) > self.limits.files:
            raise _too_many_files(self.limits.files)
        if len(text) > self.limits.text_characters:
            raise TooLarge(
                f"文字太长，最多 {self.limits.text_characters} 字。",
                f"The text is too long: at most {self.limits.text_characters} characters.",
            )

    def _record(
        self, parts: Sequence[Part], about: About, client_key: ClientKey | None
    ) -> Acknowledged:
        for _ in range(ATTEMPTS):
            try:
                with writing(self.engine) as session:
                    if client_key is not None:
                        before = self._before(session, parts, about, client_key)
                        if before is not None:
                            return before
                    number = receipt.draw()
                    complaint = self._complaint(session, parts, about, number)
                    new = self._media(complaint, parts, about.text, Purpose.COMPLAINT)
                    session.add(complaint)
                    session.flush()
                    session.add_all(new)
                    if client_key is not None:
                        session.add(self._submission(complaint, parts, about, client_key, number))
            except IntegrityError:
                continue
            self._hand_over(new)
            return Acknowledged(number, complaint.id)
        raise Unavailable(
            "系统繁忙，请稍后再发一次。",
            "The system is busy: please send it again in a moment.",
            code="busy",
        )

    def _before(
        self, session: Session, parts: Sequence[Part], about: About, client_key: ClientKey
    ) -> Acknowledged | None:
        """Find what this key stood for in the last hours; raise Conflict if it was not this."""
        known = session.get(Submission, client_key.digest(self.keys))
        if known is None:
            return None
        if known.created_at < now() - self._remembered:
            session.delete(known)
            session.flush()
            return None
        if not hmac.compare_digest(known.content_digest, self._digest(parts, about)):
            raise Conflict(
                "同一个 Idempotency-Key 已用于另一份内容，请换一个新的。",
                "That Idempotency-Key was used for another report: draw a new one.",
                code="idempotency_key_reused",
            )
        number = client_key.unseal(self.keys, known.receipt_sealed, known.complaint_id.bytes)
        return Acknowledged(number, known.complaint_id, repeated=True)

    def _submission(
        self,
        complaint: Complaint,
        parts: Sequence[Part],
        about: About,
        client_key: ClientKey,
        number: str,
    ) -> Submission:
        return Submission(
            key_digest=client_key.digest(self.keys),
            content_digest=self._digest(parts, about),
            receipt_sealed=client_key.seal(self.keys, number, complaint.id.bytes),
            complaint_id=complaint.id,
        )

    def _digest(self, parts: Sequence[Part], about: About) -> str:
        listed = [(part.kind.value, part.purpose.value, part.content_hash) for part in parts]
        return submission.content_digest(self.keys, about, listed)

    def _complaint(
        self, session: Session, parts: Sequence[Part], about: About, number: str
    ) -> Complaint:
        received = now()
        channel = self._channel(session, about.channel, received)
        holder = channel.jurisdiction
        complaint = Complaint(
            receipt_hash=receipt.digest(self.keys, number),
            medium=_report_medium(parts, about.text),
            channel_code=channel.code,
            jurisdiction=channel.jurisdiction,
            held_by=division.parent(holder) if about.upward_only else holder,
            round=channel.round,
            identity_mode=about.identity_mode,
            declared_language=about.declared_language,
            upward_only=about.upward_only,
            received_at=received,
            due_at=clocks.due(clocks.Clock.ACCEPT, received, self._holidays),
            retention_until=clocks.add_months(received.date(), self._retention_months),
        )
        if about.reporter_name or about.reporter_contact:
            named = Reporter(name=about.reporter_name, contact=about.reporter_contact)
            complaint.reporter_sealed = reporter.seal(self.keys, complaint.id, named)
        return complaint

    def _channel(self, session: Session, code: str, at: datetime) -> Channel:
        channel = session.get(Channel, code)
        today = at.astimezone(clocks.OFFICE).date()
        if channel is None:
            raise Invalid(
                "没有这个渠道，请重新扫码。",
                "There is no such channel: scan the code again.",
                code="unknown_channel",
            )
        if (channel.valid_from and today < channel.valid_from) or (
            channel.valid_until and today > channel.valid_until
        ):
            raise Invalid(
                "这个二维码不在有效期内，请另找一个渠道。",
                "This code is not in use at this time: please use another channel.",
                code="channel_closed",
            )
        return channel

    def _media(
        self,
        complaint: Complaint,
        parts: Sequence[Part],
        text: str,
        purpose: Purpose,
        after: int = 0,
    ) -> list[Medium]:
        """Make the rows of new media, numbered from `after`."""
        at = now()
        rows = [
            Medium(
                id=part.medium_id,
                complaint_id=complaint.id,
                position=after + index,
                kind=part.kind,
                purpose=purpose if part.purpose is Purpose.COMPLAINT else part.purpose,
                content_hash=part.content_hash,
                mime=part.mime,
                size=part.size,
                original=part.blob,
                enqueued_at=at,
            )
            for index, part in enumerate(parts)
        ]
        if text:
            content = text.encode()
            rows.append(
                Medium(
                    complaint_id=complaint.id,
                    position=after + len(rows),
                    kind=Kind.TEXT,
                    purpose=purpose,
                    content_hash=self.keys.digest("content", content),
                    mime="text/plain",
                    size=len(content),
                    original="",
                    text=text,
                    enqueued_at=at,
                )
            )
        return rows

    def _added(
        self, session: Session, complaint_id: UUID, parts: Sequence[Part], text: str
    ) -> list[Medium]:
        complaint = session.get(Complaint, complaint_id, with_for_update=True)
        if complaint is None:
            raise NotFound("找不到这份举报。", "There is no such report.")
        if complaint.status is Status.WITHDRAWN:
            raise Conflict(
                "这份举报已撤回，不能再补充，请另行提交。",
                "This report was withdrawn and takes no additions: please send a new one.",
                code="withdrawn",
            )
        there = session.exec(select(Medium).where(Medium.complaint_id == complaint_id)).all()
        known = {medium.content_hash for medium in there}
        after = max((medium.position for medium in there), default=-1) + 1
        new = [
            medium
            for medium in self._media(complaint, parts, text, Purpose.ADDITION, after)
            if medium.content_hash not in known
        ]
        if not new:
            return []
        session.add_all(new)
        # What was settled before has to be read again together with what came now.
        complaint.settled_at = None
        complaint.version += 1
        session.add(complaint)
        return new

    def _hand_over(self, new: Sequence[Medium]) -> None:
        """Enqueue what was committed. If the queue is away, the sweeper will do it."""
        for medium in new:
            try:
                self.queue.enqueue(Stage.PREPARE, medium.id)
            except Unavailable as error:
                log.warning("not enqueued", medium_id=str(medium.id), code=error.code)
                return


def _report_medium(parts: Sequence[Part], text: str) -> ReportMedium:
    kinds = {part.kind for part in parts if part.purpose is not Purpose.IDENTITY}
    if text:
        kinds.add(Kind.TEXT)
    return ReportMedium(kinds.pop().value) if len(kinds) == 1 else ReportMedium.MIXED


def _too_many_files(most: int) -> TooLarge:
    return TooLarge(
        f"一次最多 {most} 个文件，其余的可以之后补充。",
        f"At most {most} files at a time: you can add the others later.",
        code="too_many_files",
    )
