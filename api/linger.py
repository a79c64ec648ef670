"""Answering before a request was read to its end.

Whoever closes at once while bytes still come in has the system reset the connection, and the client
may never see the answer that told it to stop. So: answer, read on for a moment without keeping
anything, then close (RFC 9112, section 9.6).
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 2.0
BYTES = 256 * 1024


class Linger:
    """Close the connection, gently, after any answer that came before the request's end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        unread = _announces_body(scope)

        async def watch() -> Message:
            nonlocal unread
            message = await receive()
            unread = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def send_and_drain(message: Message) -> None:
            if message["type"] == "http.response.start" and unread:
                MutableHeaders(scope=message)["Connection"] = "close"
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not (last and unread):
                await send(message)
                return
            await send({**message, "more_body": True})
            await _drain(watch, lambda: unread)
            await send({"type": "http.response.body", "body": b""})

        await self.app(scope, watch, send_and_drain)


async def _drain(receive: Receive, unread: Callable[[], bool]) -> None:
    dropped = 0
    with anyio.move_on_after(SECONDS):
        while unread() and dropped < BYTES:
            dropped += len((await receive()).get("body", b""))


def _announces_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
