"""A whole installation in real processes, and what can be done to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import psutil
from sqlmodel import col, select

from ingest.accept import About, Intake
from ingest.blobs import open_blobs
from ingest.queue import Queue, RedisQueue, connect
from models.complaint import Complaint
from models.database import open_database, reading
from models.medium import Kind, Medium
from models.settings import Settings
from models.status import Status
from models.transcript import Transcript
from tests.conftest import furnish
from workers.environment import as_environment
from workers.family import end_with_parent
from workers.stores import queue_address

ROOT = Path(__file__).parents[2]
# What the promise says; a machine that is busy with other things gets no more than that.
PROMISED_SECONDS = 120.0
START_SECONDS = 90.0


@dataclass(frozen=True)
class Ended:
    """How a report ended. transcripts : versions of all its media together"""

    status: Status
    version: int
    description: str
    transcripts: int


class Installation:
    """A furnished data folder, and the processes that were started on it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine, self.keys = open_database(settings)
        furnish(self.engine)
        self.blobs = open_blobs(settings.blobs, self.keys, settings.data / "staging")
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def queue(self) -> RedisQueue:
        return RedisQueue(connect(queue_address(self.settings), seconds=5))

    def intake(self, queue: Queue | None = None) -> Intake:
        limits = self.settings.limits
        return Intake(self.engine, self.keys, self.blobs, queue or self.queue, limits)

    def report(self, *contents: bytes, text: str = "", language: str = "") -> UUID:
        """Take a report in as the API does."""
        intake = self.intake()
        parts = []
        for content in contents:
            writer = intake.receive(Kind.VOICE)
            writer.write(content)
            parts.append(writer.finish())
        about = About(channel="xsl-clinic", text=text, declared_language=language)
        return intake.accept(parts, about).complaint_id

    def start(
        self, command: Sequence[str], said: BinaryIO | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a process with this installation's settings in its environment.

        said : file that takes what it and all its children write; None: where this one's goes
        """
        process = subprocess.Popen(
            list(command),
            stdout=said,
            stderr=said,
            cwd=ROOT,
            env={**os.environ, **as_environment(self.settings)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # A test run that is killed takes everything with it.
            preexec_fn=partial(end_with_parent, os.getpid()),
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End everything that was started, and everything that those started."""
        family = [one for process in self._started for one in family_of(process.pid)]
        for process in self._started:
            if process.poll() is None:
                process.terminate()
        for process in self._started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for one in family:
            if one.is_running():
                one.kill()
        self.engine.dispose()

    def ended(self, complaint_id: UUID) -> Ended | None:
        """Tell how a report ended, or None while it has not."""
        with reading(self.engine) as session:
            complaint = session.get_one(Complaint, complaint_id)
            if complaint.settled_at is None:
                return None
            media = session.exec(select(Medium.id).where(Medium.complaint_id == complaint_id)).all()
            versions = session.exec(
                select(Transcript.id).where(col(Transcript.medium_id).in_(media))
            ).all()
            return Ended(complaint.status, complaint.version, complaint.description, len(versions))

    def wait(self, complaint_ids: Sequence[UUID], seconds: float = PROMISED_SECONDS) -> list[Ended]:
        """Wait until reports have ended; fail when the time is up."""
        await_that(lambda: all(self.ended(one) for one in complaint_ids), seconds)
        return [end for one in complaint_ids if (end := self.ended(one))]


def await_that(condition: Callable[[], object], seconds: float) -> None:
    """Wait until something holds; fail when the time is up."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.1)


def family_of(pid: int) -> list[psutil.Process]:
    """Give a process with all that descend from it."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def find(pid: int, words: str, seconds: float = 30) -> psutil.Process:
    """Find the first descendant whose command line has these words, parents before children.

    One that is being started, or started again, is waited for.
    """
    until = time.monotonic() + seconds
    while True:
        for one in family_of(pid):
            if words in command_of(one):
                return one
        assert time.monotonic() < until, f"there is no {words}"
        time.sleep(0.1)


def command_of(process: psutil.Process) -> str:
    """Give a process's command line; one that has ended has none."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Give those that still run."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def up(
    installation: Installation, said: BinaryIO | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run everything as `xiangyin up` does, until the block ends. said : as for `start`"""
    process = installation.start([sys.executable, "-m", "xiangyin", "up"], said)
    await_that(lambda: installation.queue.alive(), START_SECONDS)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
