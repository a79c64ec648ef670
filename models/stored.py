"""What the blob store keeps of a medium, as it is given out."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import NotFound
from models.medium import Medium


@dataclass(frozen=True)
class StoredFile:
    """What a medium's bytes are in the blob store. etag : changes with the content"""

    blob: str
    mime: str
    etag: str


def copy_of(medium: Medium) -> StoredFile | None:
    """Give the copy that people hear or see, if it is prepared."""
    if medium.copy_ is None or medium.copy_mime is None:
        return None
    return StoredFile(medium.copy_, medium.copy_mime, f"{medium.content_hash[:31]}c")


def no_file() -> NotFound:
    """Make the error for a file that is not there, or not yet."""
    return NotFound(
        "没有这个文件，或者还没有处理好。",
        "There is no such file, or it is not prepared yet.",
        code="no_file",
    )
