"""The page's files, read and compressed once: they never change while the process runs."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response

from api.citizen import bundle, words
from models.errors import NotFound

PREFIX = "/citizen"
FOREVER = "public, max-age=31536000, immutable"
LEAST_TO_COMPRESS = 400
TEXTUAL = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
# Each page's script, with all that it imports in it; the rest is loaded when it is needed.
ENTRIES = ("app", "lookup")
# What the page needs with no network after the first visit; scanner and proof of work need one.
OFFLINE = (
    "app.js",
    "lookup.js",
    "keep.js",
    "photos.js",
    "page.css",
    "icon.svg",
    "vendor/tus.min.js",
)
MIMES = {".js": "text/javascript", ".svg": "image/svg+xml", ".webmanifest": "application/json"}


@dataclass(frozen=True)
class Asset:
    """One file as it is sent. packed : compressed with gzip, or None where that gains nothing."""

    mime: str
    body: bytes
    packed: bytes | None


class Assets:
    """All static files, under an address that changes with any of them."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): asset(path.read_bytes(), mime_of(path))
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        sources = {path.stem: path.read_text("utf-8") for path in folder.glob("*.js")}
        for entry in ENTRIES:
            joined = bundle.join(sources, entry).encode()
            self._files[f"{entry}.js"] = asset(joined, MIMES[".js"])
        for tag, spoken in words.load().items():
            body = json.dumps(spoken.as_json(), ensure_ascii=False).encode()
            self._files[f"words/{tag}.json"] = asset(body, "application/json")
        digest = hashlib.sha256()
        for name, one in self._files.items():
            digest.update(name.encode() + one.body)
        for path in sorted((words.DOOR / "templates").iterdir()):
            digest.update(path.read_bytes())
        self.version = digest.hexdigest()[:12]

    @property
    def base(self) -> str:
        """Give the address that all files lie under."""
        return f"{PREFIX}/{self.version}"

    def respond(self, request: Request, version: str, name: str) -> Response:
        """Answer with a file; one of an older page's version is answered anew, but not for ever."""
        found = self._files.get(name)
        if found is None:
            raise NotFound("没有这个文件。", "There is no such file.", code="no_such_address")
        keep = FOREVER if version == self.version else "no-cache"
        return respond(request, found, {"Cache-Control": keep})


def mime_of(path: Path) -> str:
    """Tell the type of a file that we wrote ourselves."""
    guessed = mimetypes.guess_type(path.name)[0] or "text/plain"
    return MIMES.get(path.suffix, guessed)


def asset(body: bytes, mime: str) -> Asset:
    """Compress a file where that gains something."""
    textual = mime.startswith(TEXTUAL) and len(body) >= LEAST_TO_COMPRESS
    return Asset(mime, body, gzip.compress(body, 9, mtime=0) if textual else None)


def respond(request: Request, one: Asset, headers: dict[str, str]) -> Response:
    """Send a file, compressed where the browser takes it."""
    headers = headers | {"Vary": "Accept-Encoding"}
    if one.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            one.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=one.mime
        )
    return Response(one.body, headers=headers, media_type=one.mime)
