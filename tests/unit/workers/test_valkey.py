from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis

from models.errors import Misconfigured
from workers.valkey import SOCKET_PATH_BYTES, Valkey, address, socket_path


@pytest.fixture
def server(tmp_path: Path):  # type: ignore[no-untyped-def]
    one = Valkey(tmp_path / "data")
    one.start()
    yield one
    one.stop()


def test_it_answers_on_a_socket_that_only_its_owner_opens(server: Valkey, tmp_path: Path) -> None:
    assert Redis.from_url(server.url).ping()
    path = socket_path(tmp_path / "data")
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert Redis.from_url(server.url).config_get("port") == {"port": "0"}
    assert Redis.from_url(server.url).config_get("maxmemory-policy") == {
        "maxmemory-policy": "noeviction"
    }


def test_what_was_written_survives_a_kill(server: Valkey) -> None:
    Redis.from_url(server.url).rpush("queue", *range(100))
    time.sleep(1.1)
    server.kill()
    assert server.poll() is not None
    server.start()
    assert Redis.from_url(server.url).llen("queue") == 100


def test_a_second_one_on_the_same_folder_is_refused(server: Valkey, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        Valkey(tmp_path / "data").start()
    assert Redis.from_url(server.url).ping()


def test_a_socket_path_that_is_too_long_is_moved(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    path = socket_path(deep)
    assert len(os.fsencode(path)) <= SOCKET_PATH_BYTES
    assert path == socket_path(deep)
    assert path != socket_path(deep.parent)
    one = Valkey(deep)
    one.start()
    try:
        assert Redis.from_url(address(deep)).ping()
    finally:
        one.stop()
        path.parent.rmdir()


def test_it_ends_when_what_started_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from workers.valkey import Valkey\n"
        "one = Valkey(Path(sys.argv[1])); one.start(); print(one.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "data")], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        if ") Z " in Path(f"/proc/{pid}/stat").read_text():
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}").exists()
