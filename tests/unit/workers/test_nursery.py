from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from models.errors import Permanent, Unplayable
from workers.confine import Bounds, Overrun, Task
from workers.nursery import Nursery

MEGABYTE = 1024 * 1024
BOUNDS = Bounds(memory_bytes=256 * MEGABYTE, cpu_seconds=10, wall_seconds=10)
ROOT = Path(__file__).parents[3]


# What children do stands here, since a nursery finds it by its name.
def echo(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()


def digest(path: Path) -> Iterator[bytes]:
    yield hashlib.sha256(path.read_bytes()).digest()
    yield path.read_bytes()


def hang(_: Path) -> Iterator[bytes]:
    # One call into native code that holds the interpreter and never ends.
    ctypes.PyDLL(None).pause()
    yield b""


def burn(_: Path) -> Iterator[bytes]:
    while True:
        hash("x" * 1000)
    yield b""


def swell(_: Path) -> Iterator[bytes]:
    held = [np.ones(20 * MEGABYTE, np.uint8) for _ in range(40)]
    yield bytes(len(held))


def refuse(_: Path) -> Iterator[bytes]:
    yield b"half a result"
    raise Unplayable("不该出现的内容", "a marked message")


def fail(_: Path, error: type[BaseException]) -> Iterator[bytes]:
    raise error("marked")
    yield b""


def crash(_: Path) -> Iterator[bytes]:
    os.kill(os.getpid(), signal.SIGSEGV)
    yield b""


def murder(_: Path) -> Iterator[bytes]:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
    yield b""


def surroundings(_: Path) -> Iterator[bytes]:
    named = " ".join(sorted(os.environ))
    held = " ".join(str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.exists())
    threads = len(list(Path("/proc/self/task").iterdir()))
    yield f"{threads}\n{named}\n{held}".encode()


def tell(_: Path, where: Path) -> Iterator[bytes]:
    where.write_text(str(os.getpid()))
    time.sleep(60)
    yield b""


def complain(_: Path) -> Iterator[bytes]:
    os.write(2, b"a marked complaint")
    yield b"done"


def start_a_thread() -> None:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def test_a_file_goes_in_and_its_result_comes_out(nursery: Nursery) -> None:
    content = os.urandom(5 * MEGABYTE)
    result = nursery.run(Task(digest), [content[:MEGABYTE], content[MEGABYTE:]], BOUNDS)
    assert result[:32] == hashlib.sha256(content).digest()
    assert result[32:] == content


def test_native_code_that_hangs_is_ended_at_the_wall_clock(nursery: Nursery) -> None:
    bounds = Bounds(memory_bytes=256 * MEGABYTE, cpu_seconds=600, wall_seconds=0.5)
    with pytest.raises(Overrun):
        nursery.run(Task(hang), [], bounds)


def test_a_child_that_burns_its_processor_time_is_ended(nursery: Nursery) -> None:
    bounds = Bounds(memory_bytes=256 * MEGABYTE, cpu_seconds=1, wall_seconds=200)
    with pytest.raises(Overrun):
        nursery.run(Task(burn), [], bounds)


def test_a_child_cannot_take_more_memory_than_it_may(nursery: Nursery) -> None:
    with pytest.raises(Overrun):
        nursery.run(Task(swell), [], BOUNDS)


def test_what_cannot_be_read_says_so_without_its_message(nursery: Nursery) -> None:
    with pytest.raises(Permanent) as caught:
        nursery.run(Task(refuse), [], BOUNDS)
    assert caught.value.code == "unplayable"
    assert "marked" not in str(caught.value)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_other_end_is_an_overrun(nursery: Nursery, error: type[BaseException]) -> None:
    with pytest.raises(Overrun):
        nursery.run(Task(partial(fail, error=error)), [], BOUNDS)


def test_a_crash_is_an_overrun(nursery: Nursery) -> None:
    with pytest.raises(Overrun):
        nursery.run(Task(crash), [], BOUNDS)


def test_a_child_that_kills_its_nursery_costs_its_own_task_only() -> None:
    with Nursery() as nursery:
        with pytest.raises(Overrun):
            nursery.run(Task(murder), [], BOUNDS)
        assert nursery.run(Task(echo), [b"next"], BOUNDS) == b"next"


def test_a_nursery_that_was_killed_while_idle_costs_nothing() -> None:
    with Nursery() as nursery:
        nursery.start()
        assert nursery._process is not None
        nursery._process.kill()
        nursery._process.wait()
        assert nursery.run(Task(echo), [b"next"], BOUNDS) == b"next"


def test_a_child_knows_no_setting_holds_no_connection_and_has_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XIANGYIN_DATABASE_URL", "postgresql://marked")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "marked")
    with Nursery() as own:
        threads, named, held = own.run(Task(surroundings), [], BOUNDS).decode().split("\n")
    assert threads == "1"
    assert not any(name.startswith(("XIANGYIN", "AWS")) for name in named.split())
    assert "socket" not in held


def test_a_library_that_starts_a_thread_is_found_out_before_a_fork() -> None:
    with Nursery() as nursery, pytest.raises(Overrun):
        nursery.run(Task(echo, start_a_thread), [], BOUNDS)


def test_what_a_library_says_of_a_file_is_written_nowhere(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Nursery() as nursery:
        assert nursery.run(Task(complain), [], BOUNDS) == b"done"
    assert "marked" not in "".join(capfd.readouterr())


def test_a_child_ends_with_the_worker_that_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = (
        "from functools import partial; from pathlib import Path\n"
        "from tests.unit.workers.test_nursery import BOUNDS, Nursery, Task, tell\n"
        f"Nursery().run(Task(partial(tell, where=Path({str(told)!r}))), [], BOUNDS)"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    try:
        until = time.monotonic() + 60
        while not (told.exists() and told.read_text()):
            assert time.monotonic() < until
            time.sleep(0.02)
        child = psutil.Process(int(told.read_text()))
    finally:
        worker.kill()
        worker.wait()
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive


def test_no_descriptor_is_left_open(nursery: Nursery) -> None:
    nursery.run(Task(echo), [b"x"], BOUNDS)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        nursery.run(Task(echo), [b"x"], BOUNDS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
