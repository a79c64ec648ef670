"""The queue that carries ids from one stage to the next. The database stays the truth."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from models.errors import Unavailable


class Stage(StrEnum):
    """A queue's name: what is to be done next with a medium."""

    PREPARE = "prepare"
    TRANSCRIBE = "transcribe"


# Jobs are named by string, so that the web process never imports what runs them.
JOBS = {
    Stage.PREPARE: "workers.prepare.prepare_medium",
    Stage.TRANSCRIBE: "workers.transcribe.transcribe_medium",
}
JOB_TIMEOUT = {Stage.PREPARE: 240, Stage.TRANSCRIBE: 3 * 3600}
FAILURE_TTL = 24 * 3600


class Queue(Protocol):
    """Carry ids. The same id twice is harmless; one that is lost, the sweeper finds."""

    def enqueue(self, stage: Stage, medium_id: UUID) -> None:
        """Hand a medium to a stage; raise Unavailable if the queue does not answer."""

    def depth(self, stage: Stage) -> int:
        """Count the ids that wait for a stage."""

    def alive(self) -> bool:
        """Tell whether the queue answers."""


class RedisQueue:
    """Queue on RQ. Job ids are `stage-medium`, so a medium waits at most once for a stage."""

    def __init__(self, connection: Redis) -> None:
        self.connection = connection
        self._queues = {
            stage: RqQueue(stage.value, connection=connection, serializer=JSONSerializer)
            for stage in Stage
        }

    def enqueue(self, stage: Stage, medium_id: UUID) -> None:
        try:
            self._queues[stage].enqueue(
                JOBS[stage],
                str(medium_id),
                job_id=f"{stage.value}-{medium_id}",
                unique=True,
                job_timeout=JOB_TIMEOUT[stage],
                result_ttl=0,
                failure_ttl=FAILURE_TTL,
            )
        except DuplicateJobError:
            return
        except RedisError as error:
            raise Unavailable(
                "队列没有回应，已收到的内容不会丢失，稍后会自动处理。",
                "The queue does not answer; what was received is kept and will be processed later.",
                code="queue_unavailable",
            ) from error

    def depth(self, stage: Stage) -> int:
        return int(self._queues[stage].count)

    def alive(self) -> bool:
        try:
            return bool(self.connection.ping())
        except RedisError:
            return False
