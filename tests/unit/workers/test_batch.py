from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

import pytest
from redis import Redis
from rq.serializers import JSONSerializer

from ingest.queue import RedisQueue, Stage
from workers import batch
from workers.attempt import Failed
from workers.batch import BatchWorker


def worker(redis: Redis, perform: batch.Perform, most: int = 4, wait: float = 0.05) -> BatchWorker:
    return BatchWorker(
        [Stage.TRANSCRIBE.value],
        connection=redis,
        serializer=JSONSerializer,
        log_job_description=False,
        perform=perform,
        most=most,
        wait=wait,
    )


def work(redis: Redis, perform: Callable[[Sequence[UUID]], Mapping[UUID, Failed]]) -> None:
    worker(redis, perform).work(burst=True, logging_level="CRITICAL")


@pytest.fixture
def ids(queue: RedisQueue) -> list[UUID]:
    made = [uuid4() for _ in range(6)]
    for one in made:
        queue.enqueue(Stage.TRANSCRIBE, one)
    return made


def test_waiting_jobs_are_performed_together(
    redis: Redis, queue: RedisQueue, ids: list[UUID]
) -> None:
    batches: list[list[UUID]] = []

    def perform(wanted: Sequence[UUID]) -> dict[UUID, Failed]:
        batches.append(list(wanted))
        return {}

    work(redis, perform)
    assert batches == [ids[:4], ids[4:]]
    assert queue.held(Stage.TRANSCRIBE) == set()
    assert queue.fallen(Stage.TRANSCRIBE) == set()
    assert not list(redis.scan_iter("rq:job:*"))
    assert not list(redis.scan_iter("rq:execution*"))


def test_no_worker_takes_more_than_its_share(
    redis: Redis, queue: RedisQueue, ids: list[UUID]
) -> None:
    batches: list[list[UUID]] = []

    def perform(wanted: Sequence[UUID]) -> dict[UUID, Failed]:
        batches.append(list(wanted))
        return {}

    other = worker(redis, perform)
    other.register_birth()
    try:
        worker(redis, perform, most=40).work(burst=True, logging_level="CRITICAL")
    finally:
        other.register_death()
    assert batches == [ids[:3], ids[3:5], ids[5:]]


def test_a_job_that_comes_while_the_window_is_open_joins(redis: Redis, queue: RedisQueue) -> None:
    first, second = uuid4(), uuid4()
    queue.enqueue(Stage.TRANSCRIBE, first)
    batches: list[list[UUID]] = []

    def perform(wanted: Sequence[UUID]) -> dict[UUID, Failed]:
        batches.append(list(wanted))
        return {}

    one = worker(redis, perform, wait=0.5)
    gather, seen = one._gather, []

    def late(job, waiting):  # type: ignore[no-untyped-def]
        if not seen:
            queue.enqueue(Stage.TRANSCRIBE, second)
            seen.append(job)
        return gather(job, waiting)

    one._gather = late  # type: ignore[method-assign]
    one.work(burst=True, logging_level="CRITICAL")
    assert batches == [[first, second]]


def test_each_job_ends_on_its_own(redis: Redis, queue: RedisQueue, ids: list[UUID]) -> None:
    bad = ids[1]
    work(redis, lambda wanted: {bad: Failed("engine")} if bad in wanted else {})
    assert queue.fallen(Stage.TRANSCRIBE) == {bad}
    assert queue.held(Stage.TRANSCRIBE) == set()


def test_nothing_of_an_error_but_its_kind_reaches_the_queue(
    redis: Redis, queue: RedisQueue, ids: list[UUID]
) -> None:
    def perform(_: Sequence[UUID]) -> dict[UUID, Failed]:
        raise ValueError("a marked sentence")

    work(redis, perform)
    assert queue.fallen(Stage.TRANSCRIBE) == set(ids)
    for key in redis.scan_iter("*"):
        kind = redis.type(key)
        if kind == b"hash":
            assert b"marked" not in b"".join(redis.hgetall(key).values())
        elif kind == b"stream":
            assert "marked" not in str(redis.xrange(key))


def test_a_job_that_is_none_of_ours_fails_alone(
    redis: Redis, queue: RedisQueue, ids: list[UUID]
) -> None:
    queue._queues[Stage.TRANSCRIBE].enqueue("os.getcwd", job_id="stranger", at_front=True)
    done: list[UUID] = []

    def perform(wanted: Sequence[UUID]) -> dict[UUID, Failed]:
        done.extend(wanted)
        return {}

    work(redis, perform)
    assert done == ids


def test_running_jobs_show_that_they_live(
    redis: Redis, queue: RedisQueue, ids: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "SIGN_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(batch, "SIGN_OF_LIFE_SECONDS", 2)
    held: list[set[UUID]] = []

    def perform(wanted: Sequence[UUID]) -> dict[UUID, Failed]:
        time.sleep(3)
        held.append(queue.held(Stage.TRANSCRIBE) & set(wanted))
        return {}

    work(redis, perform)
    assert held == [set(ids[:4]), set(ids[4:])]
    assert queue.fallen(Stage.TRANSCRIBE) == set()


def test_a_request_to_stop_is_granted_after_the_batch(
    redis: Redis, queue: RedisQueue, ids: list[UUID]
) -> None:
    batches: list[list[UUID]] = []

    def perform(wanted: Sequence[UUID]) -> dict[UUID, Failed]:
        batches.append(list(wanted))
        one._stop_requested = True
        return {}

    one = worker(redis, perform)
    one.work(logging_level="CRITICAL")
    assert batches == [ids[:4]]
    assert queue.held(Stage.TRANSCRIBE) == set(ids[4:])
