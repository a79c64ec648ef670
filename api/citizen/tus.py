"""The tus protocol 1.0.0 (creation, termination, expiration) on top of `api.citizen.uploads`.

What is written while an upload runs has to be encrypted here. tuspyserver 4.4.3 was tried, which
takes a storage of one's own: a creation that brings a body is written plain into a file all the
same, bytes of a PATCH are stored before its authentication runs, and what the storage refuses is
answered with 204. So the protocol is spoken by hand. It is the published core:
https://tus.io/protocols/resumable-upload
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from http import HTTPStatus
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.citizen import uploads
from api.citizen.door import Door, of
from api.citizen.tickets import Ticket
from models.errors import Conflict, Invalid, NotMedia, Unauthenticated
from models.medium import Kind, Purpose

VERSION = "1.0.0"
PREFIX = "/uploads"
BODY_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,termination,expiration"
STALLED_SECONDS = 60.0
METADATA_CHARACTERS = 200
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)

router = APIRouter(include_in_schema=False)


def ticket(request: Request, door: Annotated[Door, Depends(of)]) -> Ticket:
    """Give the ticket whose token came with a request that speaks this protocol."""
    if request.headers.get("tus-resumable") != VERSION:
        raise HTTPException(HTTPStatus.PRECONDITION_FAILED)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "upload":
        raise Unauthenticated(
            "请先取得发送凭证。", "Ask for the leave to send first.", code="ticket_needed"
        )
    return door.tickets.of(token.strip())


Leave = Annotated[Ticket, Depends(ticket)]
AtDoor = Annotated[Door, Depends(of)]


@router.options(PREFIX)
@router.options(PREFIX + "/{upload_id}")
def options(door: AtDoor) -> Response:
    """Tell what this server speaks."""
    return _answer(
        204,
        {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(door.uploads.most_bytes),
        },
    )


@router.post(PREFIX)
def create(request: Request, door: AtDoor, leave: Leave) -> Response:
    """Open an upload of one file."""
    length = _number(request, "upload-length")
    about = _metadata(request.headers.get("upload-metadata", ""))
    try:
        kind, purpose = Kind(about.get("kind", "")), Purpose(about.get("purpose", "complaint"))
    except ValueError as error:
        raise _malformed("Upload-Metadata") from error
    upload = door.uploads.create(leave.token, leave.uploads, length, kind, purpose)
    return _answer(201, {"Location": f"{PREFIX}/{upload.id}"}, expires=True)


@router.head(PREFIX + "/{upload_id}")
def look(upload_id: str, door: AtDoor, leave: Leave) -> Response:
    """Tell how far an upload has come. Whatever still hangs on it from before writes no more."""
    upload = door.uploads.of(leave.token, upload_id)
    door.uploads.take_turn(upload)
    numbers = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.length)}
    return _answer(200, numbers, expires=True)


@router.patch(PREFIX + "/{upload_id}")
async def append(upload_id: str, request: Request, door: AtDoor, leave: Leave) -> Response:
    """Take more bytes; those that came before a connection is cut are kept."""
    return await _append(upload_id, request, door, leave)


@router.delete(PREFIX + "/{upload_id}")
def cancel(upload_id: str, door: AtDoor, leave: Leave) -> Response:
    """Forget an upload."""
    door.uploads.cancel(door.uploads.of(leave.token, upload_id))
    return _answer(204, {})


@router.post(PREFIX + "/{upload_id}")
async def overridden(upload_id: str, request: Request, door: AtDoor, leave: Leave) -> Response:
    """Serve clients whose network lets no PATCH or DELETE through."""
    method = request.headers.get("x-http-method-override", "").upper()
    if method == "PATCH":
        return await _append(upload_id, request, door, leave)
    if method == "DELETE":
        return cancel(upload_id, door, leave)
    raise _malformed("X-HTTP-Method-Override")


async def _append(upload_id: str, request: Request, door: Door, leave: Ticket) -> Response:
    if request.headers.get("content-type") != BODY_TYPE:
        raise NotMedia(f"请用 {BODY_TYPE}。", f"Send {BODY_TYPE}.", code="not_offset_stream")
    upload = door.uploads.of(leave.token, upload_id)
    offset = _number(request, "upload-offset")
    turn = door.uploads.take_turn(upload)
    if offset != upload.offset:
        raise Conflict(
            "续传的位置不对，请先查询。",
            "That is not where the upload stands: ask first.",
            code="offset_mismatch",
        )
    try:
        async for chunk in _unstalled(request.stream()):
            # A write that was begun ends, whatever becomes of the connection: the offset must hold.
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(door.uploads.write, upload, turn, chunk)
    except ClientDisconnect:
        pass  # what came is kept, and the phone asks where the upload stands
    return _answer(204, {"Upload-Offset": str(upload.offset)}, expires=True)


async def _unstalled(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass a stream on until it ends or stands still; what came so far is kept either way."""
    while True:
        chunk = b""
        with anyio.move_on_after(STALLED_SECONDS) as scope:
            try:
                chunk = await anext(stream)
            except StopAsyncIteration:
                return
        if scope.cancelled_caught:
            return
        if chunk:
            yield chunk


def _number(request: Request, name: str) -> int:
    written = request.headers.get(name, "")
    if not _NUMBER.fullmatch(written):
        raise _malformed(name.title())
    return int(written)


def _metadata(written: str) -> dict[str, str]:
    """Read `key base64,key base64`; only ours are looked at, and none names a file."""
    if len(written) > METADATA_CHARACTERS:
        raise _malformed("Upload-Metadata")
    read = {}
    for pair in filter(None, (one.strip() for one in written.split(","))):
        name, _, value = pair.partition(" ")
        try:
            read[name] = base64.b64decode(value, validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _malformed("Upload-Metadata") from error
    return read


def _malformed(header: str) -> Invalid:
    return Invalid(
        f"请求头 {header} 不对。", f"The header {header} is not right.", code="bad_upload_header"
    )


def _answer(status: int, headers: dict[str, str], *, expires: bool = False) -> Response:
    always = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
    if expires:
        always["Upload-Expires"] = formatdate(time.time() + uploads.LIFE_SECONDS, usegmt=True)
    return Response(status_code=status, headers=always | headers)
