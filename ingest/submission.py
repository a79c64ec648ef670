"""The key under which a client may send one report twice and get one receipt."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from models.errors import Invalid
from models.keys import Keys, seal, unseal

KEY_BYTES = 16
MOST_KEY_BYTES = 64
# Sixteen random bytes have fewer different values than this once in some 10^8 draws.
FEWEST_DIFFERENT = 9
_HEX = re.compile(r"[0-9a-fA-F]{32,128}")
_BASE64URL = re.compile(r"[0-9A-Za-z_-]{22,86}={0,2}")


@dataclass(frozen=True, repr=False)
class ClientKey:
    """An Idempotency-Key: at least 128 random bits that only the client keeps."""

    secret: bytes

    def digest(self, keys: Keys) -> str:
        """Give the keyed hash by which the server finds the submission again."""
        return keys.digest("submission", self.secret)

    def seal(self, keys: Keys, receipt: str, context: bytes) -> bytes:
        """Seal a receipt so that only someone with this key can read it again."""
        return seal(self._own(keys), receipt.encode(), context)

    def unseal(self, keys: Keys, sealed: bytes, context: bytes) -> str:
        """Read a receipt that was sealed under this key."""
        return unseal(self._own(keys), sealed, context).decode()

    def _own(self, keys: Keys) -> bytes:
        return bytes.fromhex(keys.digest("submission receipt", self.secret))


def parse(written: str) -> ClientKey:
    """Read an Idempotency-Key (hex or base64url); raise Invalid if it is short or guessable."""
    text = written.strip()
    secret = b""
    if _HEX.fullmatch(text) and len(text) % 2 == 0:
        secret = bytes.fromhex(text)
    elif _BASE64URL.fullmatch(text):
        bare = text.rstrip("=")
        try:
            secret = base64.b64decode(bare + "=" * (-len(bare) % 4), b"-_", validate=True)
        except binascii.Error:
            secret = b""
    if not KEY_BYTES <= len(secret) <= MOST_KEY_BYTES or len(set(secret)) < FEWEST_DIFFERENT:
        raise Invalid(
            "Idempotency-Key 不合要求：请用 128 位随机数，写成 32 个十六进制字符。",
            "That Idempotency-Key will not do: send 128 random bits as 32 hex digits.",
            code="weak_idempotency_key",
        )
    return ClientKey(secret)


def content_digest(keys: Keys, about: object, parts: Sequence[tuple[str, str, str]]) -> str:
    """Give the keyed hash of a whole report: what it says of itself and each part in order.

    about : a dataclass; parts : (kind, purpose, keyed hash of the content)
    """
    fields = json.dumps(asdict(about), sort_keys=True, default=str)  # type: ignore[call-overload]
    return keys.digest("report", fields.encode(), json.dumps(parts).encode())
