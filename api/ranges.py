"""Answering with a file, or with the one range of it that was asked for (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from api import errors
from ingest.blobs import Blobs
from models.errors import Invalid
from models.stored import StoredFile

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
DIGITS_MOST = 18
# Whatever a file holds, a browser that opens it runs nothing of it.
SANDBOX = "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Span:
    """A stretch of a file in bytes, `length` > 0."""

    start: int
    length: int


class Unsatisfiable(Exception):
    """The range lies outside the file."""


def parse(written: str | None, size: int) -> Span | None:
    """Read a Range header; None where the whole file is to be sent, as for more than one range.

    Raise Unsatisfiable where none of it lies in the file.
    """
    found = _RANGE.fullmatch((written or "").strip().replace(" ", ""))
    if found is None or max(map(len, found.groups())) > DIGITS_MOST or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return Span(size - length, length)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, end - start + 1)


def respond(request: Request, blobs: Blobs, file: StoredFile, *, name: str = "") -> Response:
    """Answer with a stored file or a range of it, opening only the chunks that this takes.

    name : given to whoever saves it; "" if it is to be played, not saved
    """
    size, etag = blobs.size(file.blob), f'"{file.etag}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": SANDBOX,
        "Content-Disposition": f'attachment; filename="{name}"' if name else "inline",
    }
    # A range of what has changed since would not fit to what the client has.
    unchanged = request.headers.get("if-range", etag) == etag
    try:
        span = parse(request.headers.get("range"), size) if unchanged else None
    except Unsatisfiable:
        return _refusal(size)
    if span is None:
        headers["Content-Length"] = str(size)
        return StreamingResponse(blobs.read(file.blob), 200, headers, file.mime)
    headers["Content-Length"] = str(span.length)
    headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{size}"
    pieces = blobs.read(file.blob, span.start, span.length)
    return StreamingResponse(pieces, 206, headers, file.mime)


def _refusal(size: int) -> Response:
    error = Invalid(
        "请求的范围超出了文件。",
        "The range lies outside the file: ask for one within its size.",
        code="bad_range",
    )
    answer = errors.respond(error, status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    answer.headers["Content-Range"] = f"bytes */{size}"
    return answer
