"""What is promised when something is killed: every report that got a receipt ends, once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from ingest.queue import Stage
from models.complaint import Complaint
from models.database import reading
from models.medium import Medium
from models.settings import Settings
from models.status import Status
from tests.files import sound
from tests.integration.processes import Installation, alive, await_that, find, free_port, up
from workers.house import open_house
from workers.prepare import prepare

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    # One installation for all of them, in one process of the test run.
    pytest.mark.xdist_group("recovery"),
]

TEXT = "石桥村的路三年没有修，修路的钱不知道去了哪里。"
SAMPLES = Path(__file__).parents[2] / "samples" / "demo"
# Quicker than the defaults, so that the tests are; the promise is made with the defaults.
QUICK = {"sweep_seconds": 1, "stale_seconds": 3, "log_level": "WARNING"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, int]]:
    """One whole installation in real processes, and the id of the one that started them."""
    data = tmp_path_factory.mktemp("up")
    installation = Installation(Settings(data=data, port=free_port(), **QUICK))  # type: ignore[arg-type]
    with up(installation) as process:
        yield installation, process.pid
    installation.close()


def voice() -> bytes:
    return (SAMPLES / "zh-phone.m4a").read_bytes()


def test_reports_of_every_kind_end(running: tuple[Installation, int]) -> None:
    installation, _ = running
    sent = [
        installation.report(voice(), language="zh"),
        installation.report(text=TEXT),
        installation.report((SAMPLES / "zh-letter.heic").read_bytes()),
        installation.report(sound("wav")[:44]),
    ]
    voiced, typed, letter, empty = installation.wait(sent)
    assert voiced.transcripts == 1
    assert typed.status is Status.READY and typed.description
    assert letter.status is Status.READY
    assert empty.status is Status.NEEDS_LISTENER


def test_the_queue_server_killed_with_reports_queued(running: tuple[Installation, int]) -> None:
    installation, pid = running
    sent = [installation.report(voice()) for _ in range(3)]
    sent += [installation.report(text=f"{TEXT}{number}") for number in range(3)]
    server = find(pid, "valkey-server")
    server.kill()
    ends = installation.wait(sent)
    assert all(end.transcripts <= 1 for end in ends)
    assert [end.status for end in ends[3:]] == [Status.READY] * 3


def test_the_queue_wiped(running: tuple[Installation, int]) -> None:
    installation, _ = running
    sent = [installation.report(voice()) for _ in range(2)]
    sent += [installation.report(text=f"{TEXT}{number}") for number in range(2)]
    installation.queue.connection.flushall()
    ends = installation.wait(sent)
    assert all(end.transcripts <= 1 for end in ends)


def test_the_api_killed_between_the_commit_and_the_queue(
    running: tuple[Installation, int],
) -> None:
    installation, _ = running
    text = f"{TEXT}提交之后进程就没了"
    dying = installation.start([sys.executable, "-m", "tests.integration.dying_intake", text])
    assert dying.wait(60) == -signal.SIGKILL
    with reading(installation.engine) as session:
        medium = session.exec(select(Medium).where(Medium.text == text)).one()
    (end,) = installation.wait([medium.complaint_id])
    assert end.status is Status.READY


def test_the_transcribe_worker_killed_with_reports_queued(
    running: tuple[Installation, int],
) -> None:
    installation, pid = running
    sent = [installation.report(voice()) for _ in range(4)]
    worker = find(pid, "workers.transcribe import watched")
    worker.kill()
    ends = installation.wait(sent)
    assert [end.transcripts for end in ends] == [1] * 4


def test_the_prepare_worker_killed_with_reports_queued(
    running: tuple[Installation, int],
) -> None:
    installation, pid = running
    sent = [installation.report(voice()) for _ in range(3)]
    sent += [installation.report(text=f"{TEXT}{number}") for number in range(3)]
    worker = find(pid, "workers.prepare import watched")
    children = worker.children(recursive=True)
    worker.kill()
    ends = installation.wait(sent)
    assert all(end.transcripts <= 1 for end in ends)
    assert [end.status for end in ends[3:]] == [Status.READY] * 3
    assert not alive(children)


def test_any_job_done_again_changes_nothing(running: tuple[Installation, int]) -> None:
    installation, _ = running
    sent = [installation.report(voice()), installation.report(text=TEXT)]
    before = installation.wait(sent)
    with reading(installation.engine) as session:
        media = [
            session.exec(select(Medium.id).where(Medium.complaint_id == one)).one() for one in sent
        ]
        rows = [session.get_one(Complaint, one).model_dump() for one in sent]
    for medium_id in media:
        installation.queue.enqueue(Stage.PREPARE, medium_id)
        installation.queue.enqueue(Stage.TRANSCRIBE, medium_id)
    await_that(lambda: not any(installation.queue.held(stage) for stage in Stage), seconds=60)
    assert [installation.ended(one) for one in sent] == before
    with reading(installation.engine) as session:
        assert [session.get_one(Complaint, one).model_dump() for one in sent] == rows
    # What others left behind, who killed the workers of this installation, does not count.
    assert not any(installation.queue.fallen(stage) & set(media) for stage in Stage)


def test_a_worker_killed_in_the_middle_of_a_job_with_the_default_settings(
    tmp_path: Path, settings: Settings, redis: object
) -> None:
    """SIGKILL while the engine is at work: the report is ready, once, within two minutes."""
    installation = Installation(settings)
    mark = tmp_path / "begun"
    try:
        sent = [installation.report(sound("wav"), language="zh") for _ in range(2)]
        house = open_house(settings)
        with house.nursery, reading(installation.engine) as session:
            for medium_id in session.exec(select(Medium.id)).all():
                prepare(house, medium_id)
        installation.start([sys.executable, "-c", "from workers.sweep import main; main()"])
        watch = installation.start(
            [
                sys.executable,
                "-c",
                "import os, sys; from workers.watchdog import Watchdog\n"
                "Watchdog([sys.executable, '-m', 'tests.integration.slow_worker', sys.argv[1]],"
                " os.environ).keep()",
                str(mark),
            ]
        )
        await_that(mark.exists, 60)
        pid, batch = (int(one) for one in mark.read_text().split())
        assert batch == 2
        assert find(watch.pid, "slow_worker") is not None
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        ends = installation.wait(sent)
        took = time.monotonic() - killed
        assert [end.status for end in ends] == [Status.READY] * 2
        assert [end.transcripts for end in ends] == [1] * 2
        # What was in the crash is not put together again.
        assert [line.split()[1] for line in mark.read_text().splitlines()[1:]] == ["1", "1"]
        assert took < 120
    finally:
        installation.close()
