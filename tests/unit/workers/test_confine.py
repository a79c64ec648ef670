from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.errors import Permanent, Unplayable
from workers.confine import Bounds, Confined, Overrun

MEGABYTE = 1024 * 1024
BOUNDS = Bounds(memory_bytes=256 * MEGABYTE, cpu_seconds=10, wall_seconds=10)


def run(work, content: bytes = b"", bounds: Bounds = BOUNDS) -> bytes:  # type: ignore[no-untyped-def]
    with Confined(work, bounds) as confined:
        return b"".join(confined.run([content]))


def test_a_file_goes_in_and_its_result_comes_out() -> None:
    content = os.urandom(5 * MEGABYTE)

    def digest(path: Path) -> Iterator[bytes]:
        yield hashlib.sha256(path.read_bytes()).digest()
        yield path.read_bytes()

    result = run(digest, content)
    assert result[:32] == hashlib.sha256(content).digest()
    assert result[32:] == content


def test_native_code_that_hangs_is_ended_at_the_wall_clock() -> None:
    def hang(_: Path) -> Iterator[bytes]:
        # One call into native code, during which no Python handler runs.
        yield bytes(np.linalg.svd(np.random.default_rng(1).random((4000, 4000)))[1][:1])

    begun = time.monotonic()
    with pytest.raises(Overrun):
        run(hang, bounds=Bounds(memory_bytes=2048 * MEGABYTE, cpu_seconds=60, wall_seconds=0.5))
    assert time.monotonic() - begun < 3


def test_a_child_that_burns_its_processor_time_is_ended() -> None:
    def burn(_: Path) -> Iterator[bytes]:
        while True:
            hash("x" * 1000)
        yield b""

    with pytest.raises(Overrun):
        run(burn, bounds=Bounds(memory_bytes=256 * MEGABYTE, cpu_seconds=1, wall_seconds=20))


def test_a_child_cannot_take_more_memory_than_it_may() -> None:
    def swell(_: Path) -> Iterator[bytes]:
        held = [np.ones(20 * MEGABYTE, np.uint8) for _ in range(40)]
        yield bytes(len(held))

    with pytest.raises(Overrun):
        run(swell)


def test_what_cannot_be_read_says_so_without_its_message() -> None:
    def refuse(_: Path) -> Iterator[bytes]:
        yield b"half a result"
        raise Unplayable("不该出现的内容", "a marked message")

    with pytest.raises(Permanent) as caught:
        run(refuse)
    assert caught.value.code == "unplayable"
    assert "marked" not in str(caught.value)


@pytest.mark.parametrize("error", [ValueError("marked"), KeyboardInterrupt(), SystemExit(0)])
def test_any_other_end_is_an_overrun(error: BaseException) -> None:
    def fail(_: Path) -> Iterator[bytes]:
        raise error
        yield b""

    with pytest.raises(Overrun):
        run(fail)


def test_a_crash_is_an_overrun() -> None:
    def crash(_: Path) -> Iterator[bytes]:
        os.kill(os.getpid(), 11)
        yield b""

    with pytest.raises(Overrun):
        run(crash)


def test_a_child_that_was_never_started_is_ended_too() -> None:
    with Confined(lambda _: iter(()), BOUNDS) as confined:
        pid = confined._pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    middle = os.fork()
    if middle == 0:

        def sleep(_: Path) -> Iterator[bytes]:
            told.write_text(str(os.getpid()))
            time.sleep(60)
            yield b""

        confined = Confined(sleep, BOUNDS)
        os.write(confined._go, b"g")
        time.sleep(60)
        os._exit(0)
    deadline = time.monotonic() + 5
    while not (told.exists() and told.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int(told.read_text())
    os.kill(middle, 9)
    os.waitpid(middle, 0)
    while time.monotonic() < deadline and Path(f"/proc/{child}/stat").exists():
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{child}").exists()


def test_no_descriptor_is_left_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        run(lambda path: iter([path.read_bytes()]), b"x")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
