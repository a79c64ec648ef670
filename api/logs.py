"""What the web process writes down: ids, codes and times, never who asked and never what was said.

uvicorn's own access log is off, since it holds addresses. The message of an unexpected exception is
left out too, because libraries put the value they choked on into it; its type and place remain.
"""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import OUT_OF_ORDER, respond

NO_ROUTE = "-"
CLIENT_LEFT = 499
FRAMES = 12
# They log what they parse or where it came from.
SILENCED = ("python_multipart", "multipart", "uvicorn.access", "httpx", "httpx2", "urllib3")

QUIETER = ("sqlalchemy", "alembic", "rq")

log = structlog.stdlib.get_logger("xiangyin.api")


class StandardError(logging.Handler):
    """Write each record to whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def configure(level: str) -> None:
    """Write every record of this process as one line of JSON to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _name_exceptions,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not isinstance(h, StandardError)] + [handler]
    root.setLevel(level)
    for name in SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # At a lower level they write a line for each statement and step.
    for name in QUIETER:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def place(error: BaseException) -> list[str]:
    """Tell where an exception came from, innermost call last, without its message."""
    frames: list[str] = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-FRAMES:]


def _name_exceptions(_: Any, __: str, entry: Any) -> Any:
    info = entry.pop("exc_info", None)
    if isinstance(info, tuple) and info[1] is not None:
        entry["error"], entry["where"] = type(info[1]).__name__, place(info[1])
    return entry


class AccessLog:
    """Write one line a request, and turn what nobody caught into an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except ClientDisconnect:
            status = CLIENT_LEFT
        except Exception as error:
            log.error("unexpected", error=type(error).__name__, where=place(error))
            # An answer that had begun is cut off by the server when we return.
            if not status:
                await respond(OUT_OF_ORDER)(scope, receive, note_status)
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=_template(scope),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )


def _template(scope: Scope) -> str:
    """Name the route, not the address: an address may hold what should not be written down."""
    return getattr(scope.get("route"), "path", NO_ROUTE)
