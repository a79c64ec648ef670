"""The record beside the transcript: fields, steps, who has it, repeats, and the dialogue."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from api.staff import desk, pages
from api.staff.pages import StaffRoute
from api.staff.session import At, Here
from ingest.queue import Stage
from models import access, audit, casework, export, fields, repeats, reporter
from models.access import Act
from models.audit import Deed
from models.casework import Move
from models.database import reading, writing
from models.errors import Invalid, NotFound, TooLarge, Unavailable
from models.export import Form as ExportForm
from models.fields import Source
from models.medium import Kind, Medium, Purpose
from models.status import Finding, Status

router = APIRouter(
    prefix="/staff/complaints/{complaint_id}", route_class=StaffRoute, include_in_schema=False
)
Version = Annotated[int, Form(ge=1)]
Text = Annotated[str, Form(max_length=20_000)]
Short = Annotated[str, Form(max_length=400)]


@router.get("/record")
def show(request: Request, at: At, here: Here, complaint_id: UUID) -> Response:
    """Show the record as it stands now."""
    return _record(request, at, here, complaint_id)


@router.post("/fields")
def decide(
    request: Request,
    at: At,
    here: Here,
    complaint_id: UUID,
    version: Version,
    name: Short,
    value: Text = "",
    source: Text = "",
) -> Response:
    """Confirm a field, change it, or take it from words that were selected."""
    with writing(at.engine) as session:
        fields.decide(
            session,
            at.keys,
            here.account,
            complaint_id,
            version,
            name,
            value,
            at.codes,
            _source(source),
        )
    return _record(request, at, here, complaint_id)


@router.post("/status")
def move(
    request: Request,
    at: At,
    here: Here,
    complaint_id: UUID,
    version: Version,
    to: Short,
    reason: Text = "",
    finding: Short = "",
    division: Short = "",
) -> Response:
    """Take a step of the table."""
    if to not in set(Status) or (finding and finding not in set(Finding)):
        raise Invalid("没有这个状态。", "There is no such status.", code="no_status")
    step = Move(Status(to), reason, Finding(finding) if finding else None, division)
    with writing(at.engine) as session:
        casework.move(session, at.keys, here.account, complaint_id, version, step, at.holidays)
    return _record(request, at, here, complaint_id)


@router.post("/assign")
def assign(
    request: Request,
    at: At,
    here: Here,
    complaint_id: UUID,
    version: Version,
    assignee: Short = "",
) -> Response:
    """Give a complaint to somebody, take it, or let it go."""
    try:
        to = UUID(assignee) if assignee else None
    except ValueError as error:
        raise Invalid("没有这位同事。", "There is no such colleague.", code="no_account") from error
    with writing(at.engine) as session:
        casework.assign(session, at.keys, here.account, complaint_id, version, to)
    return _record(request, at, here, complaint_id)


@router.post("/translations")
def translate(
    request: Request,
    at: At,
    here: Here,
    complaint_id: UUID,
    tag: Short = "zh",
    text: Text = "",
) -> Response:
    """Write what the report says in another language."""
    with writing(at.engine) as session:
        fields.translate(session, at.keys, here.account, complaint_id, tag, text)
    return _record(request, at, here, complaint_id)


@router.post("/repeats")
def link(
    request: Request,
    at: At,
    here: Here,
    complaint_id: UUID,
    other: Short,
    same: Annotated[bool, Form()] = True,
) -> Response:
    """Say whether another report is about the same."""
    try:
        other_id = UUID(other.strip().rstrip("/").rsplit("/", 1)[-1].partition("?")[0])
    except ValueError as error:
        raise Invalid(
            "请填写另一件举报的编号或地址。",
            "Give the other complaint's number or address.",
            code="no_complaint",
        ) from error
    with writing(at.engine) as session:
        repeats.decide(session, at.keys, here.account, complaint_id, other_id, same=same)
    return _record(request, at, here, complaint_id)


@router.post("/messages")
def answer(request: Request, at: At, here: Here, complaint_id: UUID, text: Text = "") -> Response:
    """Answer the reporter in text."""
    with writing(at.engine) as session:
        casework.answer(session, at.keys, here.account, complaint_id, text)
    return _record(request, at, here, complaint_id)


@router.post("/messages/voice")
async def answer_aloud(request: Request, at: At, here: Here, complaint_id: UUID) -> Response:
    """Answer the reporter with a recording of one's voice; the body is the recording."""
    access.require(here.account, Act.ANSWER)
    # Before the body is read: who may not see the complaint learns nothing from its length.
    with reading(at.engine) as session:
        access.find(session, here.account, complaint_id)
    writer = at.intake.receive(Kind.VOICE, Purpose.MESSAGE)
    try:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > at.settings.limits.recording_bytes:
                raise TooLarge("录音太长。", "The recording is too long.")
            if chunk:
                writer.write(chunk)
        part = writer.finish()
    except BaseException:
        writer.discard()
        raise
    try:
        with writing(at.engine) as session:
            access.find(session, here.account, complaint_id)
            session.add(
                Medium(
                    id=part.medium_id,
                    complaint_id=complaint_id,
                    position=1_000,
                    kind=part.kind,
                    purpose=Purpose.MESSAGE,
                    content_hash=part.content_hash,
                    mime=part.mime,
                    size=part.size,
                    original=part.blob,
                )
            )
            session.flush()
            casework.answer(session, at.keys, here.account, complaint_id, medium_id=part.medium_id)
    except BaseException:
        at.intake.discard([part])
        raise
    # The sweeper finds what is stored and not prepared.
    with suppress(Unavailable):
        at.queue.enqueue(Stage.PREPARE, part.medium_id)
    return _record(request, at, here, complaint_id)


@router.post("/identity")
def identity(request: Request, at: At, here: Here, complaint_id: UUID) -> Response:
    """Show who reported; each look is recorded."""
    with writing(at.engine) as session:
        access.require(here.account, Act.SEE_IDENTITY)
        complaint = access.find(session, here.account, complaint_id)
        who = (
            reporter.unseal(at.keys, complaint_id, complaint.reporter_sealed)
            if complaint.reporter_sealed
            else None
        )
        audit.append(session, at.keys, str(here.account.id), Deed.IDENTITY_SEEN, complaint_id)
    return pages.render(request, "identity.html", here, who=who, complaint_id=complaint_id)


@router.get("/export/{form}")
def export_one(at: At, here: Here, complaint_id: UUID, form: ExportForm) -> Response:
    """Give one complaint as a file."""
    access.require(here.account, Act.EXPORT)
    with writing(at.engine) as session:
        record = casework.look(session, at.keys, here.account, complaint_id)
        complaint = access.find(session, here.account, complaint_id)
        audit.append(
            session,
            at.keys,
            str(here.account.id),
            Deed.EXPORTED,
            complaint_id,
            {"form": form.value},
        )
        if form is ExportForm.CSV:
            body = export.one_as_csv(session, complaint, at.codes)
        else:
            plain = record.model_dump(mode="json", by_alias=True)
            body = json.dumps(plain, ensure_ascii=False, indent=2)
    name = f"{complaint_id}.{'csv' if form is ExportForm.CSV else 'json'}"
    return Response(
        body,
        media_type=export.MIMES[form] if form is ExportForm.CSV else "application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _record(request: Request, at: At, here: Here, complaint_id: UUID) -> Response:
    """Answer with the record as it stands now, or the whole page where scripts are off."""
    if not pages.is_fragment(request) and request.method != "GET":
        if pages.wants_page(request):
            return pages.back(request, f"/staff/complaints/{complaint_id}")
        return Response(status_code=204)
    with reading(at.engine) as session:
        try:
            complaint = access.find(session, here.account, complaint_id)
        except NotFound:
            if request.method == "GET":
                raise
            # It moved out of sight by what was just done: that is no fault.
            made = Response(status_code=204)
            made.headers["HX-Redirect"] = "/staff/inbox?gone=1"
            return made
        shown = desk.gather(session, here, complaint)
    return pages.render(
        request, "record.html", here, desk=shown, codes=at.codes, ranks=fields.RANKS
    )


def _source(written: str) -> Source | None:
    if not written:
        return None
    try:
        return Source.model_validate_json(written)
    except ValidationError as error:
        raise Invalid("出处格式不对。", "That is no source.", code="bad_source") from error
