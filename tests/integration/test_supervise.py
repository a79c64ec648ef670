"""The supervisor starts again what ends, and nothing outlives it, however it ends itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from models.settings import Settings
from tests.integration.processes import (
    Installation,
    alive,
    await_that,
    command_of,
    family_of,
    find,
    free_port,
)

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

SMALL = [sys.executable, "-m", "tests.integration.small_up"]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(Settings(data=tmp_path / "data", port=free_port()))
    yield made
    made.close()


def started(installation: Installation) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    process = installation.start(SMALL)
    await_that(lambda: find(process.pid, "# stubborn"), 60)
    return process, family_of(process.pid)[1:]


def test_a_part_that_was_killed_is_started_again(installation: Installation) -> None:
    process, _ = started(installation)
    for words in ("# sleeper", "valkey-server"):
        before = find(process.pid, words)
        assert before is not None
        before.kill()
        await_that(lambda: (now := find(process.pid, words)) and now.pid != before.pid, 60)  # noqa: B023
    await_that(installation.queue.alive, 60)


def test_all_parts_end_when_it_is_asked_to(installation: Installation) -> None:
    process, family = started(installation)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    await_that(lambda: not alive(family), 10)


def test_all_parts_end_when_it_is_killed(installation: Installation) -> None:
    process, family = started(installation)
    obedient = [one for one in family if "# stubborn" not in command_of(one)]
    process.kill()
    process.wait()
    await_that(lambda: not alive(obedient), 30)
    for one in alive(family):
        one.kill()


def test_a_second_one_on_the_same_folder_is_refused(installation: Installation) -> None:
    process, _ = started(installation)
    second = installation.start(SMALL)
    assert second.wait(60) != 0
    assert process.poll() is None
    assert installation.queue.alive()


def test_it_can_be_started_again_at_once_after_it_was_killed(installation: Installation) -> None:
    process, family = started(installation)
    process.kill()
    process.wait()
    again, _ = started(installation)
    assert again.poll() is None
    await_that(installation.queue.alive, 60)
    for one in alive(family):
        one.kill()


def test_a_port_that_is_taken_is_told(installation: Installation, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", installation.settings.port)):
        said = tmp_path / "said.log"
        with said.open("wb") as output:
            assert installation.start(SMALL, output).wait(60) != 0
    assert f":{installation.settings.port}" in said.read_text("utf-8")
