"""Leave to send one report: a token for its uploads, given once its limits were counted.

Tickets live in memory. When the process starts anew a phone asks for another and sends again what
it still keeps; the report's own key makes sure that it is one report all the same.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models.errors import TooMany, Unauthenticated

LIFE_SECONDS = 24 * 3600
MOST = 20_000


@dataclass
class Ticket:
    """One report on its way. answer : what was answered once it was taken in."""

    token: str
    key: str
    expires: float
    uploads: set[str] = field(default_factory=set)
    answer: dict[str, Any] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Tickets:
    """Every ticket that has not run out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_key: dict[str, Ticket] = {}
        self._by_token: dict[str, Ticket] = {}

    def known(self, key: str) -> Ticket | None:
        """Give the ticket that a report's key has already."""
        with self._lock:
            found = self._by_key.get(key)
            return found if found is not None and found.expires > self._clock() else None

    def issue(self, key: str) -> Ticket:
        """Give a report its ticket; raise TooMany where too many are out."""
        with self._lock:
            self._forget()
            if key in self._by_key:
                return self._by_key[key]
            if len(self._by_key) >= MOST:
                raise TooMany(
                    "现在人太多，请等一会儿再试。",
                    "Too many people just now: please try again in a while.",
                    retry_after=60,
                )
            ticket = Ticket(secrets.token_urlsafe(32), key, self._clock() + LIFE_SECONDS)
            self._by_key[key] = self._by_token[ticket.token] = ticket
            return ticket

    def of(self, token: str) -> Ticket:
        """Give the ticket of a token, or raise Unauthenticated."""
        with self._lock:
            ticket = self._by_token.get(token)
            if ticket is None or ticket.expires <= self._clock():
                raise Unauthenticated(
                    "发送凭证已失效，请重新发送。",
                    "The leave to send has run out: please send it again.",
                    code="ticket_unknown",
                )
            return ticket

    def _forget(self) -> None:
        now = self._clock()
        for ticket in [one for one in self._by_key.values() if one.expires <= now]:
            del self._by_key[ticket.key]
            del self._by_token[ticket.token]
