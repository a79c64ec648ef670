from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from models import logs

MARK = "a marked sentence"


class Lines:
    """What was written to standard error so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._written = ""

    def getvalue(self) -> str:
        self._written += self._capsys.readouterr().err
        return self._written


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("INFO", "test")
    yield Lines(capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def read(lines: Lines) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_carries_ids_and_the_process(lines: Lines) -> None:
    structlog.get_logger().info("prepared", medium_id="7", attempts=1)
    (line,) = read(lines)
    assert line["event"] == "prepared"
    assert (line["medium_id"], line["attempts"], line["process"]) == ("7", 1, "test")
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_a_field_nobody_thought_about_is_dropped(lines: Lines) -> None:
    structlog.get_logger().info("prepared", text=MARK, address=MARK)
    assert MARK not in lines.getvalue()


def test_an_exception_is_a_type_and_a_place(lines: Lines) -> None:
    try:
        int(MARK)
    except ValueError:
        structlog.get_logger().error("failed", exc_info=True)
        logging.getLogger("somebody").exception("failed again")
    one, other = read(lines)
    for line in (one, other):
        assert line["error"] == "ValueError"
        assert "test_logs.py" in str(line["where"])
    assert MARK not in lines.getvalue()


def test_what_others_put_into_their_messages_is_left_out(lines: Lines) -> None:
    logging.getLogger("rq.worker").warning("job %s failed (%s)", "7", MARK)
    logging.getLogger("anybody").warning("cannot read %r", MARK)
    assert MARK not in lines.getvalue()
    assert [line["event"] for line in read(lines)] == ["job %s failed (%s)", "cannot read %r"]


def test_addresses_of_clients_are_never_written(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").info('127.0.0.1:5000 - "GET / HTTP/1.1" 200')
    logging.getLogger("httpx").info("HTTP Request: GET http://127.0.0.1")
    assert lines.getvalue() == ""
