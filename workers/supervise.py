"""Everything on one machine: start the parts, start again what ends, and leave nothing behind."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

import structlog

from models import logs
from models.database import open_database
from models.errors import Misconfigured, XiangyinError
from models.settings import Settings
from workers.environment import as_environment
from workers.family import end_with_parent
from workers.share import share
from workers.valkey import Valkey

LOCK_FILE = "up.lock"
LOOK_SECONDS = 0.2
SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# A part that lived so long did not fail at its start.
LIVED_SECONDS = 60.0
# Longer than the watchdog gives the worker it watches.
STOP_SECONDS = 15.0
SWEEPER = "from workers.sweep import main; main()"

log = structlog.get_logger()


@dataclass
class Part:
    """One process that is kept running. variables : what its environment has beside the settings"""

    name: str
    command: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    again: float = 0.0
    pause: float = SHORTEST_PAUSE

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the process; it ends with this one, however that ends."""
        self.process = subprocess.Popen(
            self.command,
            env={**environment, **self.variables},
            stdin=subprocess.DEVNULL,
            # Ctrl-C in a terminal reaches a whole group; we stop the parts in order ourselves.
            start_new_session=True,
            preexec_fn=partial(end_with_parent, os.getpid()),
        )
        self.started = time.monotonic()
        log.info("started", worker=self.name, pid=self.process.pid)

    def look(self, environment: Mapping[str, str]) -> None:
        """Start the process again if it ended, after a pause that grows while it keeps failing."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            log.warning("ended", worker=self.name, returncode=self.process.returncode)
            if now - self.started > LIVED_SECONDS:
                self.pause = SHORTEST_PAUSE
            self.process, self.again = None, now + self.pause
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
        if self.process is None and now >= self.again:
            self.start(environment)

    def ask(self) -> None:
        """Ask the process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait until the process ended, and end it where it does not."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("killed", worker=self.name, pid=self.process.pid)
            self.process.kill()
            self.process.wait()
        self.process = None


class Supervisor:
    """Run one installation until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._valkey: Valkey | None = None
        self._stopping = False
        python = sys.executable
        # Decoding is done by one child at a time, which threads would only keep waiting.
        lean = {"OMP_NUM_THREADS": "1"}
        shared = share(settings)
        threads = {"XIANGYIN_THREADS": str(shared.threads), "OMP_NUM_THREADS": str(shared.threads)}
        transcribe = [python, "-m", "xiangyin", "worker", "transcribe"]
        self.parts = (
            Part("serve", [python, "-m", "xiangyin", "serve"]),
            Part("prepare", [python, "-m", "xiangyin", "worker", "prepare"], lean),
            *(Part("transcribe", transcribe, threads) for _ in range(shared.workers)),
            Part("sweep", [python, "-c", SWEEPER], lean),
        )

    def run(self) -> None:
        """Start everything, keep it running, and stop it all on SIGINT or SIGTERM."""
        with _alone(self._settings), self._told_to_stop():
            _require_port(self._settings)
            # Created here, before the parts race for it.
            engine, _ = open_database(self._settings)
            engine.dispose()
            try:
                self._start_queue()
                environment = self._environment()
                for part in self.parts:
                    part.start(environment)
                while not self._stopping:
                    time.sleep(LOOK_SECONDS)
                    self._keep_queue()
                    for part in self.parts:
                        part.look(environment)
            finally:
                self._stop_everything()

    def _start_queue(self) -> None:
        if not self._settings.redis_url:
            self._valkey = Valkey(self._settings.data)
            self._valkey.start()

    def _keep_queue(self) -> None:
        if self._valkey is not None and self._valkey.poll() is not None:
            log.warning("ended", worker="valkey")
            try:
                self._valkey.start()
            except XiangyinError as error:
                log.error("not started", worker="valkey", code=error.code)
                time.sleep(SHORTEST_PAUSE)

    def _environment(self) -> dict[str, str]:
        given = {**os.environ, **as_environment(self._settings)}
        if self._valkey is not None:
            given["XIANGYIN_REDIS_URL"] = self._valkey.url
        return given

    def _stop_everything(self) -> None:
        for part in self.parts:
            part.ask()
        deadline = time.monotonic() + STOP_SECONDS
        for part in self.parts:
            part.end(deadline)
        if self._valkey is not None:
            self._valkey.stop()

    @contextmanager
    def _told_to_stop(self) -> Iterator[None]:
        def stop(_: int, __: FrameType | None) -> None:
            self._stopping = True

        caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {one: signal.signal(one, stop) for one in caught}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def _require_port(settings: Settings) -> None:
    """Raise Misconfigured if the web process could not listen, rather than start it for ever."""
    # The one of an installation that was killed a moment ago still ends its answers.
    patience = time.monotonic() + STOP_SECONDS
    while not _may_listen(settings):
        if time.monotonic() > patience:
            raise Misconfigured(
                f"无法在 {settings.host}:{settings.port} 监听，请先停止占用端口的程序，"
                "或设置 XIANGYIN_HOST、XIANGYIN_PORT。",
                f"Nothing can listen on {settings.host}:{settings.port}: stop whatever serves "
                "there, or set XIANGYIN_HOST and XIANGYIN_PORT.",
                code="cannot_listen",
            )
        time.sleep(LOOK_SECONDS)


def _may_listen(settings: Settings) -> bool:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError:
        return False
    return True


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the data folder; raise Misconfigured if another installation runs on it."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(
                f"数据目录 {settings.data} 已有一个乡音在运行，请先停止它。",
                f"Xiangyin already runs on {settings.data}: stop that one first.",
                code="already_running",
            ) from error
        yield


def run(settings: Settings) -> None:
    """Run everything on this machine until Ctrl-C."""
    logs.configure(settings.log_level, "up")
    Supervisor(settings).run()
