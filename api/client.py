"""A citizen's client of the interface for programs: submit files, read the receipt."""

from __future__ import annotations

import mimetypes
import secrets
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import httpx
from pydantic import BaseModel, ConfigDict

from models.errors import Invalid, Misconfigured, Unavailable, XiangyinError

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0
KEY_BYTES = 16
POLL_SECONDS = 1.0
TEXT_SUFFIXES = (".txt", ".text")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif")


class Reply(BaseModel):
    """What the server acknowledges with. receipt : 16 digits in groups of four."""

    model_config = ConfigDict(frozen=True)

    receipt: str


class Sending:
    """A file that tells, as it is sent, how many bytes of it have gone."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], object]) -> None:
        self._file = file
        self._told = tell

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._told(len(piece))
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Client:
    """Talk to one server. Use as a context manager."""

    def __init__(self, server: str, *, verify: bool | ssl.SSLContext = True) -> None:
        self._http = httpx.Client(
            base_url=server.rstrip("/"),
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            verify=verify,
            trust_env=False,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def submit(
        self,
        files: Sequence[Path],
        *,
        channel: str = "",
        language: str = "",
        text: str = "",
        tell: Callable[[int], object] = lambda _: None,
    ) -> Reply:
        """Send files as one report: recordings, photographs, and `.txt` files as typed text.

        tell : called with the number of bytes of each piece that is sent
        Raise Invalid for a file that cannot be read, Unavailable when no server answers, or the
        error that the server named.
        """
        texts = [text, *(_read_text(path) for path in files if path.suffix in TEXT_SUFFIXES)]
        fields = {
            "channel": channel,
            "declared_language": language,
            "text": "\n".join(part for part in texts if part),
        }
        with ExitStack() as stack:
            parts = [
                (
                    _field(path),
                    (
                        f"file{path.suffix}",
                        Sending(stack.enter_context(_open(path)), tell),
                        _mime(path),
                    ),
                )
                for path in files
                if path.suffix not in TEXT_SUFFIXES
            ]
            answer = self._ask(
                "POST",
                "/v1/reports",
                # As parts without a file name: plain fields would not be multipart without files.
                files=[*((name, (None, value)) for name, value in fields.items() if value), *parts],
                headers={"Idempotency-Key": secrets.token_hex(KEY_BYTES)},
            )
        return Reply.model_validate(answer)

    def state(self, receipt: str) -> dict[str, Any]:
        """Ask how the report behind a receipt stands, and what the office has answered."""
        return self._ask("GET", "/v1/report", headers={"Authorization": f"Receipt {receipt}"})

    def wait(self, receipt: str, seconds: float = 600.0) -> dict[str, Any]:
        """Ask until the report is processed; raise Unavailable when that takes too long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            state = self.state(receipt)
            if state.get("status") != "received":
                return state
            time.sleep(POLL_SECONDS)
        raise Unavailable(
            "还没有处理完，请过一会儿用回执再查。",
            "The report is not processed yet: ask again later with the receipt.",
            code="still_processing",
        )

    def ready(self) -> bool:
        """Tell whether the server is up and its parts answer."""
        try:
            return self._http.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise _untrusted(self._http.base_url) from error
            raise Unavailable(
                f"{self._http.base_url} 没有回应，请先运行 xiangyin up，或用 --server 指明地址。",
                f"No server answers at {self._http.base_url}: start one with `xiangyin up`, "
                "or name it with --server.",
                code="server_unavailable",
            ) from error
        body: dict[str, Any] = response.json() if _is_json(response) else {}
        if response.is_error:
            raise XiangyinError(
                body.get("zh", "服务器拒绝了请求。"),
                body.get("en", f"The server refused the request (status {response.status_code})."),
                code=body.get("code", "refused"),
            )
        return body


def trusting(certificate: Path | None) -> ssl.SSLContext:
    """Trust the known authorities, those of this machine, and a certificate of our own."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    if certificate is not None:
        context.load_verify_locations(certificate)
    return context


def _untrusted(server: httpx.URL) -> Misconfigured:
    return Misconfigured(
        f"{server} 的证书不受信任：请用证书上的名字，或用 XIANGYIN_TLS_CERTIFICATE 指明证书。",
        f"The certificate of {server} is not trusted: use the name that is on it, or give it as "
        "XIANGYIN_TLS_CERTIFICATE.",
        code="untrusted_certificate",
    )


def _is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "")


def _field(path: Path) -> str:
    return "image" if path.suffix.lower() in IMAGE_SUFFIXES else "audio"


def _mime(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path) from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> Invalid:
    return Invalid(
        f"读不了文件 {path}，请检查路径和权限。",
        f"{path} cannot be read: check its path and permissions.",
        code="unreadable_file",
    )
