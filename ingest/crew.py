"""Which workers there are and when each was last heard of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from redis.exceptions import RedisError
from rq import Worker
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from ingest.queue import Queue, RedisQueue


@dataclass(frozen=True)
class Hand:
    """One worker process. state : busy, idle, suspended ...; heard : its last heartbeat"""

    name: str
    queues: tuple[str, ...]
    state: str
    heard: datetime | None
    done: int
    failed: int


def muster(queue: Queue) -> tuple[Hand, ...]:
    """List the workers that the queue server knows; none where it does not answer."""
    if not isinstance(queue, RedisQueue):
        return ()
    try:
        found = Worker.all(connection=queue.connection, serializer=JSONSerializer)
        return tuple(sorted((_hand(worker) for worker in found), key=lambda hand: hand.name))
    except RedisError:
        return ()


def _hand(worker: BaseWorker) -> Hand:
    heard = worker.last_heartbeat
    if heard is not None and heard.tzinfo is None:
        heard = heard.replace(tzinfo=UTC)
    return Hand(
        name=worker.name,
        queues=tuple(worker.queue_names()),
        state=str(getattr(worker.get_state(), "value", worker.get_state())),
        heard=heard,
        done=int(worker.successful_job_count or 0),
        failed=int(worker.failed_job_count or 0),
    )
