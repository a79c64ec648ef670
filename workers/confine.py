"""Being a child that works on an untrusted file and cannot outgrow its limits.

File and result travel through memory that has no name on any disk. What hangs in native code is
ended by a signal that cannot be caught, and a child without a parent ends.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from models.errors import Permanent, XiangyinError
from models.settings import Limits
from workers.family import end_with_parent

# The largest result is half an hour of 16 kHz samples with its copy, some 75 MB.
LARGEST_RESULT = 512 * 1024 * 1024
EXIT_DONE = 0
EXIT_PERMANENT = 3
EXIT_FAILED = 4
FEWEST_DESCRIPTORS = 64
MOST_CODE_BYTES = 64


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


def nothing() -> None:
    """Load nothing."""


@dataclass(frozen=True)
class Task:
    """What a child is to do; functions of modules only, since it is told to another process.

    work : takes the path of the file, gives the result in pieces; Permanent that it raises is
    raised where the task was given too, with nothing of its message
    load : what is worth having in memory before the child is born; called every time
    """

    work: Callable[[Path], Iterable[bytes]]
    load: Callable[[], object] = nothing


def live(task: Task, bounds: Bounds, file: int, result: int, parent: int) -> NoReturn:
    """Be the child. Nothing here returns, and no handler of the parent's is run.

    file, result : descriptors of the file and of where its result goes; parent : its process id
    """
    code = EXIT_FAILED
    try:
        end_with_parent(parent, signal.SIGKILL)
        _bind(bounds)
        for piece in task.work(Path(f"/proc/self/fd/{file}")):
            write(result, piece)
        code = EXIT_DONE
    except Permanent as error:
        os.ftruncate(result, 0)
        os.pwrite(result, error.code.encode()[:MOST_CODE_BYTES], 0)
        code = EXIT_PERMANENT
    except BaseException:
        code = EXIT_FAILED
    finally:
        os._exit(code)


def outcome(status: int, result: int) -> bytes:
    """Give the result of a child that ended. status : as os.waitpid gives it

    Raise Permanent if the work cannot be done at all, Overrun if a limit ended it.
    """
    if os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == EXIT_FAILED:
        raise overrun()
    if os.waitstatus_to_exitcode(status) == EXIT_PERMANENT:
        raise Permanent(
            "文件无法读取，已保留原件。",
            "The file cannot be read; its original is kept.",
            code=os.pread(result, MOST_CODE_BYTES, 0).decode("ascii", "replace"),
        )
    with os.fdopen(os.dup(result), "rb") as held:
        held.seek(0)
        return held.read()


def overrun() -> Overrun:
    """Make the error of a child that did not come to its end."""
    return Overrun(
        "处理超出限制，将重试。",
        "Processing went over its limits and will be tried again.",
    )


def write(descriptor: int, piece: bytes) -> None:
    """Write all of a piece."""
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _bind(bounds: Bounds) -> None:
    born = _address_space() + bounds.memory_bytes
    for limit, value in (
        (resource.RLIMIT_AS, born),
        (resource.RLIMIT_CPU, bounds.cpu_seconds + _cpu_used()),
        (resource.RLIMIT_FSIZE, LARGEST_RESULT),
        (resource.RLIMIT_NOFILE, FEWEST_DESCRIPTORS),
        # A core file would hold what somebody said.
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    for caught in (signal.SIGTERM, signal.SIGXCPU):
        signal.signal(caught, signal.SIG_DFL)
    faulthandler.disable()
    # What a library complains about may be what a file says.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)


def _address_space() -> int:
    """Give the bytes of address space in use (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _cpu_used() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int(used.ru_utime + used.ru_stime) + 1
