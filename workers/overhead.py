"""What a message costs around the model: queue, database, blobs and normalising.

A whole installation in a temporary folder takes messages in, prepares them by the worker that does
it in earnest, and settles them by the batch worker with an engine that answers at once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from uuid import UUID

from sqlmodel import col, func, select

from ingest.accept import About, Intake
from ingest.normalise import labelled
from ingest.queue import Stage
from models.database import reading
from models.errors import XiangyinError
from models.medium import Kind, Medium
from models.packs import Pack
from models.samples import DEFAULT_CHANNEL, install_samples
from models.settings import Settings
from models.status import MediumState
from models.transcript import Frozen, Language, Recognition, Segment
from transcribe.engine import Engine, Request
from transcribe.turns import Tell
from workers import loop
from workers.attempt import Failed
from workers.batch import BatchWorker
from workers.house import House, open_house
from workers.machine import message
from workers.prepare import decoder
from workers.stores import connect_worker
from workers.timing import processor_seconds
from workers.transcribe import MOST_JOBS, transcribe
from workers.valkey import Valkey
from workers.watchdog import Pulse

BATCH_SECONDS = 0.04
# Messages that go before those that are counted.
BEFORE = 8


class Instant:
    """An engine that has heard it all before.

    Each message says something else, one sample complaint after the other: those that all said the
    same would be repeats of each other, and cost as much.
    """

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._texts = cycle(one.text for one in labelled.read_training(labelled.shipped()))

    def recognise(
        self, requests: Sequence[Request], tell: Tell = lambda _: None
    ) -> list[Recognition | XiangyinError]:
        """Give everybody another text."""
        return [self._text(len(request.samples) / 16_000) for request in requests]

    def _text(self, seconds: float) -> Recognition:
        text = next(self._texts)
        segment = Segment(start=0, end=seconds, text=text, tidy=text, language="zh", confidence=1)
        return Recognition(
            segments=(segment,),
            languages=(Language(tag="zh", confidence=1, by="tagger"),),
            evidence=(),
            reason=None,
            model=self.pack.label,
            seconds=seconds,
            speech_seconds=seconds,
        )


class Overhead(Frozen):
    """Processor milliseconds a message, processes of a job counted.

    accept, settle : from the first byte to the receipt; from the queue to the settled report
    prepare : of the decoding stage, without the sound; media : of the sound, in the confined
    processes that open it, from their birth to their end
    overhead : of accept, prepare and settle
    """

    messages: int
    accept_ms: float
    prepare_ms: float
    settle_ms: float
    media_ms: float
    overhead_ms: float


def measure(pack: Pack, messages: int) -> Overhead:
    """Measure what messages cost that is neither the model's work nor the media's.

    Some go before that are not counted: workers stay, and what they load and compile with their
    first messages they have for all others.
    """
    contents = [message(seed) for seed in range(BEFORE + messages)]
    with _installation() as (house, settings), house.nursery:
        engine = Instant(pack)
        _seconds(house, settings, engine, contents[:BEFORE])
        parts = _seconds(house, settings, engine, contents[BEFORE:])
        _all_settled(house, len(contents))
    accept, prepare, settle, media = (round(1_000 * each / messages, 1) for each in parts)
    return Overhead(
        messages=messages,
        accept_ms=accept,
        prepare_ms=prepare,
        settle_ms=settle,
        media_ms=media,
        overhead_ms=round(accept + prepare + settle, 1),
    )


def _seconds(
    house: House, settings: Settings, engine: Engine, contents: Sequence[bytes]
) -> tuple[float, float, float, float]:
    """Take messages through all stages; give the seconds of each, and of the sound."""
    intake = Intake(house.engine, house.keys, house.blobs, house.queue, settings.limits)
    accept = _timed(lambda: _accept(intake, contents))
    before = house.nursery.children_seconds
    prepare = _timed(lambda: loop.run(decoder(house, Pulse(None)), burst=True))
    media = house.nursery.children_seconds - before
    settle = _timed(lambda: _settle(house, settings, engine))
    return accept, prepare - media, settle, media


def _timed(work: Callable[[], object]) -> float:
    begun = processor_seconds()
    work()
    return processor_seconds() - begun


def _accept(intake: Intake, contents: Sequence[bytes]) -> None:
    """Take messages in."""
    for content in contents:
        writer = intake.receive(Kind.VOICE)
        writer.write(content)
        intake.accept([writer.finish()], About(channel=DEFAULT_CHANNEL))


def _all_settled(house: House, messages: int) -> None:
    """Raise RuntimeError unless every message came out at the other end."""
    with reading(house.engine) as session:
        done = select(func.count()).where(col(Medium.state) == MediumState.DONE)
        settled = session.exec(done).one()
    if settled != messages:
        raise RuntimeError(f"only {settled} of {messages} messages were settled")


def _settle(house: House, settings: Settings, engine: Engine) -> None:
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
    """Set up an installation with the samples' units and channels, and a queue of its own."""
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        server = Valkey(Path(folder) / "queue")
        server.start()
        try:
            settings = Settings(
                data=Path(folder) / "data", redis_url=server.url, log_level="WARNING"
            )
            house = open_house(settings)
            loop.keep_what_is_loaded()
            install_samples(house.engine, house.keys)
            yield house, settings
            house.engine.dispose()
        finally:
            server.stop()
