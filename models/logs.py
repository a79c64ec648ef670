"""What is written to the log: what happened to which id, and never what anybody said."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# A field that is not named here is dropped: a new one has to be thought about first.
FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger", "process", "pid", "worker", "stage", "job_id",
        "medium_id", "complaint_id", "account_id", "channel", "kind", "state", "status", "reason",
        "code", "error", "where", "attempts", "batch", "count", "depth", "seconds", "pack",
        "signal", "returncode", "port", "method", "route", "http_status", "ms",
    }
)  # fmt: skip
# These write addresses, queries or bodies in their messages.
SILENT = (
    "uvicorn.access",
    "python_multipart",
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "botocore",
    "PIL",
    "rapidocr",
)
FRAMES = 4


class StandardError(logging.Handler):
    """Write each record to whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def configure(level: str = "INFO", process: str = "") -> None:
    """Send structlog's and the standard library's logs to standard error as JSON lines.

    process : name of this process, in every line
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _placed,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_template, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _known_fields,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not isinstance(h, StandardError)] + [handler]
    root.setLevel(level.upper())
    structlog.contextvars.bind_contextvars(process=process)
    # Foreign libraries speak up only when something is wrong.
    for name in ("rq.worker", "rq.registry", "uvicorn", "uvicorn.error", "sqlalchemy", "alembic"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def place(error: BaseException, trace: TracebackType | None = None) -> tuple[str, list[str]]:
    """Tell an error's type and where it arose; its message may hold what somebody said."""
    frames = traceback.extract_tb(trace or error.__traceback__)[-FRAMES:]
    return type(error).__name__, [
        f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames
    ]


def _short(path: str) -> str:
    return "/".join(path.rsplit("/", 2)[-2:])


def _placed(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Replace an exception by its type and place."""
    raised = entry.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, BaseException):
        entry["error"], entry["where"] = place(raised)
    elif isinstance(raised, tuple) and raised[1] is not None:
        entry["error"], entry["where"] = place(raised[1], raised[2])
    return entry


def _template(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Keep a foreign line's template without what was put into it."""
    record: logging.LogRecord | None = entry.get("_record")
    if record is not None:
        entry["event"] = (
            str(record.msg) if isinstance(record.msg, str) else type(record.msg).__name__
        )
        entry["logger"] = record.name
        if record.exc_info:
            entry["exc_info"] = record.exc_info
    return entry


def _known_fields(_: WrappedLogger, __: str, entry: EventDict) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name in FIELDS}
