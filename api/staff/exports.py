"""Lists as files, made in the background with progress."""

from __future__ import annotations

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import StreamingResponse

from api.house import House
from api.staff import inbox, pages
from api.staff.pages import StaffRoute
from api.staff.session import At, Here
from models import access, export, search
from models.access import Act
from models.account import Account
from models.columns import now
from models.database import reading, writing
from models.export import Export, State
from models.export import Form as ExportForm

router = APIRouter(prefix="/staff/exports", route_class=StaffRoute, include_in_schema=False)
PIECE = 64 * 1024
log = structlog.get_logger("xiangyin.exports")
# One at a time: an export reads the whole of a list, and people wait for pages meanwhile.
_WORK = ThreadPoolExecutor(1, thread_name_prefix="export")
_BEGUN: set[UUID] = set()
_LOCK = threading.Lock()


@router.get("")
def show(request: Request, at: At, here: Here) -> Response:
    """Show one's exports and how far they are."""
    access.require(here.account, Act.EXPORT)
    wanted = inbox.of_request(request)
    with reading(at.engine) as session:
        made = export.of(session, here.account)
        total = search.count(session, here.account, inbox.query_of(here, wanted))
    for one in made:
        if one.state is not State.DONE:
            begin(at, one.id)
    pending = any(one.state in (State.WAITING, State.RUNNING) for one in made)
    template = "exports_list.html" if pages.is_fragment(request) else "exports.html"
    return pages.render(
        request,
        template,
        here,
        exports=made,
        pending=pending,
        asked=wanted,
        total=total,
        forms=tuple(ExportForm),
        tail=wanted.address().partition("?")[2],
    )


@router.post("")
def ask(
    request: Request,
    at: At,
    here: Here,
    form: Annotated[ExportForm, Form()],
) -> Response:
    """Ask for the list that the address names."""
    wanted = inbox.of_request(request)
    with writing(at.engine) as session:
        made = export.ask(session, at.keys, here.account, form, inbox.query_of(here, wanted))
    begin(at, made.id)
    return pages.back(request, f"/staff/exports?{wanted.address().partition('?')[2]}".rstrip("?"))


@router.get("/{export_id}/file")
def fetch(at: At, here: Here, export_id: UUID) -> Response:
    """Give a finished export to whom it belongs."""
    with reading(at.engine) as session:
        made = export.find(session, here.account, export_id)
    name = f"xiangyin-{made.created_at:%Y%m%d-%H%M}.{made.form.value}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(at.blobs.size(made.blob)),
    }
    return StreamingResponse(at.blobs.read(made.blob), 200, headers, export.MIMES[made.form])


def begin(at: House, export_id: UUID) -> None:
    """Have an export made unless it is being made; also one that a restart interrupted."""
    with _LOCK:
        if export_id in _BEGUN:
            return
        _BEGUN.add(export_id)
    _WORK.submit(make, at, export_id)


def make(at: House, export_id: UUID) -> None:
    """Make an export, and say so in its row whatever comes of it."""
    try:
        _make(at, export_id)
    except Exception as error:
        log.error("export failed", export_id=str(export_id), error=type(error).__name__)
        _note(at, export_id, state=State.FAILED)


def tidy(at: House) -> None:
    """Forget the exports that were kept for their day."""
    with writing(at.engine) as session:
        for old in export.expired(session):
            if old.blob:
                at.blobs.delete(old.blob)
            session.delete(old)


def _make(at: House, export_id: UUID) -> None:
    tidy(at)
    with reading(at.engine) as session:
        made = session.get_one(Export, export_id)
        account = session.get_one(Account, made.account_id)
        query = export.query_of(made)
        total = search.count(session, account, query, export.ROWS_MOST)
    _note(at, export_id, state=State.RUNNING, total=min(total, export.ROWS_MOST))
    staging = at.settings.data / "staging"
    staging.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=staging) as folder:
        target = Path(folder) / "list"
        with reading(at.engine) as session:
            account = session.get_one(Account, account.id)
            count = export.write(
                made.form,
                target,
                export.rows(session, account, query),
                at.codes,
                lambda done: _note(at, export_id, done=done),
            )
        blob = f"export/{export_id}"
        with at.blobs.writer(blob) as writer, target.open("rb") as file:
            while piece := file.read(PIECE):
                writer.write(piece)
            writer.commit()
    _note(at, export_id, state=State.DONE, done=count, total=count, blob=blob)


def _note(at: House, export_id: UUID, **changes: object) -> None:
    with writing(at.engine) as session:
        row = session.get_one(Export, export_id)
        for name, value in changes.items():
            setattr(row, name, value)
        if changes.get("state") in (State.DONE, State.FAILED):
            row.finished_at = now()
        session.add(row)
