"""Where recordings and photographs are kept: any store that obstore opens, encrypted before it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from ingest import sealing
from models.errors import NotFound, Unavailable
from models.keys import Keys

# Chunks fetched together: one request for each megabyte of a long read.
CHUNKS_A_REQUEST = 16
PART_BYTES = 5 * 1024 * 1024
PARTS_AT_ONCE = 2


class BlobWriter(Protocol):
    """One attempt at writing a blob; nothing of it is seen before `commit`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Drop everything that was not committed."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""

    def commit(self) -> int:
        """Store the blob and give its plain size."""


class Blobs(Protocol):
    """Keep blobs by name. Names are ours ("media/<id>"), never a client's."""

    def writer(self, key: str) -> BlobWriter:
        """Open a blob for writing, replacing one of that name when it is committed."""

    def size(self, key: str) -> int:
        """Tell how many plain bytes a blob has; raise NotFound if there is none."""

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Give bytes from `start` on, piece by piece, opening only the chunks they lie in."""

    def delete(self, key: str) -> None:
        """Remove a blob if it is there."""

    def older(self, prefix: str, than: datetime) -> Iterator[str]:
        """List the blobs under a prefix that were last written before a moment."""

    def alive(self) -> bool:
        """Tell whether a blob can be written now."""


def open_blobs(url: str, keys: Keys, staging: Path | None = None) -> Blobs:
    """Open the store at an address that obstore takes (file, s3, gs, az, memory).

    staging : folder for what is being written, already encrypted and without a name, so that
    nothing of it outlives the process; None: the system's folder for temporary files
    """
    store = from_url(url, mkdir=True) if url.startswith("file:") else from_url(url)
    return StoredBlobs(store, keys, staging)


class StoredBlobs:
    """Blobs in an obstore store, each sealed under a key of its own."""

    def __init__(self, store: Any, keys: Keys, staging: Path | None = None) -> None:
        self._store = store
        self._key = keys.derive("blobs")
        self._staging = staging

    def writer(self, key: str) -> StoredWriter:
        return StoredWriter(self._store, self._key, key, self._staging)

    def size(self, key: str) -> int:
        with _translated(key):
            return sealing.plain_size(obstore.head(self._store, key)["size"])

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        with _translated(key):
            opening = obstore.get(self._store, key, options={"range": (0, sealing.HEADER_BYTES)})
            head, sealed_size = bytes(opening.bytes()), opening.meta["size"]
        data_key = sealing.open_header(self._key, key, head)
        if sealed_size < sealing.SMALLEST_BYTES:
            raise sealing.damaged(key)
        count, total = sealing.chunk_count(sealed_size), sealing.plain_size(sealed_size)
        end = total if length is None else min(total, start + length)
        if start >= end and total > 0:
            return
        first, last = start // sealing.CHUNK_BYTES, max(0, end - 1) // sealing.CHUNK_BYTES
        for group in range(first, last + 1, CHUNKS_A_REQUEST):
            wanted = range(group, min(group + CHUNKS_A_REQUEST, last + 1))
            fetched = self._fetch(key, wanted)
            for number in wanted:
                offset = (number - group) * sealing.SEALED_CHUNK_BYTES
                plain = sealing.open_chunk(
                    data_key,
                    head,
                    number,
                    fetched[offset : offset + sealing.SEALED_CHUNK_BYTES],
                    last=number == count - 1,
                    name=key,
                )
                base = number * sealing.CHUNK_BYTES
                piece = plain[max(0, start - base) : end - base]
                if piece:
                    yield piece

    def _fetch(self, key: str, wanted: range) -> bytes:
        begin = sealing.HEADER_BYTES + wanted.start * sealing.SEALED_CHUNK_BYTES
        with _translated(key):
            return bytes(
                obstore.get_range(
                    self._store,
                    key,
                    start=begin,
                    end=begin + len(wanted) * sealing.SEALED_CHUNK_BYTES,
                )
            )

    def delete(self, key: str) -> None:
        try:
            with _translated(key):
                obstore.delete(self._store, key)
        except NotFound:
            return

    def older(self, prefix: str, than: datetime) -> Iterator[str]:
        with _translated(prefix):
            for page in obstore.list(self._store, prefix):
                yield from (blob["path"] for blob in page if blob["last_modified"] < than)

    def alive(self) -> bool:
        probe = f"probe/{uuid4()}"
        try:
            obstore.put(self._store, probe, b"alive")
            obstore.delete(self._store, probe)
        except (BaseError, OSError):
            return False
        return True


class StoredWriter:
    """Seal chunk after chunk into a nameless file, and hand that to the store at the end."""

    def __init__(self, store: Any, key: bytes, name: str, staging: Path | None) -> None:
        self._store = store
        self._name = name
        self._data_key, self._head = sealing.new_header(key, name)
        self._number = 0
        self._size = 0
        self._pending = bytearray()
        if staging is not None:
            staging.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=staging)  # noqa: SIM115  closed by __exit__
        self._file.write(self._head)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self._pending.clear()
        self._file.close()

    def write(self, data: bytes) -> None:
        self._pending += data
        self._size += len(data)
        # The last chunk is sealed with a flag, so one chunk always waits for what follows.
        while len(self._pending) > sealing.CHUNK_BYTES:
            self._seal(bytes(self._pending[: sealing.CHUNK_BYTES]), last=False)
            del self._pending[: sealing.CHUNK_BYTES]

    def commit(self) -> int:
        self._seal(bytes(self._pending), last=True)
        self._file.flush()
        self._file.seek(0)
        with _translated(self._name):
            obstore.put(
                self._store,
                self._name,
                self._file,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
            if isinstance(self._store, LocalStore):
                _sync(Path(str(self._store.prefix)) / self._name)
        self._file.close()
        return self._size

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._file.write(
            sealing.seal_chunk(self._data_key, self._head, self._number, plain, last=last)
        )
        self._number += 1


def _sync(path: Path) -> None:
    # A receipt promises that nothing is lost, and the store itself does not wait for the disk.
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Turn the store's errors into ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(
            "找不到该文件，请联系管理员。",
            f"The blob {key} is not there: ask your administrator.",
            code="blob_missing",
        ) from error
    except (BaseError, OSError) as error:
        raise Unavailable(
            "文件存储没有回应，请稍后再试。",
            "The blob store does not answer: try again later.",
            code="blobs_unavailable",
        ) from error
