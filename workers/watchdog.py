"""A process that watches another from outside: what hangs is ended, what ended is started again.

The watched process promises through a pipe when it will next be heard of. It is ended when a
promise is broken, or when it is busy and yet uses no processor time, as in a deadlock, which no
timeout inside the process can be trusted to notice.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import structlog

from workers.family import end_with_parent

PULSE_VARIABLE = "XIANGYIN_PULSE_FD"
START_SECONDS = 600.0
STALLED_SECONDS = 60.0
STALLED_CPU_SECONDS = 0.05
LOOK_SECONDS = 0.5
STOP_SECONDS = 12.0
SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# A process that lived so long did not fail at its start.
LIVED_SECONDS = 60.0
BUSY = "busy"
IDLE = "idle"

log = structlog.get_logger()


class Pulse:
    """The watched side. Outside a watchdog it does nothing."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def inherited(cls, environment: Mapping[str, str]) -> Pulse:
        """Find the pipe that the watchdog handed down."""
        named = environment.get(PULSE_VARIABLE, "")
        return cls(int(named) if named else None)

    def busy(self, seconds: float) -> None:
        """Promise to be heard of again within so many seconds of work."""
        self._tell(BUSY, seconds)

    def idle(self, seconds: float) -> None:
        """Promise to be heard of again within so many seconds of waiting."""
        self._tell(IDLE, seconds)

    def _tell(self, state: str, seconds: float) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, f"{state} {seconds:.1f}\n".encode())


@dataclass
class Watched:
    """One run of the watched process, as far as the watchdog knows."""

    process: subprocess.Popen[bytes]
    pipe: int
    started: float
    due: float
    state: str = IDLE
    cpu: float = 0.0
    cpu_moved: float = 0.0

    def hear(self) -> bool:
        """Take what was written to the pipe; False once it is closed."""
        heard = os.read(self.pipe, 65_536)
        lines = heard.decode("ascii", "replace").splitlines()
        if lines:
            self.state, _, seconds = lines[-1].partition(" ")
            now = time.monotonic()
            self.due, self.cpu_moved = now + float(seconds or 0), now
        return bool(heard)

    def hangs(self) -> str:
        """Say why it is taken to hang, or nothing."""
        now = time.monotonic()
        if now > self.due:
            return "silent"
        used = cpu_seconds(self.process.pid)
        if self.state != BUSY or used - self.cpu > STALLED_CPU_SECONDS:
            self.cpu, self.cpu_moved = used, now
        return "stalled" if now - self.cpu_moved > STALLED_SECONDS else ""


class Watchdog:
    """Keep one command running."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._stopping = False

    def keep(self, *, once: bool = False) -> int:
        """Run the command until told to stop, or with `once` until it ends well by itself.

        Give the exit status: 0 for a stop that was asked for.
        """
        before = {
            caught: signal.signal(caught, self._stop) for caught in (signal.SIGTERM, signal.SIGINT)
        }
        pause = SHORTEST_PAUSE
        try:
            while True:
                watched = self._start()
                status = self._watch(watched)
                if self._stopping or (once and status == 0):
                    return 0
                log.warning("ended", pid=watched.process.pid, returncode=status)
                lived = time.monotonic() - watched.started
                pause = SHORTEST_PAUSE if lived > LIVED_SECONDS else pause
                self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                if self._stopping:
                    return 0
        finally:
            for caught, handler in before.items():
                signal.signal(caught, handler)

    def _start(self) -> Watched:
        heard, told = os.pipe()
        process = subprocess.Popen(
            self._command,
            env={**self._environment, PULSE_VARIABLE: str(told)},
            pass_fds=(told,),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGKILL),
        )
        os.close(told)
        now = time.monotonic()
        return Watched(process, heard, started=now, due=now + START_SECONDS, cpu_moved=now)

    def _watch(self, watched: Watched) -> int:
        """Watch one run until it ended; give its exit status."""
        asked = 0.0
        open_pipe = True
        try:
            while watched.process.poll() is None:
                ready, _, _ = select.select(
                    [watched.pipe] if open_pipe else [], [], [], LOOK_SECONDS
                )
                if ready:
                    open_pipe = watched.hear()
                if self._stopping and not asked:
                    asked = time.monotonic()
                    watched.process.terminate()
                why = watched.hangs()
                if why or (asked and time.monotonic() - asked > STOP_SECONDS):
                    log.error("killed", pid=watched.process.pid, reason=why or "slow to stop")
                    watched.process.kill()
                    watched.process.wait()
            return watched.process.returncode
        finally:
            os.close(watched.pipe)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stopping:
            time.sleep(0.05)

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._stopping = True


def cpu_seconds(pid: int) -> float:
    """Give the processor time that a process has used in all its threads (proc(5), stat)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks
