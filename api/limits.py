"""What holds back abuse. All of it lives in this process's memory and is forgotten with it.

An address is never kept: a keyed hash of it is counted, under a key that is drawn anew every hour
and never leaves the object.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from models.errors import TooMany
from models.settings import Rates

ROTATION_SECONDS = 3600
KEY_BYTES = 32
# A household or a phone is given a whole /64.
IPV6_NETWORK_BITS = 64
NEAR = 0.5


class AddressHash:
    """Turn an address into a name that means nothing after the hour and outside this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(KEY_BYTES)
        self._drawn = clock()

    def __call__(self, address: str) -> str:
        with self._lock:
            if self._clock() - self._drawn >= ROTATION_SECONDS:
                self._key = secrets.token_bytes(KEY_BYTES)
                self._drawn = self._clock()
            key = self._key
        return hmac.new(key, _network(address).encode(), hashlib.sha256).hexdigest()[:32]


class Limiter:
    """Count submissions and guesses, and refuse what goes over.

    An address of this machine itself is not limited by address: behind a reverse proxy that the
    settings do not name, everybody has it.
    """

    def __init__(self, rates: Rates) -> None:
        self._counter = MovingWindowRateLimiter(MemoryStorage())
        self._hash = AddressHash()
        self._channel = parse_many(rates.submissions_per_channel)
        self._address = parse_many(rates.submissions_per_address)
        self._guesses = parse_many(rates.guesses)
        self._address_guesses = parse_many(rates.guesses_per_address)

    def submit_address(self, address: str | None) -> None:
        """Count a submission before it is read; raise TooMany if its address sent too many."""
        if is_remote(address):
            self._hit(self._address, "address", self._hash(address or ""))

    def submit_channel(self, channel: str) -> None:
        """Count a submission to a channel; raise TooMany if it was sent too many."""
        self._hit(self._channel, "channel", channel)

    def near(self, channel: str, address: str | None) -> bool:
        """Tell whether half of a limit is used, so that a page can start its proof of work."""
        names = [(self._channel, "channel", channel)]
        if is_remote(address):
            names.append((self._address, "address", self._hash(address or "")))
        return any(
            self._counter.get_window_stats(item, kind, name).remaining < NEAR * item.amount
            for items, kind, name in names
            for item in items
        )

    def may_guess(self, address: str | None) -> None:
        """Raise TooMany if too many receipts were wrong lately, here or over the whole server.

        Its own limit stops an address long before it uses up everybody's.
        """
        for items, names in self._guessing(address):
            for item in items:
                if not self._counter.test(item, *names):
                    raise self._refusal(item, *names)

    def guessed_wrong(self, address: str | None) -> None:
        """Count a receipt that nobody was given."""
        for items, names in self._guessing(address):
            for item in items:
                self._counter.hit(item, *names)

    def _guessing(self, address: str | None) -> list[tuple[list[RateLimitItem], tuple[str, ...]]]:
        counted: list[tuple[list[RateLimitItem], tuple[str, ...]]] = [(self._guesses, ("guesses",))]
        if is_remote(address):
            counted.insert(0, (self._address_guesses, ("guess", self._hash(address or ""))))
        return counted

    def _hit(self, items: list[RateLimitItem], kind: str, name: str) -> None:
        for item in items:
            if not self._counter.hit(item, kind, name):
                raise self._refusal(item, kind, name)

    def _refusal(self, item: RateLimitItem, *names: str) -> TooMany:
        reset = self._counter.get_window_stats(item, *names).reset_time
        return TooMany(
            "现在提交的人太多，请稍等一会儿再试。",
            "Too many requests just now: please wait a little and try again.",
            retry_after=max(1, round(reset - time.time())),
        )


def is_remote(address: str | None) -> bool:
    """Tell whether a client's address is one of another machine."""
    try:
        return address is not None and not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _network(address: str) -> str:
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((int(parsed), IPV6_NETWORK_BITS), strict=False))
