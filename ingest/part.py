"""One file of a report on its way in, and once it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ingest import media
from ingest.blobs import Blobs
from models.columns import uuid7
from models.errors import Empty, TooLarge
from models.keys import Keys
from models.medium import Kind, Purpose
from models.settings import MEGABYTE, Limits


@dataclass(frozen=True)
class Part:
    """A recording or photograph that is stored, encrypted, and belongs to no report yet."""

    medium_id: UUID
    kind: Kind
    purpose: Purpose
    mime: str
    size: int
    content_hash: str
    blob: str


class PartWriter:
    """Recognise one file by its head; bound, hash and encrypt it as it comes."""

    def __init__(
        self, blobs: Blobs, keys: Keys, limits: Limits, declared: Kind, purpose: Purpose
    ) -> None:
        self._medium_id = uuid7()
        self._blob = f"media/{self._medium_id}"
        self._writer = blobs.writer(self._blob)
        self._hash = keys.hasher("content")
        self._limits = limits
        self._declared = declared
        self._purpose = purpose
        self._head = bytearray()
        self._sniffed: media.Sniffed | None = None
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; raise TooLarge past the limit, NotMedia once the head is known."""
        self._size += len(chunk)
        if self._sniffed is None:
            self._head += chunk[: media.HEAD_BYTES - len(self._head)]
            if len(self._head) == media.HEAD_BYTES:
                self._sniffed = media.sniff(bytes(self._head))
        self._bound()
        self._hash.update(chunk)
        self._writer.write(chunk)

    def finish(self) -> Part:
        """Store what came; raise Empty if that is nothing, NotMedia if it is no medium."""
        if self._size == 0:
            self.discard()
            raise Empty("文件是空的，请重新发送。", "The file is empty: please send it again.")
        with self._writer as writer:
            sniffed = self._sniffed or media.sniff(bytes(self._head))
            self._sniffed = sniffed
            self._bound()
            writer.commit()
        return Part(
            medium_id=self._medium_id,
            kind=sniffed.kind,
            purpose=self._purpose,
            mime=sniffed.mime,
            size=self._size,
            content_hash=self._hash.hexdigest(),
            blob=self._blob,
        )

    def discard(self) -> None:
        """Forget what came so far; harmless once it is stored."""
        self._writer.__exit__()

    def _bound(self) -> None:
        # What the client calls it decides only until its content tells.
        kind = self._sniffed.kind if self._sniffed else self._declared
        limits = self._limits
        most = limits.image_bytes if kind is Kind.IMAGE else limits.recording_bytes
        if self._size > most:
            megabytes = f"{most / MEGABYTE:g}"
            raise TooLarge(
                f"文件太大，最多 {megabytes} MB，请分几次发送。",
                f"The file is too large: at most {megabytes} MB, please send it in pieces.",
            )
