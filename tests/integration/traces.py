"""A reporter who leaves every trace there is, and where traces could be found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, select
from sqlmodel import SQLModel

from models.database import reading

REPORTER = "127.0.0.77"
AGENT = "PhoneOfTheReporter/7.31"
REFERRER = "https://somewhere.example/where-the-reporter-came-from"
FORWARDED = "203.0.113.201"
FILE_NAME = "recording-of-the-reporter.wav"
TRACES = (REPORTER, AGENT, REFERRER, FORWARDED, FILE_NAME)
HEADERS = {
    "User-Agent": AGENT,
    "Referer": REFERRER,
    "X-Forwarded-For": FORWARDED,
    "X-Real-IP": FORWARDED,
    "Forwarded": f"for={FORWARDED}",
}


def form(content: bytes, field: str = "audio") -> tuple[bytes, dict[str, str]]:
    """Make the body of a report with one file or text, and its headers."""
    named = f'; filename="{FILE_NAME}"' if field != "text" else ""
    disposition = f'Content-Disposition: form-data; name="{field}"{named}'
    body = f"--f\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n--f--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=f", **HEADERS}


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


def rows(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Give every row of every table."""
    with reading(engine) as session:
        for table in SQLModel.metadata.sorted_tables:
            for row in session.connection().execute(select(table)):
                yield table.name, repr(tuple(row)).encode()
