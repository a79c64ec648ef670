"""The demonstration as a newcomer runs it: every sample as expected, and Ctrl-C ends all of it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.integration.processes import alive, family_of, free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
CTRL_C = b"\x03"
UP_SECONDS = 300.0


def read_until(terminal: int, words: str) -> str:
    """Read what is shown until some words are, or the terminal closes."""
    until = time.monotonic() + UP_SECONDS
    shown = b""
    while words.encode() not in shown:
        assert time.monotonic() < until, shown.decode("utf-8", "replace")
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            piece = os.read(terminal, 65_536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    return shown.decode("utf-8", "replace")


def heed_ctrl_c(terminal: int) -> None:
    # Only the terminal that a process belongs to sends it a Ctrl-C.
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    # Whatever a shell starts in the background ignores it, and so would what the tests start.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_every_sample_ends_as_expected_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    port = free_port()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("XIANGYIN_")}
    demo = subprocess.Popen(
        [sys.executable, "-m", "xiangyin", "demo"],
        cwd=ROOT,
        env=bare
        | {
            "XIANGYIN_DATA": str(tmp_path),
            "XIANGYIN_PORT": str(port),
            "TERM": "xterm",
            "COLUMNS": "200",
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: heed_ctrl_c(theirs),
    )
    os.close(theirs)
    family: list[psutil.Process] = []
    try:
        shown = read_until(ours, "Ctrl-C stops everything")
        assert "Starting the queue" in shown
        assert "expected" not in shown
        assert httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
        family = family_of(demo.pid)
        assert len(family) > 6
        os.write(ours, CTRL_C)
        read_until(ours, "no more is shown")
        assert demo.wait(60) == 0
        _, left = psutil.wait_procs(family, timeout=10)
        assert not alive(left)
    finally:
        for one in [*family, *family_of(demo.pid)]:
            if one.is_running():
                one.kill()
        demo.wait()
        os.close(ours)


def test_a_port_that_is_taken_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    port = free_port()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("XIANGYIN_")}
    settings = {"XIANGYIN_DATA": str(tmp_path), "XIANGYIN_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as other:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        done = subprocess.run(
            [sys.executable, "-m", "xiangyin", "demo"],
            cwd=ROOT,
            env=bare | settings,
            capture_output=True,
            text=True,
        )
        other.kill()
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "xiangyin.db").exists()
