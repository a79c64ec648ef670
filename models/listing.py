"""Lists of complaints, newest first, page by page: what programs see of them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, Uuid, and_, literal, or_, tuple_
from sqlmodel import Session, col, select

from models import access, dossier
from models.access import Act
from models.account import Account
from models.columns import UtcDateTime, now
from models.complaint import Complaint, ReportMedium
from models.errors import Invalid
from models.masking import Masker
from models.status import CLOSED, Status
from models.transcript import Frozen

PAGE = 50
PAGE_MOST = 200
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


def page(
    session: Session,
    account: Account,
    filters: Filters,
    *,
    after: Cursor | None = None,
    size: int = PAGE,
) -> Page:
    """List what the account sees, newest first, by keyset: a page costs the same wherever it is."""
    access.require(account, Act.READ)
    query = select(Complaint).where(access.visible(account), *_conditions(filters))
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


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
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
        late = and_(col(Complaint.due_at) < now(), col(Complaint.status).not_in(CLOSED))
        found.append(late if filters.overdue else ~late)
    if filters.received_from is not None:
        found.append(col(Complaint.received_at) >= filters.received_from)
    if filters.received_until is not None:
        found.append(col(Complaint.received_at) < filters.received_until)
    return found


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
