"""The process that confined children are born from.

It is started afresh and not forked, so it knows no key, no address of a store and no connection,
and neither does a child of its. It has loaded what the children need and has no thread but one: a
fork leaves other threads behind, with whatever locks they hold. So the worker itself may hold on to
its database and blob store, whose threads would not survive a fork, and each job costs one.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from models.errors import Misconfigured
from workers.confine import Bounds, Task, live, outcome, overrun, write
from workers.family import end_with_parent

SERVE = "from workers.nursery import serve; serve({})"
# All that the process is told of its surroundings; the settings are not among it.
HANDED_DOWN = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_ALL", "TZ", "TMPDIR")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)
MOST_TASK_BYTES = 65_536
STATUS_BYTES = 4
# Starting and loading, beside the child's own wall clock.
PATIENCE_SECONDS = 60.0


class Nursery:
    """Give work to children, one at a time. Its process is started with the first of them."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()

    def run(self, task: Task, content: Iterable[bytes], bounds: Bounds) -> bytes:
        """Let a child work on a file, and give the result.

        Raise Permanent if the work cannot be done at all, Overrun if a limit ended it.
        """
        file, result = os.memfd_create("file"), os.memfd_create("result")
        try:
            for piece in content:
                write(file, piece)
            return outcome(self._ask(task, bounds, (file, result)), result)
        finally:
            os.close(file)
            os.close(result)

    @property
    def children_seconds(self) -> float:
        """Give the processor time of all its children that have ended."""
        if self._process is None:
            return 0.0
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.children_user + times.children_system)

    def close(self) -> None:
        """End the process, and with it the child that is at work."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def start(self) -> None:
        """Start the process now rather than with the first task."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE.format(theirs.fileno())],
                env={name: os.environ[name] for name in HANDED_DOWN if name in os.environ}
                | ONE_THREAD,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGKILL),
            )
        self._line = ours

    def _ask(self, task: Task, bounds: Bounds, descriptors: Sequence[int]) -> int:
        """Hand a task over and wait; give the child's status as os.waitpid does."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self.start()
        assert self._line is not None
        self._line.settimeout(bounds.wall_seconds + PATIENCE_SECONDS)
        try:
            socket.send_fds(self._line, [pickle.dumps((task, bounds))], descriptors)
            answer = self._line.recv(STATUS_BYTES)
        except OSError:
            answer = b""
        if len(answer) != STATUS_BYTES:
            # Killed, or stuck: the next task gets another one.
            self.close()
            raise overrun()
        return int.from_bytes(answer, "little")


def serve(descriptor: int) -> None:
    """Be the nursery: bear a child for each task that comes in, until nobody is there to ask.

    What comes in was written by the worker; a child has no hold of the line.
    """
    with socket.socket(fileno=descriptor) as line:
        while True:
            told, given, _, _ = socket.recv_fds(line, MOST_TASK_BYTES, 2)
            if not told:
                return
            task, bounds = pickle.loads(told)
            task.load()
            # Or the first collection in each child would copy all that is inherited; what is
            # frozen is never collected, so what is of no use any more goes before.
            gc.collect()
            gc.freeze()
            _require_one_thread()
            status = _bear(line, task, bounds, given)
            for each in given:
                os.close(each)
            line.send(status.to_bytes(STATUS_BYTES, "little"))


def _bear(line: socket.socket, task: Task, bounds: Bounds, given: Sequence[int]) -> int:
    """Fork a child and wait for it within its wall clock; give its status."""
    nursery = os.getpid()
    pid = os.fork()
    if pid == 0:
        line.close()
        file, result = given
        live(task, bounds, file, result, nursery)
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(bounds.wall_seconds * 1000):
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    return status


def _require_one_thread() -> None:
    """Raise Misconfigured if something that was loaded has started a thread."""
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise Misconfigured(
            "解码进程里有多余的线程，不能安全地派生子进程，请检查所装的库。",
            "A library started a thread in the nursery, so children cannot be forked safely: "
            "check what is installed.",
            code="threads_in_nursery",
        )
