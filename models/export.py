"""Lists of complaints as files: CSV, XLSX or JSON, made in the background and kept for a day."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import xlsxwriter
from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

from models import access, audit, dossier, search
from models.access import Act
from models.account import Account
from models.audit import Deed
from models.clocks import OFFICE
from models.codes import Codes
from models.columns import UtcDateTime, enum_column, now, uuid7
from models.complaint import Complaint
from models.errors import Conflict, NotFound
from models.keys import Keys
from models.search import Query

KEPT = timedelta(hours=24)
ROWS_AT_ONCE = 200
ROWS_MOST = 200_000
WAITING_MOST = 3
# What a spreadsheet takes for the beginning of a formula, also behind spaces or a quote.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
CELL_CHARACTERS = 32_000


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


class State(StrEnum):
    """How far an export is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


MIMES = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.JSON: "application/json",
}


class Export(SQLModel, table=True):
    """One list that an account asked for. query : of `models.search`; done, total : rows"""

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    form: Form = Field(sa_column=enum_column(Form))
    query: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: State = Field(default=State.WAITING, sa_column=enum_column(State))
    done: int = 0
    total: int = 0
    blob: str = ""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


COLUMNS: tuple[tuple[str, Callable[[Complaint], Any]], ...] = (
    ("id", lambda c: str(c.id)),
    ("received_at", lambda c: local(c.received_at)),
    ("due_at", lambda c: local(c.due_at)),
    ("status", lambda c: c.status.value),
    ("medium", lambda c: c.medium.value),
    ("channel", lambda c: c.channel_code),
    ("jurisdiction", lambda c: c.jurisdiction),
    ("held_by", lambda c: c.held_by),
    ("language", lambda c: c.language),
    ("subject_unit", lambda c: c.subject_unit),
    ("subject_name", lambda c: c.subject_name),
    ("subject_post", lambda c: c.subject_post),
    ("domain", lambda c: c.domain),
    ("conduct", lambda c: c.conduct),
    ("title", lambda c: c.title),
    ("description", lambda c: c.description),
    ("occurred_start", lambda c: str(c.occurred_start or "")),
    ("occurred_end", lambda c: str(c.occurred_end or "")),
    ("place", lambda c: c.place),
    ("amounts", lambda c: "; ".join(f"{a['value']:g} {a['unit']}" for a in c.amounts)),
    ("duplicate_of", lambda c: str(c.duplicate_of or "")),
)


def ask(session: Session, keys: Keys, account: Account, form: Form, query: Query) -> Export:
    """Put an export on the list of work; raise Conflict if too many wait already."""
    access.require(account, Act.EXPORT)
    pending = session.exec(
        select(Export).where(
            Export.account_id == account.id,
            col(Export.state).in_([State.WAITING, State.RUNNING]),
        )
    ).all()
    if len(pending) >= WAITING_MOST:
        raise Conflict(
            "您已有导出正在进行，请等它完成。",
            "Your exports are still being made: wait for them.",
            code="exports_pending",
        )
    export = Export(account_id=account.id, form=form, query=_plain(query))
    session.add(export)
    audit.append(
        session,
        keys,
        str(account.id),
        Deed.EXPORTED,
        details={"export": str(export.id), "form": form.value},
    )
    return export


def of(session: Session, account: Account) -> Sequence[Export]:
    """List an account's exports that are still kept, newest first."""
    return session.exec(
        select(Export)
        .where(Export.account_id == account.id, col(Export.created_at) > now() - KEPT)
        .order_by(col(Export.created_at).desc())
    ).all()


def expired(session: Session) -> Sequence[Export]:
    """List the exports that were kept long enough."""
    return session.exec(select(Export).where(col(Export.created_at) <= now() - KEPT)).all()


def find(session: Session, account: Account, export_id: UUID) -> Export:
    """Give one of the account's own exports, or raise NotFound."""
    access.require(account, Act.EXPORT)
    export = session.get(Export, export_id)
    if export is None or export.account_id != account.id or export.created_at <= now() - KEPT:
        raise NotFound(
            "没有这个导出，可能已过期，请重新导出。",
            "There is no such export, or it is over a day old: make it again.",
            code="no_export",
        )
    return export


def rows(session: Session, account: Account, query: Query) -> Iterator[list[str]]:
    """Give the rows of an export, private spans hidden, a page at a time."""
    before: int | None = None
    given = 0
    while given < ROWS_MOST:
        page = search.find(session, account, query, before=before, size=ROWS_AT_ONCE)
        maskers = dossier.maskers(session, page.complaints)
        for complaint in page.complaints:
            masker = maskers.get(complaint.id)
            values = [str(read(complaint)) for _, read in COLUMNS]
            yield [masker.hide(value) for value in values] if masker else values
        given += len(page.complaints)
        session.expunge_all()
        session.add(account)
        if page.following is None:
            return
        before = page.following


def write(
    form: Form,
    target: Path,
    table: Iterator[list[str]],
    codes: Codes,
    progress: Callable[[int], None],
) -> int:
    """Write a list into a file and give its number of rows."""
    named = _counted(_named(table, codes), progress)
    if form is Form.CSV:
        # The mark at the beginning tells spreadsheets that this is UTF-8.
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            return write_csv(file, named)
    if form is Form.XLSX:
        return _write_xlsx(target, named)
    with target.open("w", encoding="utf-8") as file:
        return _write_json(file, named)


def write_csv(file: IO[str], table: Iterator[list[str]]) -> int:
    """Write CSV in which no cell is taken for a formula."""
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(headings())
    count = 0
    for count, row in enumerate(table, start=1):  # noqa: B007  counted
        writer.writerow([harmless(value) for value in row])
    return count


def harmless(value: str) -> str:
    """Put an apostrophe before what a spreadsheet would run (CWE-1236), and drop control signs."""
    kept = "".join(c for c in value if c in "\n\t" or ord(c) >= 32)[:CELL_CHARACTERS]
    return (
        f"'{kept}"
        if kept.lstrip(" \n\t\"'").startswith(_FORMULA) or (kept.startswith(_FORMULA))
        else kept
    )


def headings() -> list[str]:
    """Give the names of the columns, codes followed by their names."""
    return [name for name, _ in COLUMNS] + ["domain_name", "conduct_name"]


def local(moment: datetime) -> str:
    """Write a moment in the office's time."""
    return moment.astimezone(OFFICE).isoformat(timespec="seconds")


def query_of(export: Export) -> Query:
    """Read the query that an export keeps."""
    read: dict[str, Any] = {}
    for name, value in export.query.items():
        if name in ("since", "until", "overdue_at"):
            read[name] = None if value is None else datetime.fromisoformat(value)
        else:
            read[name] = tuple(value) if isinstance(value, list) else value
    return Query(**read)


def _plain(query: Query) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in asdict(query).items():
        written[name] = value.isoformat() if isinstance(value, datetime) else value
    return json.loads(json.dumps(written))  # type: ignore[no-any-return]


def _named(table: Iterator[list[str]], codes: Codes) -> Iterator[list[str]]:
    places = [name for name, _ in COLUMNS]
    domain, conduct = places.index("domain"), places.index("conduct")
    for row in table:
        names = codes.domain.get(row[domain]), codes.conduct.get(row[conduct])
        yield [*row, *(name.zh if name else "" for name in names)]


def _counted(table: Iterator[list[str]], progress: Callable[[int], None]) -> Iterator[list[str]]:
    for count, row in enumerate(table, start=1):
        if count % ROWS_AT_ONCE == 0:
            progress(count)
        yield row


def _write_xlsx(target: Path, table: Iterator[list[str]]) -> int:
    # Rows go to a temporary file as they come; a string is a string, never a formula or an address.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(target.parent),
    }
    book = xlsxwriter.Workbook(str(target), options)
    sheet = book.add_worksheet("complaints")
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(headings()):
        sheet.write_string(0, place, name)
    count = 0
    for count, row in enumerate(table, start=1):
        for place, value in enumerate(row):
            sheet.write_string(count, place, value[:CELL_CHARACTERS])
    book.close()
    return count


def _write_json(file: IO[str], table: Iterator[list[str]]) -> int:
    names = headings()
    count = 0
    file.write("[")
    for count, row in enumerate(table, start=1):
        file.write(",\n" if count > 1 else "\n")
        json.dump(dict(zip(names, row, strict=True)), file, ensure_ascii=False)
    file.write("\n]\n")
    return count


def as_csv(table: Iterator[list[str]]) -> str:
    """Write CSV as a text, for one complaint."""
    written = io.StringIO()
    write_csv(written, table)
    return written.getvalue()


def one_as_csv(session: Session, complaint: Complaint, codes: Codes) -> str:
    """Write one complaint as CSV, its private spans hidden."""
    masker = dossier.gather(session, complaint).masker
    values = [masker.hide(str(read(complaint))) for _, read in COLUMNS]
    return as_csv(_named(iter([values]), codes))
