"""Proof of work: near a limit a phone computes for a moment before it may send."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from typing import Any

import altcha

from models.keys import Keys

ALGORITHM = "PBKDF2/SHA-256"
# About 256 derivations are tried: a second on a phone, and a thousandth of that to check.
COST = 2_000
PREFIX = "00"
LIFE_SECONDS = 20 * 60
PAYLOAD_CHARACTERS = 4_000


class Proofs:
    """Give challenges and take each solution once. All of it lives in memory."""

    def __init__(self, keys: Keys, *, cost: int = COST) -> None:
        self._secret = keys.derive("proof of work").hex()
        self._cost = cost
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}

    def challenge(self) -> dict[str, Any]:
        """Make a challenge as altcha's solver reads it."""
        made = altcha.create_challenge(
            ALGORITHM,
            self._cost,
            key_prefix=PREFIX,
            expires_at=int(time.time()) + LIFE_SECONDS,
            hmac_secret=self._secret,
        )
        challenge: dict[str, Any] = made.to_dict()
        return challenge

    def accepts(self, payload: str) -> bool:
        """Tell whether a payload solves a challenge of ours that was not used before."""
        if not 0 < len(payload) <= PAYLOAD_CHARACTERS:
            return False
        signature = _signature(payload)
        with self._lock:
            self._forget()
            if not signature or signature in self._used:
                return False
        if not altcha.verify_solution(payload, self._secret).verified:
            return False
        with self._lock:
            if signature in self._used:
                return False
            self._used[signature] = time.monotonic() + LIFE_SECONDS
        return True

    def _forget(self) -> None:
        now = time.monotonic()
        for signature in [one for one, until in self._used.items() if until < now]:
            del self._used[signature]


def _signature(payload: str) -> str:
    try:
        found = json.loads(base64.b64decode(payload, validate=True))["challenge"]["signature"]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""
