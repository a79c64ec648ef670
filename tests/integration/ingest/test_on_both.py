"""Intake, the stages and the sweeper on SQLite and on PostgreSQL, with several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from redis import Redis
from sqlalchemy import Engine
from sqlmodel import delete, select

from ingest.accept import About, Acknowledged, Intake
from ingest.blobs import Blobs
from ingest.queue import RedisQueue, Stage
from ingest.repeats import look_through
from models.columns import now
from models.complaint import Complaint, Repeat, Submission
from models.database import reading, writing
from models.errors import Conflict
from models.keys import Keys
from models.medium import Kind, Medium
from models.settings import Settings
from models.status import MediumState, Status
from models.transcript import Transcript
from tests.fakes import FakeEngine, FakeNormaliser
from tests.files import sound
from workers.house import House as Workshop
from workers.nursery import Nursery
from workers.prepare import prepare
from workers.sweep import clean, sweep
from workers.transcribe import transcribe

KEY = "3f0a9c5be17d42886b1fd0439ae7c215"
ABOUT = About(channel="xsl-clinic", text="村里的路没有修")


@pytest.fixture
def shop(
    either: Engine,
    settings: Settings,
    keys: Keys,
    blobs: Blobs,
    queue: RedisQueue,
    nursery: Nursery,
) -> Workshop:
    return Workshop(
        settings=settings,
        keys=keys,
        engine=either,
        blobs=blobs,
        queue=queue,
        normaliser=FakeNormaliser(),
        nursery=nursery,
    )


@pytest.fixture
def inlet(shop: Workshop) -> Intake:
    return Intake(shop.engine, shop.keys, shop.blobs, shop.queue, shop.settings.limits)


def voiced(inlet: Intake, count: int = 1) -> UUID:
    parts = []
    for _ in range(count):
        writer = inlet.receive(Kind.VOICE)
        writer.write(sound("wav"))
        parts.append(writer.finish())
    return inlet.accept(parts, ABOUT).complaint_id


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run works in threads at the same time; give what they raised."""
    raised: list[BaseException] = []
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        ready.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def media_of(shop: Workshop, complaint_id: UUID) -> list[Medium]:
    with reading(shop.engine) as session:
        return list(session.exec(select(Medium).where(Medium.complaint_id == complaint_id)))


def test_a_report_goes_all_the_way(shop: Workshop, inlet: Intake) -> None:
    complaint_id = voiced(inlet)
    for medium in media_of(shop, complaint_id):
        prepare(shop, medium.id)
    voices = [one.id for one in media_of(shop, complaint_id) if one.kind is Kind.VOICE]
    assert transcribe(shop, FakeEngine(), voices) == {}
    with reading(shop.engine) as session:
        complaint = session.get_one(Complaint, complaint_id)
    assert complaint.status is Status.READY
    assert all(one.state is MediumState.DONE for one in media_of(shop, complaint_id))


def test_one_key_at_once_makes_one_report(shop: Workshop, inlet: Intake) -> None:
    got: list[Acknowledged] = []
    works = [lambda: got.append(inlet.accept([], ABOUT, KEY)) for _ in range(8)]
    assert at_once(*works) == []
    assert len({one.receipt for one in got}) == 1
    assert sum(not one.repeated for one in got) == 1
    with reading(shop.engine) as session:
        assert len(session.exec(select(Complaint)).all()) == 1
        assert len(session.exec(select(Submission)).all()) == 1


def test_one_key_at_once_for_different_reports_gives_one_of_them(inlet: Intake) -> None:
    works = [
        lambda number=number: inlet.accept([], About(text=f"第{number}份"), KEY)
        for number in range(4)
    ]
    raised = at_once(*works)
    assert len(raised) == 3
    assert all(isinstance(error, Conflict) for error in raised)


def test_many_reports_at_once_are_all_kept(shop: Workshop, inlet: Intake) -> None:
    works = [
        lambda number=number: [
            inlet.accept([], About(text=f"第{number}.{turn}份")) for turn in range(5)
        ]
        for number in range(8)
    ]
    assert at_once(*works) == []
    with reading(shop.engine) as session:
        assert len(session.exec(select(Complaint)).all()) == 40
        assert len(session.exec(select(Medium)).all()) == 40
    assert shop.queue.depth(Stage.PREPARE) == 40


def test_the_media_of_one_report_may_settle_at_once(shop: Workshop, inlet: Intake) -> None:
    complaint_id = voiced(inlet, count=3)
    voices = [one.id for one in media_of(shop, complaint_id) if one.kind is Kind.VOICE]
    for medium in media_of(shop, complaint_id):
        prepare(shop, medium.id)
    # Each twice, as after a crash: six workers with three recordings of one report.
    works = [lambda one=one: transcribe(shop, FakeEngine(), [one]) for one in [*voices, *voices]]
    assert at_once(*works) == []
    with reading(shop.engine) as session:
        complaint = session.get_one(Complaint, complaint_id)
        versions = session.exec(select(Transcript)).all()
    assert complaint.status is Status.READY
    assert complaint.version == 2
    assert len(versions) == 3


def test_additions_at_once_are_all_kept(shop: Workshop, inlet: Intake) -> None:
    complaint_id = voiced(inlet)
    works = [lambda n=n: inlet.add(complaint_id, [], f"补充{n}") for n in range(6)]
    assert at_once(*works) == []
    media = media_of(shop, complaint_id)
    assert len(media) == 8
    assert sorted(one.position for one in media) == list(range(8))


def test_the_sweeper_finds_what_was_lost_and_cleans_up(
    shop: Workshop, inlet: Intake, redis: Redis
) -> None:
    complaint_id = voiced(inlet)
    inlet.accept([], About(text="带编号"), KEY)
    redis.flushall()
    assert sweep(shop, now() + timedelta(seconds=61)) == 3
    for medium in media_of(shop, complaint_id):
        prepare(shop, medium.id)
    redis.flushall()
    assert sweep(shop, now() + timedelta(seconds=200)) == 2
    clean(shop, now() + timedelta(hours=73))
    with reading(shop.engine) as session:
        assert session.exec(select(Submission)).all() == []


def test_a_second_report_of_a_matter_is_proposed_to_repeat_the_first(
    shop: Workshop, inlet: Intake
) -> None:
    said = (
        "石桥村的自来水停了三个月，水管破了没有人修，打电话给水厂说等配件，到现在还是去河里挑水吃"
    )
    first, other, second = (
        inlet.accept([], About(channel="xsl-clinic", text=text)).complaint_id
        for text in (said, "卫生院的药比外面贵一倍，问医生他说不买就去别处看病", said[3:])
    )
    with reading(shop.engine) as session:
        media = {row.complaint_id: row.id for row in session.exec(select(Medium))}
    for one in (first, other, second):
        prepare(shop, media[one])
    with reading(shop.engine) as session:
        rows = session.exec(select(Repeat)).all()
        assert [(row.complaint_id, row.other_id) for row in rows] == [(second, first)]
        assert rows[0].reasons[0]["kind"] == "same_matter"
        assert session.get_one(Complaint, second).duplicate_of is None
        settled = session.get_one(Complaint, second)
        assert settled.status is Status.READY
    assert look_through(shop.engine) == (3, 0)
    with writing(shop.engine) as session:
        session.exec(delete(Repeat))
    assert look_through(shop.engine) == (3, 1)
    with reading(shop.engine) as session:
        assert session.get_one(Repeat, (second, first)).decided == ""
