"""Work on untrusted files in a child process that cannot outgrow its limits.

The child is forked before its parent opens a store or a database for the job, so that it inherits
no thread of theirs. File and result travel through memory that has no name on any disk. What
hangs in native code is ended by a signal that cannot be caught, and a child without a parent ends.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import select
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import Permanent, XiangyinError
from models.settings import Limits
from workers.family import end_with_parent

GO = b"g"
# The largest result is half an hour of 16 kHz samples with its copy, some 75 MB.
LARGEST_RESULT = 512 * 1024 * 1024
PIECE = 1024 * 1024
EXIT_DONE = 0
EXIT_PERMANENT = 3
EXIT_FAILED = 4
FEWEST_DESCRIPTORS = 64


class Overrun(XiangyinError):
    """The child was ended at one of its limits, or crashed. Another attempt may end otherwise."""

    code = "overrun"


@dataclass(frozen=True)
class Bounds:
    """What the child may use. memory : bytes of address space above what it is born with"""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float

    @classmethod
    def of(cls, limits: Limits) -> Self:
        """Give what the installation's limits allow for decoding one file."""
        return cls(
            memory_bytes=limits.decode_memory_bytes,
            cpu_seconds=limits.decode_cpu_seconds,
            wall_seconds=limits.decode_wall_seconds,
        )


Work = Callable[[Path], Iterable[bytes]]


class Confined:
    """One child that does one piece of work.

    work : takes the path of the file, gives the result in pieces; Permanent that it raises is
    raised in the parent too, with nothing of its message
    """

    def __init__(self, work: Work, bounds: Bounds) -> None:
        self._bounds = bounds
        self._file = os.memfd_create("file")
        self._result = os.memfd_create("result")
        wait, self._go = os.pipe()
        parent = os.getpid()
        with warnings.catch_warnings():
            # Since 3.12 it warns of threads; those of numpy hold no lock while they wait.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            self._live(work, wait, parent)
        os.close(wait)
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        if not self._ended:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._ended = True
        for descriptor in (self._file, self._result, self._go):
            os.close(descriptor)

    def run(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """Hand the file over, wait for the child to end, and give its result in pieces.

        Raise Permanent if the work cannot be done at all, Overrun if a limit ended it.
        """
        for piece in content:
            _write(self._file, piece)
        os.write(self._go, GO)
        status = self._wait()
        if os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == EXIT_FAILED:
            raise Overrun(
                "处理超出限制，将重试。",
                "Processing went over its limits and will be tried again.",
            )
        if os.waitstatus_to_exitcode(status) == EXIT_PERMANENT:
            raise Permanent(
                "文件无法读取，已保留原件。",
                "The file cannot be read; its original is kept.",
                code=os.pread(self._result, 64, 0).decode("ascii", "replace"),
            )
        size = os.fstat(self._result).st_size
        return (os.pread(self._result, PIECE, at) for at in range(0, size, PIECE))

    def _wait(self) -> int:
        """Wait within the wall clock; give the status as os.waitpid does."""
        descriptor = os.pidfd_open(self._pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(self._bounds.wall_seconds * 1000):
                os.kill(self._pid, signal.SIGKILL)
        finally:
            os.close(descriptor)
        _, status = os.waitpid(self._pid, 0)
        self._ended = True
        return status

    def _live(self, work: Work, wait: int, parent: int) -> None:
        """Be the child. Nothing here returns, and no handler of the parent's is run."""
        code = EXIT_FAILED
        try:
            end_with_parent(parent, signal.SIGKILL)
            os.close(self._go)
            if os.read(wait, 1) == GO:
                self._bind()
                for piece in work(Path(f"/proc/self/fd/{self._file}")):
                    _write(self._result, piece)
                code = EXIT_DONE
        except Permanent as error:
            os.ftruncate(self._result, 0)
            os.pwrite(self._result, error.code.encode(), 0)
            code = EXIT_PERMANENT
        except BaseException:
            code = EXIT_FAILED
        finally:
            os._exit(code)

    def _bind(self) -> None:
        born = _address_space() + self._bounds.memory_bytes
        for limit, value in (
            (resource.RLIMIT_AS, born),
            (resource.RLIMIT_CPU, self._bounds.cpu_seconds + _cpu_used()),
            (resource.RLIMIT_FSIZE, LARGEST_RESULT),
            (resource.RLIMIT_NOFILE, FEWEST_DESCRIPTORS),
            # A core file would hold what somebody said.
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(limit)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (value, value))
        for caught in (signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU):
            signal.signal(caught, signal.SIG_DFL)
        faulthandler.disable()
        # Ctrl-C in a terminal reaches the whole group; the parent decides what ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.alarm(0)


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _address_space() -> int:
    """Give the bytes of address space in use (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _cpu_used() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int(used.ru_utime + used.ru_stime) + 1
