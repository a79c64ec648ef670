"""What a message costs around the model: queue, database, blobs and normalising.

A whole installation in a temporary folder takes messages in, prepares them by the worker that does
it in earnest, and settles them by the batch worker with an engine that answers at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlmodel import col, func, select

from ingest.accept import About, Intake
from ingest.queue import Stage
from models.channel import Channel
from models.database import reading, writing
from models.errors import XiangyinError
from models.medium import Kind, Medium
from models.packs import Pack
from models.settings import Settings
from models.status import MediumState
from models.transcript import Language, Recognition, Segment
from transcribe.engine import Request
from transcribe.turns import Tell
from workers import loop
from workers.batch import BatchWorker
from workers.environment import as_environment
from workers.house import House, build, lay_ground
from workers.machine import media_ms, message
from workers.prepare import Failed
from workers.stores import connect_worker
from workers.timing import processor_seconds
from workers.transcribe import MOST_JOBS, transcribe
from workers.valkey import Valkey

TEXT = "去年三月份村里修水渠，每户收了三百二十元，到现在水渠也没有修好，账目从来没有公开过。"
BATCH_SECONDS = 0.04


class Instant:
    """An engine that has heard it all before."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack

    def recognise(
        self, requests: Sequence[Request], tell: Tell = lambda _: None
    ) -> list[Recognition | XiangyinError]:
        """Give everybody the same text."""
        return [self._text(len(request.samples) / 16_000) for request in requests]

    def _text(self, seconds: float) -> Recognition:
        segment = Segment(start=0, end=seconds, text=TEXT, tidy=TEXT, language="zh", confidence=1)
        return Recognition(
            segments=(segment,),
            languages=(Language(tag="zh", confidence=1, by="tagger"),),
            evidence=(),
            reason=None,
            model=self.pack.label,
            seconds=seconds,
            speech_seconds=seconds,
        )


def overhead_ms(pack: Pack, messages: int) -> float:
    """Measure the processor milliseconds a message that are neither the model's nor the media's.

    From the first byte taken in until the report is settled, processes of a job counted, less what
    decoding, speech detection, listening copy and peaks take by themselves.
    """
    content = message()
    with _installation() as (house, settings):
        starting = _prepare(settings)
        intake = Intake(house.engine, house.keys, house.blobs, house.queue, settings.limits)
        begun = processor_seconds()
        for _ in range(messages):
            writer = intake.receive(Kind.VOICE)
            writer.write(content)
            intake.accept([writer.finish()], About(channel="bench"))
        _prepare(settings)
        _settle(house, settings, Instant(pack))
        taken = processor_seconds() - begun - starting
        _all_settled(house, messages)
    return 1_000 * taken / messages - media_ms()


def _prepare(settings: Settings) -> float:
    """Run the worker that decodes, which forks and so needs a process of its own.

    Give its processor seconds; over an empty queue they are what starting it takes.
    """
    begun = processor_seconds()
    command = [sys.executable, "-m", "xiangyin", "worker", "prepare", "--burst"]
    subprocess.run(command, check=True, env=os.environ | as_environment(settings))
    return processor_seconds() - begun


def _all_settled(house: House, messages: int) -> None:
    """Raise RuntimeError unless every message came out at the other end."""
    with reading(house.engine) as session:
        done = select(func.count()).where(col(Medium.state) == MediumState.DONE)
        settled = session.exec(done).one()
    if settled != messages:
        raise RuntimeError(f"only {settled} of {messages} messages were settled")


def _settle(house: House, settings: Settings, engine: Instant) -> None:
    """Run the batch worker until the queue is empty."""

    def perform(medium_ids: Sequence[UUID]) -> Mapping[UUID, Failed]:
        return transcribe(house, engine, medium_ids)

    worker = BatchWorker(
        [Stage.TRANSCRIBE.value],
        connection=connect_worker(settings),
        **loop.SET,
        perform=perform,
        most=MOST_JOBS["cpu"],
        wait=BATCH_SECONDS,
    )
    loop.run(worker, burst=True)


@contextmanager
def _installation() -> Iterator[tuple[House, Settings]]:
    """Set up an empty installation with one channel and a queue of its own."""
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        server = Valkey(Path(folder) / "queue")
        server.start()
        try:
            settings = Settings(
                data=Path(folder) / "data", redis_url=server.url, log_level="WARNING"
            )
            house = build(lay_ground(settings))
            with writing(house.engine) as session:
                session.add(Channel(code="bench", name="bench", jurisdiction="510729"))
            yield house, settings
            house.engine.dispose()
        finally:
            server.stop()
