from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from workers import watchdog
from workers.watchdog import Pulse, Watchdog, cpu_seconds

# Each prints its process id into the file that it is given, then behaves as its name says.
SAYS = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()} ')\n"
PULSE = "from workers.watchdog import Pulse; pulse = Pulse.inherited(os.environ)\n"
ENDS = SAYS + "sys.exit(0)"
FAILS = SAYS + "sys.exit(3)"
HANGS_ONCE = (
    SAYS
    + PULSE
    + "if len(open(sys.argv[1]).read().split()) > 1: sys.exit(0)\n"
    + "pulse.busy(0.3); time.sleep(60)"
)
SLEEPS_BUSILY = (
    SAYS
    + PULSE
    + ("if len(open(sys.argv[1]).read().split()) > 1: sys.exit(0)\npulse.busy(60); time.sleep(60)")
)
WORKS = SAYS + PULSE + "pulse.busy(60)\nfor _ in range(30): sum(range(400_000))\nsys.exit(0)"
WAITS = SAYS + PULSE + "pulse.idle(60); time.sleep(60)"
STUBBORN = SAYS + "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def keep(code: str, told: Path, *, once: bool = True) -> tuple[int, list[int]]:
    command = [sys.executable, "-c", code, str(told)]
    status = Watchdog(command, dict(os.environ)).keep(once=once)
    return status, [int(pid) for pid in told.read_text().split()]


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def stop_soon(told: Path, after: int = 1) -> None:
    """Ask this process to stop, as an operator would, once the watched one has started."""

    def ask() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if told.exists() and len(told.read_text().split()) >= after:
                break
            time.sleep(0.05)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=ask, daemon=True).start()


def test_what_ends_well_is_left_alone_when_asked_once(told: Path) -> None:
    assert keep(ENDS, told)[0] == 0
    assert len(told.read_text().split()) == 1


def test_what_fails_is_started_again_with_growing_pauses(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "SHORTEST_PAUSE", 0.05)
    stop_soon(told, after=3)
    status, pids = keep(FAILS, told, once=False)
    assert status == 0
    assert len(set(pids)) >= 3
    assert not any(alive(pid) for pid in pids)


def test_a_broken_promise_ends_the_process(told: Path) -> None:
    begun = time.monotonic()
    status, pids = keep(HANGS_ONCE, told)
    assert status == 0
    assert len(pids) == 2
    assert time.monotonic() - begun < 30


def test_a_process_that_is_busy_and_does_nothing_is_ended(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "STALLED_SECONDS", 1.0)
    status, pids = keep(SLEEPS_BUSILY, told)
    assert status == 0
    assert len(pids) == 2


def test_a_process_that_works_is_left_alone(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "STALLED_SECONDS", 5.0)
    status, pids = keep(WORKS, told)
    assert (status, len(pids)) == (0, 1)


def test_a_process_that_waits_for_work_is_left_alone_until_told_to_stop(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "STALLED_SECONDS", 0.2)
    stop_soon(told)
    status, pids = keep(WAITS, told, once=False)
    assert (status, len(pids)) == (0, 1)
    assert not alive(pids[0])


def test_a_process_that_will_not_stop_is_ended(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "STOP_SECONDS", 0.5)
    stop_soon(told)
    status, pids = keep(STUBBORN, told, once=False)
    assert (status, len(pids)) == (0, 1)
    assert not alive(pids[0])


def test_a_pulse_outside_a_watchdog_does_nothing() -> None:
    Pulse.inherited({}).busy(1)
    Pulse.inherited({}).idle(1)


def test_the_processor_time_of_a_process_is_known() -> None:
    before = cpu_seconds(os.getpid())
    sum(range(5_000_000))
    assert cpu_seconds(os.getpid()) > before
    assert cpu_seconds(2**22 + 1) == 0
