"""Threads of libraries do not wait for one another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VARIABLE = "OPENBLAS_NUM_THREADS"
LOOK = "import os, {room}, numpy; print(len(os.listdir('/proc/self/task')))"


def threads(room: str, told: dict[str, str]) -> int:
    bare = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(room=room)],
        cwd=ROOT,
        env=bare | told | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.parametrize("room", ["models", "ingest", "transcribe", "workers.transcribe"])
def test_numpy_computes_on_one_thread(room: str) -> None:
    assert threads(room, {}) == 1


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has one thread anyway")
def test_an_operator_may_want_more() -> None:
    assert threads("models", {VARIABLE: "2"}) == 2
