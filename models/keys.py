"""The keys of one installation, all derived from one secret in a file that only its owner reads.

The file is created together with an empty database and never replaced: a key that does not match
the database is refused, since with another key everything that was sealed would be lost. Each use
has a key of its own by HKDF-SHA256 (RFC 5869), so that a hash for one purpose says nothing about
another.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from models.errors import Misconfigured

KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True, repr=False)
class Keys:
    """Derive every key of the installation from `secret`, 32 bytes that never leave this object."""

    secret: bytes

    def derive(self, purpose: str) -> bytes:
        """Give the 32-byte key for one purpose, say "blobs" or "receipt"."""
        return HKDFExpand(SHA256(), KEY_BYTES, b"xiangyin/" + purpose.encode()).derive(self.secret)

    def digest(self, purpose: str, *parts: bytes) -> str:
        """Give a keyed hash (HMAC-SHA256, hex) of the parts, each length-prefixed."""
        mac = hmac.new(self.derive(purpose), digestmod=hashlib.sha256)
        for part in parts:
            mac.update(len(part).to_bytes(8, "big") + part)
        return mac.hexdigest()

    def hasher(self, purpose: str) -> hmac.HMAC:
        """Give a running keyed hash for content that does not fit into memory."""
        return hmac.new(self.derive(purpose), digestmod=hashlib.sha256)

    def seal(self, purpose: str, plain: bytes, context: bytes = b"") -> bytes:
        """Encrypt a short value under AES-256-GCM; `context` (an id) must match to open it."""
        return seal(self.derive(purpose), plain, context)

    def unseal(self, purpose: str, sealed: bytes, context: bytes = b"") -> bytes:
        """Decrypt what `seal` made; raise Misconfigured if it was sealed under another key."""
        return unseal(self.derive(purpose), sealed, context)

    @property
    def fingerprint(self) -> str:
        """Name this key without telling anything about it; the database remembers it."""
        return self.derive("fingerprint").hex()[:32]


def seal(key: bytes, plain: bytes, context: bytes = b"") -> bytes:
    """Encrypt under a given 32-byte key; shape: nonce (12 bytes), ciphertext, tag (16 bytes)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def unseal(key: bytes, sealed: bytes, context: bytes = b"") -> bytes:
    """Decrypt what `seal` made under the same key and context; raise Misconfigured otherwise."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except InvalidTag as error:
        raise Misconfigured(
            "加密内容无法打开：密钥不匹配，或数据已损坏。",
            "A sealed value does not open: the key does not match, or the data is damaged.",
            code="unseal_failed",
        ) from error


def create(path: Path) -> Keys:
    """Write a new key file with mode 0600; raise FileExistsError rather than replace one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = Keys(secrets.token_bytes(KEY_BYTES))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(keys.secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return keys


def load(path: Path) -> Keys:
    """Read a key file; raise Misconfigured if it is missing, open to others or damaged."""
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise Misconfigured(
            f"读不到密钥文件 {path}，请从备份恢复它。",
            f"The key file {path} cannot be read: restore it from your backup.",
            code="key_missing",
        ) from error
    if mode & 0o077:
        raise Misconfigured(
            f"密钥文件 {path} 可被他人读取，请执行 chmod 600。",
            f"The key file {path} is open to other users: run chmod 600 on it.",
            code="key_open",
        )
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise Misconfigured(
            f"密钥文件 {path} 已损坏，请从备份恢复它。",
            f"The key file {path} is damaged: restore it from your backup.",
            code="key_damaged",
        )
    return Keys(secret)
