"""The command line as a person or a program meets it: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from models.settings import Settings
from tests.integration.processes import Installation, await_that, free_port, up
from workers.environment import as_environment

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    # One installation for all of them, in one process of the test run.
    pytest.mark.xdist_group("command line"),
]

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "demo"
XIANGYIN = [sys.executable, "-m", "xiangyin"]
RECEIPT = re.compile(r"(\d{4} ){3}\d{4}")


def xiangyin(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("XIANGYIN_")}
    return subprocess.run(
        [*XIANGYIN, *words], cwd=ROOT, env=bare | settings, capture_output=True, text=True
    )


def on_a_terminal(*words: str, **settings: str) -> str:
    """Give everything that a command writes where a person looks on."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", **settings}
    with subprocess.Popen(
        [*XIANGYIN, *words], cwd=ROOT, env=environment, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:
                break
            if not piece:
                break
            written += piece
        os.close(ours)
    assert process.returncode == 0, written
    return written.decode("utf-8", "replace")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(data=tmp_path_factory.mktemp("up"), port=free_port(), log_level="WARNING")
    installation = Installation(settings)
    with up(installation):
        from api.client import Client

        with Client(settings.base_url) as client:
            await_that(client.ready, 90)
        yield settings
    installation.close()


def test_a_report_is_submitted_and_waited_for(running: Settings) -> None:
    files = [str(SAMPLES / "zh-phone.m4a"), str(SAMPLES / "zh-typed.txt")]
    done = xiangyin("submit", *files, "--server", running.base_url, "--wait", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert RECEIPT.fullmatch(told["receipt"])
    assert told["state"]["status"] in ("ready", "needs_listener")
    plain = xiangyin("submit", files[1], "--server", running.base_url)
    assert RECEIPT.fullmatch(plain.stdout.strip())


def test_a_person_sees_it_move_and_a_file_does_not(running: Settings) -> None:
    words = ("submit", str(SAMPLES / "zh-typed.txt"), "--server", running.base_url, "--wait")
    seen = on_a_terminal(*words)
    assert "Sending" in seen and "waiting" in seen
    assert RECEIPT.search(seen)


def test_what_the_server_refuses_is_one_sentence_in_each_language(
    running: Settings, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7 " + bytes(5_000))
    done = xiangyin("submit", str(paper), "--server", running.base_url)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "settings", "named"),
    [
        (("submit", "no-such-file.wav"), {}, "no-such-file.wav"),
        (("submit", "samples/demo/zh-typed.txt", "--server", "http://127.0.0.1:9"), {}, "up"),
        (("transcribe", "no-such-file.wav"), {}, "no-such-file.wav"),
        (("transcribe", "samples", "--pack", "no-such-pack"), {}, "no-such-pack"),
        (("sweep",), {"XIANGYIN_PORT": "x"}, "XIANGYIN_PORT"),
        (("normalise", "no-such-file.txt"), {}, "no-such-file.txt"),
        (("serve",), {}, "XIANGYIN_REDIS_URL"),
    ],
)
def test_what_cannot_be_done_says_what_to_do_and_ends_with_one(
    words: tuple[str, ...], settings: dict[str, str], named: str, tmp_path: Path
) -> None:
    done = xiangyin(*words, XIANGYIN_DATA=str(tmp_path), **settings)
    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_usage_ends_with_two() -> None:
    assert xiangyin("submit", "--nonsense").returncode == 2


def test_files_are_transcribed_without_queue_or_database(tmp_path: Path) -> None:
    files = [str(SAMPLES / "zh-phone.m4a"), str(SAMPLES / "rain-only.mp3")]
    done = xiangyin("transcribe", *files, "--json", XIANGYIN_DATA=str(tmp_path / "none"))
    assert (done.returncode, done.stderr) == (0, "")
    spoken, rain = [json.loads(line) for line in done.stdout.splitlines()]
    assert spoken["language"]["tag"] == "zh" and spoken["text"]
    assert (rain["status"], rain["reason"]) == ("needs_listener", "no_speech")
    assert not (tmp_path / "none").exists()


def test_transcribing_shows_a_bar_on_a_terminal_and_the_lines_above_it() -> None:
    seen = on_a_terminal("transcribe", str(SAMPLES / "rain-only.mp3"))
    assert "Transcribing" in seen
    assert "no_speech" in seen


def test_each_line_of_a_file_is_normalised(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("村支书收了三百块\n\n去年冬天停水\n", "utf-8")
    done = xiangyin("normalise", "--lines", "--json", str(texts))
    assert (done.returncode, done.stderr) == (0, "")
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 2


def test_the_sweeper_says_how_much_it_found(running: Settings) -> None:
    told = xiangyin("sweep", XIANGYIN_DATA=str(running.data))
    assert (told.returncode, told.stdout) == (0, "0 handed to the queue again\n")


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", xiangyin("version").stdout)


def test_workers_told_to_empty_their_queue_do_so_and_end(settings: Settings, redis: Redis) -> None:
    installation = Installation(settings)
    try:
        sent = [
            installation.report((SAMPLES / "zh-phone.m4a").read_bytes(), language="zh"),
            installation.report(text="村里的路没有修"),
        ]
        for stage in ("prepare", "transcribe"):
            done = xiangyin("worker", stage, "--burst", **as_environment(settings))
            assert done.returncode == 0, done.stderr
        assert all(installation.ended(one) for one in sent)
    finally:
        installation.close()
