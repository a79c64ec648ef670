"""Whom a request counts for: a proxy that is named is believed about its own entry, nobody else."""

from __future__ import annotations

import pytest
from fastapi import Request

from api import address

PROXY = frozenset({"127.0.0.1"})


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    client = (peer, 5000) if peer else None
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("peer", "forwarded", "counts_for"),
    [
        ("127.0.0.1", ("203.0.113.9",), "203.0.113.9"),
        ("127.0.0.1", ("198.51.100.1, 203.0.113.9",), "203.0.113.9"),
        ("127.0.0.1", ("198.51.100.1", "203.0.113.9"), "203.0.113.9"),
        ("127.0.0.1", ("2001:db8::1",), "2001:db8::1"),
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("127.0.0.1", ("unknown",), "127.0.0.1"),
        ("127.0.0.1", ("203.0.113.9, a<b>",), "127.0.0.1"),
        ("203.0.113.50", ("198.51.100.1",), "203.0.113.50"),
        (None, ("198.51.100.1",), None),
    ],
)
def test_only_the_last_entry_of_a_named_proxy_counts(
    peer: str | None, forwarded: tuple[str, ...], counts_for: str | None
) -> None:
    assert address.of(request(peer, *forwarded), PROXY) == counts_for


def test_without_a_named_proxy_nothing_that_is_said_counts() -> None:
    assert address.of(request("127.0.0.1", "203.0.113.9"), frozenset()) == "127.0.0.1"
