"""A line between phone and server that is slow and cuts every connection again and again."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

PIECE = 4096


class CuttingLine:
    """While `bad`, pass bytes on at `bytes_a_second` and cut all connections each `every` seconds.

    cuts : how often at least one connection was cut
    """

    def __init__(self, port: int, *, bytes_a_second: int, every: float) -> None:
        self._target = port
        self._rate = bytes_a_second
        self._every = every
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.cuts = 0
        self.bad = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        for work in (self._accept, self._cut):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection there is."""
        with self._lock:
            self.cuts += bool(self._open)
            for end in self._open:
                _end(end)
            self._open.clear()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()
            if self._stop.is_set():
                self.cut()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(PIECE):
                other.sendall(data)
                if self.bad:
                    time.sleep(len(data) / self._rate)
        for end in (one, other):
            _end(end)
            end.close()

    def _cut(self) -> None:
        while not self._stop.wait(self._every):
            if self.bad:
                self.cut()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
