"""How a blob is framed: 64 KiB chunks under AES-256-GCM, so that a range opens on its own.

Layout: magic (4 bytes), the blob's own data key sealed under the installation's (nonce 12, key 32,
tag 16), then the chunks, each with its tag (16). A chunk's nonce is its number (11 bytes) and a
flag that is 1 on the last one, as in the STREAM construction (Hoang, Reyhanitabar, Rogaway and
Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015): chunks can
be neither swapped nor dropped. The header is bound to the blob's name and every chunk to the
header, so a blob under another name does not open. Each attempt at writing draws a new data key,
so no nonce is ever used twice under one key.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.errors import Misconfigured
from models.keys import KEY_BYTES, NONCE_BYTES

MAGIC = b"XYB1"
TAG_BYTES = 16
CHUNK_BYTES = 64 * 1024
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
HEADER_BYTES = len(MAGIC) + NONCE_BYTES + KEY_BYTES + TAG_BYTES

SMALLEST_BYTES = HEADER_BYTES + TAG_BYTES


def new_header(key: bytes, name: str) -> tuple[bytes, bytes]:
    """Draw a data key for one attempt at writing a blob; give the key and the header."""
    data_key = secrets.token_bytes(KEY_BYTES)
    return data_key, header(key, name, data_key, secrets.token_bytes(NONCE_BYTES))


def header(key: bytes, name: str, data_key: bytes, nonce: bytes) -> bytes:
    """Make the header that carries `data_key` sealed under `key` and bound to `name`."""
    return MAGIC + nonce + AESGCM(key).encrypt(nonce, data_key, MAGIC + name.encode())


def open_header(key: bytes, name: str, head: bytes) -> bytes:
    """Give the data key of a blob; raise Misconfigured if key, name or header do not match."""
    nonce = head[len(MAGIC) : len(MAGIC) + NONCE_BYTES]
    if len(head) != HEADER_BYTES or not head.startswith(MAGIC):
        raise damaged(name)
    try:
        return AESGCM(key).decrypt(nonce, head[-KEY_BYTES - TAG_BYTES :], MAGIC + name.encode())
    except InvalidTag as error:
        raise damaged(name) from error


def seal_chunk(data_key: bytes, head: bytes, number: int, plain: bytes, *, last: bool) -> bytes:
    """Encrypt chunk `number`, counted from 0."""
    return AESGCM(data_key).encrypt(_nonce(number, last), plain, head)


def open_chunk(
    data_key: bytes, head: bytes, number: int, sealed: bytes, *, last: bool, name: str
) -> bytes:
    """Decrypt chunk `number`; raise Misconfigured if a bit of it or its place is not right."""
    try:
        return AESGCM(data_key).decrypt(_nonce(number, last), sealed, head)
    except InvalidTag as error:
        raise damaged(name) from error


def plain_size(sealed_size: int) -> int:
    """Tell how many bytes a blob of `sealed_size` bytes holds; an empty one has one empty chunk."""
    return max(0, sealed_size - HEADER_BYTES - TAG_BYTES * chunk_count(sealed_size))


def chunk_count(sealed_size: int) -> int:
    """Tell how many chunks a blob of `sealed_size` bytes has."""
    return max(1, -(-(sealed_size - HEADER_BYTES) // SEALED_CHUNK_BYTES))


def damaged(name: str) -> Misconfigured:
    """Make the error for a blob that does not open."""
    return Misconfigured(
        f"文件 {name} 打不开：密钥不匹配，或内容已损坏，请从备份恢复。",
        f"The blob {name} does not open: the key does not match or it is damaged; "
        "restore it from your backup.",
        code="blob_damaged",
    )


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + bytes([last])
