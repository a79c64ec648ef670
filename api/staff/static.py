"""The console's own files: style, scripts and what is vendored."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Response

from api.staff.pages import STATIC
from models.errors import NotFound

router = APIRouter(prefix="/staff/static", include_in_schema=False)
MIMES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/{path:path}")
def static(path: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """Give a file that was shipped, unless the browser has just this one."""
    found = _FILES.get(path)
    if found is None:
        raise NotFound("没有这个文件。", "There is no such file.", code="no_such_address")
    body, mime, etag = found
    headers = {"Cache-Control": "no-cache", "ETag": etag}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=mime, headers=headers)


def _read() -> dict[str, tuple[bytes, str, str]]:
    found = {}
    for folder in (STATIC, STATIC.joinpath("vendor")):
        for file in folder.iterdir():
            mime = MIMES.get("." + file.name.rpartition(".")[2])
            if file.is_file() and mime:
                prefix = "vendor/" if folder.name == "vendor" else ""
                body = file.read_bytes()
                etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
                found[prefix + file.name] = (body, f"{mime}; charset=utf-8", etag)
    return found


_FILES = _read()
