"""What a worker has at hand, opened once in each process by what its settings name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from ingest import queue
from ingest.blobs import Blobs, open_blobs
from ingest.installed import InstalledNormaliser
from ingest.queue import RedisQueue
from ingest.settle import Normaliser
from models.database import connect, open_database
from models.keys import Keys
from models.settings import Settings
from workers.valkey import address

QUEUE_SECONDS = 10.0


@dataclass(frozen=True)
class Ground:
    """What outlives a fork: no connection, no thread."""

    settings: Settings
    keys: Keys
    normaliser: InstalledNormaliser

    def renew(self) -> None:
        """Take over a gazetteer that was imported since, leaving no connection behind."""
        engine = connect(self.settings.database)
        try:
            self.normaliser.renew(engine)
        except OperationalError:
            # The jobs will find out for themselves that the database is away.
            return
        finally:
            engine.dispose()


@dataclass(frozen=True)
class House:
    """The parts of one installation that jobs work with."""

    settings: Settings
    keys: Keys
    normaliser: Normaliser
    engine: Engine
    blobs: Blobs
    queue: RedisQueue


def lay_ground(settings: Settings) -> Ground:
    """Bring the database up to date, check that the key is its own, and let go of both."""
    engine, keys = open_database(settings)
    normaliser = InstalledNormaliser(engine)
    engine.dispose()
    return Ground(settings, keys, normaliser)


def build(ground: Ground) -> House:
    """Open the connections of one process."""
    settings = ground.settings
    engine = connect(settings.database)
    return House(
        settings=settings,
        keys=ground.keys,
        normaliser=partial(ground.normaliser.at, engine),
        engine=engine,
        blobs=open_blobs(settings.blobs, ground.keys, settings.data / "staging"),
        queue=RedisQueue(queue.connect(queue_address(settings), seconds=QUEUE_SECONDS)),
    )


def queue_address(settings: Settings) -> str:
    """Give the queue server's address, by default of the one embedded in the data folder."""
    return settings.redis_url or address(settings.data)


def connect_worker(settings: Settings) -> Redis:
    """Connect for RQ's work loop, which has patience with a server that is being restarted."""
    return Redis.from_url(queue_address(settings))
