from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from redis import Redis
from sqlmodel import select

from ingest.accept import About, Intake
from ingest.queue import Stage
from models.columns import now
from models.complaint import Complaint, Submission
from models.database import reading, writing
from models.medium import Kind, Medium
from models.status import MediumState
from tests.conftest import House
from tests.files import sound
from workers.house import House as Workshop
from workers.prepare import prepare
from workers.sweep import clean, sweep

LATER = timedelta(seconds=61)


class SilentQueue:
    """A queue that takes everything and keeps nothing, like one whose process dies at once."""

    def enqueue(self, stage: Stage, medium_id: UUID) -> None:
        return

    def depth(self, stage: Stage) -> int:
        return 0

    def alive(self) -> bool:
        return True


def lost(house: House, **about: str) -> Medium:
    """Take a report in whose job never reaches the queue."""
    intake = Intake(house.engine, house.keys, house.blobs, SilentQueue(), house.settings.limits)
    accepted = intake.accept([], About(channel="xsl-clinic", **{"text": "路没有修", **about}))
    with reading(house.engine) as session:
        return session.exec(
            select(Medium).where(Medium.complaint_id == accepted.complaint_id)
        ).one()


def test_what_was_committed_and_never_enqueued_is_brought_back(
    house: House, workshop: Workshop
) -> None:
    medium = lost(house)
    assert sweep(workshop, now() + LATER) == 1
    assert house.queue.held(Stage.PREPARE) == {medium.id}


def test_what_is_young_is_left_alone(house: House, workshop: Workshop) -> None:
    lost(house)
    assert sweep(workshop) == 0
    assert house.queue.depth(Stage.PREPARE) == 0


def test_what_waits_in_the_queue_is_left_alone(house: House, workshop: Workshop) -> None:
    house.intake.accept([], About(text="路没有修"))
    assert sweep(workshop, now() + 10 * LATER) == 0
    assert house.queue.depth(Stage.PREPARE) == 1


def test_what_was_brought_back_is_young_again(
    house: House, workshop: Workshop, redis: Redis
) -> None:
    lost(house)
    moment = now() + LATER
    assert sweep(workshop, moment) == 1
    redis.flushall()
    assert sweep(workshop, moment + timedelta(seconds=30)) == 0
    assert sweep(workshop, moment + LATER) == 1


def test_a_wiped_queue_is_filled_again_for_both_stages(
    house: House, workshop: Workshop, redis: Redis
) -> None:
    stored, prepared = lost(house), lost(house)
    with writing(house.engine) as session:
        medium = session.get_one(Medium, prepared.id)
        medium.state = MediumState.PREPARED
        session.add(medium)
    redis.flushall()
    assert sweep(workshop, now() + LATER) == 2
    assert house.queue.held(Stage.PREPARE) == {stored.id}
    assert house.queue.held(Stage.TRANSCRIBE) == {prepared.id}


def test_a_job_that_failed_is_tried_again_at_once(
    house: House, workshop: Workshop, redis: Redis
) -> None:
    medium = lost(house)
    house.queue.enqueue(Stage.PREPARE, medium.id)
    fail(redis, Stage.PREPARE, medium.id)
    assert sweep(workshop) == 1
    assert house.queue.held(Stage.PREPARE) == {medium.id}


def fail(redis: Redis, stage: Stage, medium_id: UUID) -> None:
    """Leave the queue as a worker does whose job raised."""
    redis.lrem(f"rq:queue:{stage.value}", 0, f"{stage.value}-{medium_id}")
    redis.hset(f"rq:job:{stage.value}-{medium_id}", "status", "failed")
    redis.zadd(f"rq:failed:{stage.value}", {f"{stage.value}-{medium_id}": 4e9})


def test_a_failed_job_whose_work_is_done_is_forgotten(
    house: House, workshop: Workshop, redis: Redis
) -> None:
    medium = lost(house)
    house.queue.enqueue(Stage.PREPARE, medium.id)
    fail(redis, Stage.PREPARE, medium.id)
    prepare(workshop, medium.id)
    assert sweep(workshop, now() + LATER) == 0
    assert house.queue.fallen(Stage.PREPARE) == set()


def test_a_report_left_behind_its_last_medium_is_settled(house: House, workshop: Workshop) -> None:
    medium = lost(house)
    with writing(house.engine) as session:
        row = session.get_one(Medium, medium.id)
        row.state, row.settled_at = MediumState.DONE, now()
        session.add(row)
    assert sweep(workshop) == 0
    assert sweep(workshop, now() + LATER) == 1
    prepare(workshop, medium.id)
    with reading(house.engine) as session:
        assert session.get_one(Complaint, medium.complaint_id).settled_at is not None
    assert sweep(workshop, now() + LATER) == 0


def test_old_idempotency_rows_go(house: House, workshop: Workshop) -> None:
    house.intake.accept([], About(text="路没有修"), "3f0a9c5be17d42886b1fd0439ae7c215")
    clean(workshop, now() + timedelta(hours=71))
    with reading(house.engine) as session:
        assert len(session.exec(select(Submission)).all()) == 1
    clean(workshop, now() + timedelta(hours=73))
    with reading(house.engine) as session:
        assert session.exec(select(Submission)).all() == []


def write(house: House, key: str) -> None:
    with house.blobs.writer(key) as writer:
        writer.write(b"x")
        writer.commit()


def test_blobs_that_nothing_refers_to_go_after_a_day(house: House, workshop: Workshop) -> None:
    writer = house.intake.receive(Kind.VOICE)
    writer.write(sound("wav"))
    kept = writer.finish()
    house.intake.accept([kept], About())
    write(house, f"work/{kept.medium_id}")
    orphan = uuid4()
    write(house, f"media/{orphan}")
    clean(workshop)
    assert house.blobs.size(f"media/{orphan}") == 1
    clean(workshop, now() + timedelta(hours=25))
    left = {
        key
        for prefix in ("media", "work", "copy")
        for key in house.blobs.older(prefix, now() + timedelta(days=1))
    }
    assert left == {kept.blob, f"work/{kept.medium_id}"}


@pytest.mark.parametrize("state", [MediumState.DONE, MediumState.NEEDS_LISTENER])
def test_samples_of_a_settled_medium_go(
    house: House, workshop: Workshop, state: MediumState
) -> None:
    medium = lost(house)
    with writing(house.engine) as session:
        row = session.get_one(Medium, medium.id)
        row.state = state
        session.add(row)
    write(house, f"work/{medium.id}")
    clean(workshop, now() + timedelta(hours=25))
    assert list(house.blobs.older("work", now() + timedelta(days=1))) == []
