"""The database, blob store and queue of one installation, opened by what its settings name."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Engine

from ingest import queue
from ingest.blobs import Blobs, open_blobs
from ingest.queue import RedisQueue
from models.database import open_database
from models.keys import Keys
from models.settings import Settings
from workers.valkey import address

QUEUE_SECONDS = 10.0


@dataclass(frozen=True)
class Stores:
    """Where things are kept."""

    settings: Settings
    keys: Keys
    engine: Engine
    blobs: Blobs
    queue: RedisQueue


def open_stores(settings: Settings) -> Stores:
    """Open the connections of one process; bring the database up to date, check the key is its own.

    Raise Misconfigured if it is not, Unavailable if the database does not answer.
    """
    engine, keys = open_database(settings)
    return Stores(
        settings=settings,
        keys=keys,
        engine=engine,
        blobs=open_blobs(settings.blobs, keys, settings.data / "staging"),
        queue=RedisQueue(queue.connect(queue_address(settings), seconds=QUEUE_SECONDS)),
    )


def queue_address(settings: Settings) -> str:
    """Give the queue server's address, by default of the one embedded in the data folder."""
    return settings.redis_url or address(settings.data)


def connect_worker(settings: Settings) -> Redis:
    """Connect for RQ's work loop, which has patience with a server that is being restarted."""
    return Redis.from_url(queue_address(settings))
