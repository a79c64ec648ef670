"""Files on their way in, through Intake's writers: what lies on disk meanwhile is encrypted.

A writer seals each chunk once, under a key of its own for this one attempt, into a file without a
name. So a half-sent file outlives any number of cut connections, but not this process; then the
phone, which still has it, begins that file again.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingest.accept import Intake
from ingest.part import Part, PartWriter
from models.errors import Conflict, Invalid, NotFound, TooLarge, TooMany
from models.medium import Kind, Purpose
from models.settings import Limits

LIFE_SECONDS = 24 * 3600
# Each holds a file open; phones on bad lines are slow, so there may be many.
MOST = 400
# When all places are taken, whoever has been silent this long gives way.
SILENT_SECONDS = 15 * 60
PURPOSES = (Purpose.COMPLAINT, Purpose.IDENTITY, Purpose.ADDITION)


@dataclass
class Upload:
    """One file. turn : raised by every request, so that an older one that hangs writes no more."""

    id: str
    token: str
    length: int
    writer: PartWriter
    expires: float
    touched: float
    offset: int = 0
    turn: int = 0
    part: Part | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Uploads:
    """Every upload that a report has not taken yet."""

    def __init__(
        self, intake: Intake, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._intake = intake
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._all: dict[str, Upload] = {}

    @property
    def most_bytes(self) -> int:
        """Tell how long any file may be."""
        return max(self._limits.recording_bytes, self._limits.image_bytes)

    def create(
        self, token: str, mine: set[str], length: int, kind: Kind, purpose: Purpose
    ) -> Upload:
        """Open a new upload of a ticket; raise TooLarge, Invalid or TooMany."""
        if length > self.most_bytes:
            megabytes = self.most_bytes // (1024 * 1024)
            raise TooLarge(
                f"文件太大，最多 {megabytes} MB。",
                f"The file is too large: at most {megabytes} MB.",
            )
        if length <= 0 or purpose not in PURPOSES or kind is Kind.TEXT:
            raise Invalid(
                "上传的说明不对，请重新发送。",
                "That is no proper announcement of a file: send it again.",
                code="bad_upload",
            )
        with self._lock:
            self._forget()
            mine.intersection_update(self._all)
            if len(mine) >= self._limits.files:
                raise TooLarge(
                    f"一次最多 {self._limits.files} 个文件。",
                    f"At most {self._limits.files} files at a time.",
                    code="too_many_files",
                )
            if len(self._all) >= MOST:
                self._make_room()
            now = self._clock()
            upload = Upload(
                id=secrets.token_urlsafe(24),
                token=token,
                length=length,
                writer=self._intake.receive(kind, purpose),
                expires=now + LIFE_SECONDS,
                touched=now,
            )
            self._all[upload.id] = upload
            mine.add(upload.id)
            return upload

    def of(self, token: str, upload_id: str) -> Upload:
        """Give an upload of a ticket, or raise NotFound; somebody else's is not found either."""
        with self._lock:
            upload = self._all.get(upload_id)
        if upload is None or not secrets.compare_digest(upload.token, token):
            raise NotFound(
                "没有这个上传，请重新发送。",
                "There is no such upload: send the file again.",
                code="upload_gone",
            )
        return upload

    def take_turn(self, upload: Upload) -> int:
        """Begin a request on an upload; older requests on it write no more. Give its turn."""
        with upload.lock:
            upload.turn += 1
            upload.touched = self._clock()
            return upload.turn

    def write(self, upload: Upload, turn: int, chunk: bytes) -> None:
        """Take the next bytes; raise Conflict where a newer request took over.

        What cannot be taken ends the upload.
        """
        with upload.lock:
            if upload.turn != turn:
                raise Conflict(
                    "上传已在别处继续。",
                    "The upload goes on elsewhere.",
                    code="upload_taken_over",
                )
            if upload.offset + len(chunk) > upload.length:
                self._drop(upload)
                raise TooLarge("文件比说好的长。", "The file is longer than was announced.")
            try:
                upload.writer.write(chunk)
                upload.offset += len(chunk)
                upload.touched = self._clock()
                if upload.offset == upload.length:
                    upload.part = upload.writer.finish()
            except BaseException:
                self._drop(upload)
                raise

    def cancel(self, upload: Upload) -> None:
        """End an upload before a report takes it."""
        with upload.lock:
            upload.turn += 1
            self._drop(upload)

    def parts(self, token: str, ids: Sequence[str]) -> list[Part]:
        """Give the finished files of a report in order; raise Conflict where one is not whole."""
        found = []
        for upload in (self.of(token, one) for one in ids):
            if upload.part is None:
                raise Conflict(
                    "文件还没有传完，请继续发送。",
                    "A file is not whole yet: go on sending it.",
                    code="upload_unfinished",
                )
            found.append(upload.part)
        return found

    def taken(self, ids: Sequence[str]) -> None:
        """Let go of uploads that a report holds now, or that it was refused with."""
        with self._lock:
            for one in ids:
                self._all.pop(one, None)

    def close(self) -> None:
        """Let go of everything that is still on its way; phones begin those files again."""
        with self._lock:
            for upload in list(self._all.values()):
                upload.turn += 1
                self._drop(upload)

    def _drop(self, upload: Upload) -> None:
        if upload.part is not None:
            self._intake.discard([upload.part])
        else:
            upload.writer.discard()
        self._all.pop(upload.id, None)

    def _forget(self) -> None:
        now = self._clock()
        for upload in [one for one in self._all.values() if one.expires <= now]:
            self._drop(upload)

    def _make_room(self) -> None:
        oldest = min(self._all.values(), key=lambda one: one.touched)
        if self._clock() - oldest.touched < SILENT_SECONDS:
            raise TooMany(
                "现在人太多，请等一会儿再试。",
                "Too many people are sending just now: please try again in a while.",
                retry_after=60,
            )
        self._drop(oldest)
