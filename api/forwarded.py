"""Who asks, where a reverse proxy stands in front: believed only of proxies that are named.

The address goes no further than the limits, which keep a keyed hash of it for an hour at most.
uvicorn's own way of doing this remembers the last thousands of addresses as they are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import Misconfigured

HEADER = b"x-forwarded-for"
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Forwarded:
    """Put the address that a trusted proxy names in the place of the proxy's own."""

    def __init__(self, app: ASGIApp, *, proxies: Sequence[Network]) -> None:
        self.app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            said = [value for name, value in scope["headers"] if name == HEADER]
            if said:
                scope["headers"] = [pair for pair in scope["headers"] if pair[0] != HEADER]
                self._believe(scope, b",".join(said).decode("latin-1"))
        await self.app(scope, receive, send)

    def _believe(self, scope: Scope, said: str) -> None:
        """Follow the chain from this end for as long as it is in trusted hands."""
        nearest = _address(scope["client"][0]) if scope.get("client") else None
        for written in reversed(said.split(",")):
            if nearest is None or not self._trusts(nearest):
                break
            nearest = _address(written)
            if nearest is None:
                # Not an address: whoever stands in front is not set up as described.
                return
        if nearest is not None:
            scope["client"] = (str(nearest), 0)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def parse(written: str) -> tuple[Network, ...]:
    """Read addresses and networks, separated by commas; raise Misconfigured if one is neither."""
    try:
        return tuple(ipaddress.ip_network(one.strip()) for one in written.split(",") if one.strip())
    except ValueError as error:
        raise Misconfigured(
            "XIANGYIN_TRUSTED_PROXIES 请写 IP 地址或网段，用逗号隔开。",
            "XIANGYIN_TRUSTED_PROXIES takes IP addresses or networks, separated by commas.",
            code="bad_trusted_proxies",
        ) from error


def _address(written: str) -> Address | None:
    try:
        found = ipaddress.ip_address(written.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
