from __future__ import annotations

import time
from uuid import UUID, uuid4

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from ingest.queue import JOBS, RedisQueue, Stage, connect
from models.errors import Unavailable


def work(redis: Redis, stage: Stage) -> None:
    worker = SimpleWorker([stage.value], connection=redis, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")


@pytest.fixture
def one() -> UUID:
    return uuid4()


def test_an_id_waits_once_however_often_it_is_enqueued(queue: RedisQueue, one: UUID) -> None:
    for _ in range(3):
        queue.enqueue(Stage.PREPARE, one)
    queue.enqueue(Stage.TRANSCRIBE, one)
    assert queue.depth(Stage.PREPARE) == 1
    assert queue.depth(Stage.TRANSCRIBE) == 1
    assert queue.held(Stage.PREPARE) == {one}


def test_a_job_carries_nothing_but_its_id(queue: RedisQueue, redis: Redis, one: UUID) -> None:
    queue.enqueue(Stage.PREPARE, one)
    job = Job.fetch(f"prepare-{one}", connection=redis, serializer=JSONSerializer)
    assert job.func_name == JOBS[Stage.PREPARE]
    assert list(job.args) == [str(one)]
    assert job.kwargs == {}


def test_every_job_name_can_be_imported() -> None:
    for name in JOBS.values():
        module, _, function = name.rpartition(".")
        assert callable(getattr(__import__(module, fromlist=[function]), function))


def test_a_job_that_failed_can_be_enqueued_again(
    queue: RedisQueue, redis: Redis, one: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(JOBS, Stage.PREPARE, "no.such.module.job")
    queue.enqueue(Stage.PREPARE, one)
    work(redis, Stage.PREPARE)
    assert queue.fallen(Stage.PREPARE) == {one}
    assert queue.held(Stage.PREPARE) == set()
    queue.enqueue(Stage.PREPARE, one)
    assert queue.held(Stage.PREPARE) == {one}
    assert queue.fallen(Stage.PREPARE) == set()


def test_a_dropped_job_leaves_nothing(
    queue: RedisQueue, redis: Redis, one: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(JOBS, Stage.PREPARE, "no.such.module.job")
    queue.enqueue(Stage.PREPARE, one)
    work(redis, Stage.PREPARE)
    queue.drop(Stage.PREPARE, one)
    assert queue.fallen(Stage.PREPARE) == set()
    assert not redis.exists(Job.key_for(f"prepare-{one}"))


def test_what_a_living_worker_has_is_held(queue: RedisQueue, redis: Redis, one: UUID) -> None:
    queue.enqueue(Stage.PREPARE, one)
    worker = SimpleWorker([Stage.PREPARE.value], connection=redis, serializer=JSONSerializer)
    job, _ = worker.dequeue_job_and_maintain_ttl(None)  # type: ignore[misc]
    assert queue.depth(Stage.PREPARE) == 0
    assert queue.held(Stage.PREPARE) == {one}
    execution = worker.prepare_execution(job)
    worker.prepare_job_execution(job, remove_from_intermediate_queue=True)
    assert queue.held(Stage.PREPARE) == {one}
    queue.enqueue(Stage.PREPARE, one)
    assert queue.depth(Stage.PREPARE) == 0
    # The worker dies: its last sign of life runs out.
    registry = StartedJobRegistry(queue=queue._queues[Stage.PREPARE])
    redis.zadd(registry.key, {execution.composite_key: time.time() - 1})
    assert queue.held(Stage.PREPARE) == set()
    assert queue.fallen(Stage.PREPARE) == {one}


@pytest.mark.parametrize("ghost", [{"last_heartbeat": "now"}, {"status": "failed"}])
def test_what_is_left_of_a_job_does_not_block_its_id(
    queue: RedisQueue, redis: Redis, one: UUID, ghost: dict[str, str]
) -> None:
    redis.hset(Job.key_for(f"prepare-{one}"), mapping=ghost)
    queue.enqueue(Stage.PREPARE, one)
    assert queue.held(Stage.PREPARE) == {one}
    assert queue.depth(Stage.PREPARE) == 1


def test_a_job_that_is_nowhere_can_be_renewed(queue: RedisQueue, redis: Redis, one: UUID) -> None:
    queue.enqueue(Stage.PREPARE, one)
    redis.delete("rq:queue:prepare")
    assert queue.held(Stage.PREPARE) == set()
    queue.renew(Stage.PREPARE, one)
    queue.renew(Stage.PREPARE, one)
    assert queue.depth(Stage.PREPARE) == 1


def test_a_queue_that_is_away_says_so_at_once() -> None:
    queue = RedisQueue(connect("unix:///nowhere/valkey.sock", seconds=1))
    begun = time.monotonic()
    assert not queue.alive()
    with pytest.raises(Unavailable):
        queue.enqueue(Stage.PREPARE, uuid4())
    with pytest.raises(Unavailable):
        queue.depth(Stage.PREPARE)
    assert time.monotonic() - begun < 5
