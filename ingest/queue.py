"""The queue that carries ids from one stage to the next. The database stays the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue as RqQueue
from rq.exceptions import DuplicateJobError, InvalidJobOperation, NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry
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
OVER = frozenset(
    {None, JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}
)


# A citizen waits for the acknowledgement: a queue that is away is found out at once, not after the
# client library's own ten seconds of patience.
RETRIES = 1
RETRY_SECONDS = 0.05


def connect(url: str, *, seconds: float) -> Redis:
    """Connect to a queue server that is given so many seconds for each answer."""
    return Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(ConstantBackoff(RETRY_SECONDS), RETRIES),
    )


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
        with _answering():
            try:
                self._push(stage, medium_id)
            except DuplicateJobError:
                if self._over(stage, medium_id):
                    self._replace(stage, medium_id)

    def depth(self, stage: Stage) -> int:
        with _answering():
            return int(self._queues[stage].count)

    def alive(self) -> bool:
        try:
            return bool(self.connection.ping())
        except RedisError:
            return False

    def held(self, stage: Stage) -> set[UUID]:
        """Give the ids that wait for a stage, or that a living worker has taken."""
        queue = self._queues[stage]
        with _answering():
            started = StartedJobRegistry(queue=queue)
            # What a dead worker had is moved among the failed.
            started.cleanup()
            taken = IntermediateQueue(queue.key, self.connection).get_job_ids()
            running = [job_id for job_id, _ in started.get_job_and_execution_ids(cleanup=False)]
            return _ids(stage, [*queue.get_job_ids(), *taken, *running])

    def fallen(self, stage: Stage) -> set[UUID]:
        """Give the ids whose last job failed, or was left behind by a worker that died."""
        with _answering():
            failed = FailedJobRegistry(queue=self._queues[stage])
            return _ids(stage, failed.get_job_ids(cleanup=False))

    def renew(self, stage: Stage, medium_id: UUID) -> None:
        """Enqueue an id afresh, whatever is left of an earlier job."""
        with _answering():
            self._replace(stage, medium_id)

    def drop(self, stage: Stage, medium_id: UUID) -> None:
        """Forget a job that failed and whose work is done all the same."""
        with _answering():
            FailedJobRegistry(queue=self._queues[stage]).remove(_job_id(stage, medium_id))
            self.connection.delete(Job.key_for(_job_id(stage, medium_id)))

    def _push(self, stage: Stage, medium_id: UUID) -> None:
        self._queues[stage].enqueue(
            JOBS[stage],
            str(medium_id),
            job_id=_job_id(stage, medium_id),
            unique=True,
            job_timeout=JOB_TIMEOUT[stage],
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
        )

    def _over(self, stage: Stage, medium_id: UUID) -> bool:
        """Tell whether the job of that id has ended, or is no whole job."""
        try:
            job = Job.fetch(
                _job_id(stage, medium_id), connection=self.connection, serializer=JSONSerializer
            )
            return job.get_status(refresh=False) in OVER
        except (NoSuchJobError, InvalidJobOperation, KeyError, TypeError):
            return True

    def _replace(self, stage: Stage, medium_id: UUID) -> None:
        job_id = _job_id(stage, medium_id)
        queue = self._queues[stage]
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(queue.key, 0, job_id)
            pipeline.lrem(queue.intermediate_queue_key, 0, job_id)
            pipeline.zrem(FailedJobRegistry(queue=queue).key, job_id)
            pipeline.delete(Job.key_for(job_id))
            pipeline.execute()
        with suppress(DuplicateJobError):
            self._push(stage, medium_id)


def _job_id(stage: Stage, medium_id: UUID) -> str:
    return f"{stage.value}-{medium_id}"


def _ids(stage: Stage, job_ids: Iterable[str]) -> set[UUID]:
    prefix = f"{stage.value}-"
    found = set()
    for job_id in job_ids:
        with suppress(ValueError):
            found.add(UUID(job_id.removeprefix(prefix)))
    return found


@contextmanager
def _answering() -> Iterator[None]:
    """Turn the queue's silence into our own error."""
    try:
        yield
    except RedisError as error:
        raise Unavailable(
            "队列没有回应，已收到的内容不会丢失，稍后会自动处理。",
            "The queue does not answer; what was received is kept and will be processed later.",
            code="queue_unavailable",
        ) from error
