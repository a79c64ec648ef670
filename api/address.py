"""Where a request comes from, for the limits and for nothing else: it is neither stored nor logged.

Behind a reverse proxy everybody has the proxy's address. Only a proxy that the settings name is
believed about whom it speaks for, and of what it forwards only the last entry, which is its own.
"""

from __future__ import annotations

import ipaddress

from fastapi import Request

FORWARDED = "x-forwarded-for"


def of(request: Request, trusted: frozenset[str]) -> str | None:
    """Give the address that a request counts for. trusted : addresses of our own proxies"""
    peer = request.client.host if request.client else None
    if peer not in trusted:
        return peer
    written = ",".join(request.headers.getlist(FORWARDED)).rpartition(",")[2].strip()
    return written if _is_address(written) else peer


def _is_address(written: str) -> bool:
    try:
        ipaddress.ip_address(written)
    except ValueError:
        return False
    return True
