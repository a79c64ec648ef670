"""One line for each request: which route, how it ended and how long it took, never who asked."""

from __future__ import annotations

import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import OUT_OF_ORDER, respond

NO_ROUTE = "-"
CLIENT_LEFT = 499

log = structlog.get_logger()


class AccessLog:
    """Write one line a request, and turn what nobody caught into an answer.

    uvicorn's own access log is off, since it holds addresses.
    """

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
            log.error("unexpected", exc_info=error)
            # An answer that had begun is cut off by the server when we return.
            if not status:
                await respond(OUT_OF_ORDER)(scope, receive, note_status)
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=_template(scope),
                http_status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )


def _template(scope: Scope) -> str:
    """Name the route, not the address: an address may hold what should not be written down."""
    return getattr(scope.get("route"), "path", NO_ROUTE)
