"""A report as a multipart form, read piece by piece in constant memory.

Nothing is spooled: each piece of a file goes straight into intake's writer, which encrypts it. What
a client calls a file is never looked at, and what it is is told by its content.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio
from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartState, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ingest.accept import Intake
from ingest.part import Part, PartWriter
from models.errors import Invalid, NotMedia, Refused, TooLarge
from models.medium import Kind
from models.settings import Limits

FILES = {"audio": Kind.VOICE, "image": Kind.IMAGE}
UTF8_BYTES_MOST = 4
FIELD_CHARACTERS = {
    "channel": 64,
    "declared_language": 35,
    "identity_mode": 16,
    "reporter_name": 200,
    "reporter_contact": 200,
    "upward_only": 5,
}
# Boundaries, part headers and short fields together.
SLACK_BYTES = 256 * 1024
STALLED_SECONDS = 60.0


@dataclass(frozen=True)
class Form:
    """What was sent: the files as intake keeps them, and the fields as they were written."""

    parts: tuple[Part, ...]
    text: str = ""
    channel: str = ""
    declared_language: str = ""
    identity_mode: str = ""
    reporter_name: str = ""
    reporter_contact: str = ""
    upward_only: str = ""


def boundary_of(request: Request) -> bytes:
    """Give the boundary of a multipart request, or raise NotMedia before anything is read."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise NotMedia(
            "请用 multipart/form-data 提交。",
            "Send the report as multipart/form-data.",
            code="not_multipart",
        )
    return boundary


def check_length(request: Request, limits: Limits) -> None:
    """Raise TooLarge if the request announces more than any report may hold."""
    announced = request.headers.get("content-length", "")
    most = limits.files * max(limits.recording_bytes, limits.image_bytes)
    most += limits.text_characters * UTF8_BYTES_MOST + SLACK_BYTES
    if announced.isascii() and announced.isdecimal() and int(announced[:20]) > most:
        raise TooLarge(
            "内容太大，请分成几次提交。",
            "That is more than one report may hold: send it as several.",
        )


async def read(request: Request, intake: Intake, limits: Limits) -> Form:
    """Read a report's form to its end; whatever is raised, nothing of it stays behind."""
    boundary = boundary_of(request)
    check_length(request, limits)
    reader = FormReader(intake, boundary, limits)
    try:
        async for chunk in _unstalled(request.stream()):
            await run_in_threadpool(reader.feed, chunk)
        return await run_in_threadpool(reader.finish)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(reader.discard)
        raise


async def _unstalled(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass a stream on, but not one that stands still."""
    while True:
        try:
            with anyio.fail_after(STALLED_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise Refused(
                "上传中断太久，请重新提交。",
                "The upload stood still for too long: send it again.",
                code="upload_stalled",
            ) from error
        yield chunk


@dataclass
class _PartHead:
    """The headers of the part that is being read."""

    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""


class FormReader:
    """Take a multipart stream apart as it comes."""

    def __init__(self, intake: Intake, boundary: bytes, limits: Limits) -> None:
        self._intake = intake
        self._limits = limits
        self._parts: list[Part] = []
        self._fields: dict[str, bytearray] = {}
        self._writer: PartWriter | None = None
        self._field = ""
        self._head = _PartHead()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._open,
                    "on_part_data": self._data,
                    "on_part_end": self._close,
                },
            )
        except (MultipartParseError, ValueError) as error:
            raise _malformed() from error

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the request."""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise _malformed() from error

    def finish(self) -> Form:
        """Give the form, once the last boundary was seen."""
        if self._parser.state != MultipartState.END:
            raise _malformed()
        try:
            # PostgreSQL keeps no NUL, and nobody ever meant one.
            texts = {n: bytes(v).decode().replace("\0", "") for n, v in self._fields.items()}
        except UnicodeDecodeError as error:
            raise Invalid(
                "文字请用 UTF-8 编码。", "Send text as UTF-8.", code="not_utf8"
            ) from error
        for name, value in texts.items():
            if len(value) > self._characters(name):
                raise _too_long()
        return Form(tuple(self._parts), **texts)

    def discard(self) -> None:
        """Drop whatever was stored so far."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None
        self._intake.discard(self._parts)
        self._parts = []

    def _characters(self, name: str) -> int:
        return self._limits.text_characters if name == "text" else FIELD_CHARACTERS[name]

    def _begin(self) -> None:
        self._head = _PartHead()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._head.name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._head.value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._head.name).lower() == b"content-disposition":
            self._head.disposition = bytes(self._head.value)
        self._head.name.clear()
        self._head.value.clear()

    def _open(self) -> None:
        kind, options = parse_options_header(self._head.disposition)
        name = options.get(b"name", b"").decode("latin-1")
        if kind != b"form-data":
            raise _malformed()
        if name in FILES:
            if len(self._parts) >= self._limits.files:
                raise TooLarge(
                    f"一次最多提交 {self._limits.files} 个文件，请分几次提交。",
                    f"A report holds at most {self._limits.files} files: send it as several.",
                    code="too_many_files",
                )
            self._writer = self._intake.receive(FILES[name])
        elif name == "text" or name in FIELD_CHARACTERS:
            if name in self._fields:
                raise Invalid(
                    "同一个字段只能出现一次。", "Send each field once.", code="repeated_field"
                )
            self._field = name
            self._fields[name] = bytearray()
        else:
            raise Invalid(
                "表单里有不认识的字段，请对照接口说明。",
                "The form has a field that is not known: compare the interface's description.",
                code="unknown_field",
            )

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._writer is not None:
            self._writer.write(data[start:end])
            return
        value = self._fields[self._field]
        if len(value) + end - start > self._characters(self._field) * UTF8_BYTES_MOST:
            raise _too_long()
        value += data[start:end]

    def _close(self) -> None:
        if self._writer is None:
            return
        part = self._writer.finish()
        self._writer = None
        self._parts.append(part)


def _malformed() -> Refused:
    return Refused(
        "表单格式不对或没有传完，请重新提交。",
        "The form is malformed or was cut off: send it again.",
        code="malformed_form",
    )


def _too_long() -> TooLarge:
    return TooLarge(
        "文字太长，请缩短或分几次提交。",
        "The text is too long: shorten it or send it as several reports.",
        code="text_too_long",
    )
