from __future__ import annotations

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from api.forwarded import Forwarded, parse
from models.errors import Misconfigured

PROXIES = "127.0.0.1, 10.0.0.0/8,::1"


def heard(peer: str | None, *said: str, proxies: str = PROXIES) -> Scope:
    """Give what the application behind the middleware sees of one request."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    scope: Scope = {
        "type": "http",
        "client": (peer, 40_000) if peer else None,
        "headers": [(b"host", b"x"), *((b"x-forwarded-for", one.encode()) for one in said)],
    }
    anyio.run(Forwarded(app, proxies=parse(proxies)), scope, None, None)
    return seen[0]


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        # The reporter wrote the first one; the last that our own proxies saw is the truth.
        ("127.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        ("127.0.0.1", ["198.51.100.1", "203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        # Nobody we know of says so.
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["", " "], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.7, nonsense"], "127.0.0.1"),
    ],
)
def test_only_a_named_proxy_is_believed(peer: str, said: list[str], client: str) -> None:
    assert heard(peer, *said)["client"][0] == client


def test_nobody_is_believed_unless_named() -> None:
    assert heard("127.0.0.1", "203.0.113.7", proxies="")["client"][0] == "127.0.0.1"


def test_a_client_without_an_address_stays_without_one() -> None:
    assert heard(None, "203.0.113.7")["client"] is None


def test_nothing_behind_sees_the_header() -> None:
    assert heard("203.0.113.9", "198.51.100.1")["headers"] == [(b"host", b"x")]


def test_what_is_no_address_is_refused_with_what_to_write() -> None:
    with pytest.raises(Misconfigured, match="XIANGYIN_TRUSTED_PROXIES"):
        parse("proxy.example")
