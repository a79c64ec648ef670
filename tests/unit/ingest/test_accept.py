from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from ingest.accept import About, Acknowledged, Intake
from ingest.part import Part
from ingest.queue import Stage
from models import receipt, reporter
from models.columns import now
from models.complaint import Complaint, IdentityMode, ReportMedium, Submission
from models.database import reading, writing
from models.errors import Conflict, Empty, Invalid, NotFound, NotMedia, TooLarge, Unavailable
from models.medium import Kind, Medium, Purpose
from models.settings import Limits
from models.status import MediumState, Status
from tests.conftest import COUNTY, House
from tests.files import picture, sound

KEY = "3f0a9c5be17d42886b1fd0439ae7c215"
ABOUT = About(channel="xsl-clinic", declared_language="ii")
WAV = sound("wav")


def part(intake: Intake, content: bytes = WAV, purpose: Purpose = Purpose.COMPLAINT) -> Part:
    writer = intake.receive(Kind.VOICE, purpose)
    for at in range(0, len(content), 10_000):
        writer.write(content[at : at + 10_000])
    return writer.finish()


def complaint_of(house: House, acknowledged: Acknowledged) -> Complaint:
    with reading(house.engine) as session:
        found = session.get(Complaint, acknowledged.complaint_id)
    assert found is not None
    return found


def media_of(house: House, complaint_id: UUID) -> list[Medium]:
    with reading(house.engine) as session:
        return list(
            session.exec(
                select(Medium).where(Medium.complaint_id == complaint_id).order_by(Medium.position)  # type: ignore[arg-type]
            )
        )


def stored(house: House) -> list[str]:
    return list(house.blobs.older("media", now() + timedelta(days=1)))


def test_a_report_is_stored_recorded_and_queued(house: House) -> None:
    one = part(house.intake)
    acknowledged = house.intake.accept([one], ABOUT)
    complaint = complaint_of(house, acknowledged)
    (medium,) = media_of(house, complaint.id)
    assert complaint.status is Status.RECEIVED
    assert complaint.medium is ReportMedium.VOICE
    assert (complaint.jurisdiction, complaint.held_by) == (COUNTY, COUNTY)
    assert complaint.declared_language == "ii"
    assert medium.state is MediumState.STORED
    assert (medium.mime, medium.size) == ("audio/wav", len(WAV))
    assert b"".join(house.blobs.read(medium.original)) == WAV
    assert house.queue.depth(Stage.PREPARE) == 1


def test_the_receipt_is_stored_only_as_a_keyed_hash(house: House) -> None:
    acknowledged = house.intake.accept([part(house.intake)], ABOUT, KEY)
    assert receipt.parse(acknowledged.receipt) == acknowledged.receipt
    complaint = complaint_of(house, acknowledged)
    assert complaint.receipt_hash == receipt.digest(house.keys, acknowledged.receipt)
    house.engine.dispose()
    for path in house.settings.data.rglob("*"):
        if path.is_file():
            assert acknowledged.receipt.encode() not in path.read_bytes()


def test_media_are_told_by_content_and_not_by_the_field_they_came_in(house: House) -> None:
    image = picture("JPEG")
    acknowledged = house.intake.accept(
        [part(house.intake, image), part(house.intake)], replace(ABOUT, text="  还有一句 ")
    )
    assert complaint_of(house, acknowledged).medium is ReportMedium.MIXED
    media = media_of(house, acknowledged.complaint_id)
    assert [medium.kind for medium in media] == [Kind.IMAGE, Kind.VOICE, Kind.TEXT]
    assert media[2].text == "还有一句"
    assert house.queue.depth(Stage.PREPARE) == 3


def test_the_same_content_has_the_same_keyed_hash(house: House) -> None:
    assert part(house.intake).content_hash == part(house.intake).content_hash
    assert part(house.intake, picture("PNG")).content_hash != part(house.intake).content_hash


def test_what_is_no_medium_is_refused_as_soon_as_the_head_is_known(house: House) -> None:
    writer = house.intake.receive(Kind.VOICE)
    with pytest.raises(NotMedia):
        for _ in range(100):
            writer.write(b"not a recording " * 1000)
    writer.discard()
    short = house.intake.receive(Kind.VOICE)
    short.write(b"not a recording")
    with pytest.raises(NotMedia):
        short.finish()
    assert stored(house) == []


def test_a_file_over_the_limit_is_refused_before_its_end(house: House) -> None:
    limits = Limits(recording_bytes=100_000, image_bytes=30_000)
    intake = Intake(house.engine, house.keys, house.blobs, house.queue, limits)
    writer = intake.receive(Kind.VOICE)
    written = 0
    with pytest.raises(TooLarge):
        for _ in range(1000):
            writer.write(WAV[:44] + bytes(9_956))
            written += 10_000
    assert written == 100_000
    writer.discard()
    big = intake.receive(Kind.VOICE)
    with pytest.raises(TooLarge):
        big.write(picture("JPEG") + bytes(40_000))
    big.discard()
    assert stored(house) == []


def test_an_empty_file_is_refused(house: House) -> None:
    with pytest.raises(Empty):
        house.intake.receive(Kind.VOICE).finish()


def test_a_report_with_nothing_in_it_is_refused(house: House) -> None:
    with pytest.raises(Empty):
        house.intake.accept([], replace(ABOUT, text=" \n "))
    spoken = part(house.intake, purpose=Purpose.IDENTITY)
    with pytest.raises(Empty):
        house.intake.accept([spoken], replace(ABOUT, identity_mode=IdentityMode.REAL_NAME))
    assert stored(house) == []


def test_too_many_files_and_too_long_texts_are_refused(house: House) -> None:
    limits = Limits(files=2, text_characters=5)
    intake = Intake(house.engine, house.keys, house.blobs, house.queue, limits)
    with pytest.raises(TooLarge) as caught:
        intake.accept([part(intake) for _ in range(3)], ABOUT)
    assert caught.value.code == "too_many_files"
    assert stored(house) == []
    with pytest.raises(TooLarge):
        intake.accept([], replace(ABOUT, text="超过五个字的话"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"channel": "nowhere"}, "unknown_channel"),
        ({"declared_language": "not a tag"}, "bad_language"),
        ({"reporter_name": "某人"}, "identity_unclear"),
        ({"identity_mode": IdentityMode.REAL_NAME}, "identity_unclear"),
    ],
)
def test_a_field_against_its_rules_is_refused(
    house: House, change: dict[str, str], code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        house.intake.accept([part(house.intake)], replace(ABOUT, **change))  # type: ignore[arg-type]
    assert caught.value.code == code
    assert stored(house) == []


def test_a_name_is_sealed_with_the_report_it_belongs_to(house: House) -> None:
    about = replace(
        ABOUT,
        identity_mode=IdentityMode.REAL_NAME,
        reporter_name="阿依",
        reporter_contact="0834-0000000",
    )
    complaint = complaint_of(house, house.intake.accept([part(house.intake)], about))
    assert complaint.reporter_sealed is not None
    opened = reporter.unseal(house.keys, complaint.id, complaint.reporter_sealed)
    assert (opened.name, opened.contact) == ("阿依", "0834-0000000")
    assert "阿依".encode() not in complaint.reporter_sealed


def test_a_spoken_name_makes_a_real_name_report(house: House) -> None:
    spoken = part(house.intake, sound("ogg/opus"), Purpose.IDENTITY)
    about = replace(ABOUT, identity_mode=IdentityMode.REAL_NAME, text="路没有修")
    acknowledged = house.intake.accept([spoken], about)
    assert complaint_of(house, acknowledged).medium is ReportMedium.TEXT
    assert media_of(house, acknowledged.complaint_id)[0].purpose is Purpose.IDENTITY


def test_a_report_for_the_level_above_is_never_held_below(house: House) -> None:
    acknowledged = house.intake.accept([part(house.intake)], replace(ABOUT, upward_only=True))
    complaint = complaint_of(house, acknowledged)
    assert complaint.held_by == "513400"
    assert complaint.jurisdiction == COUNTY


def test_the_same_report_under_one_key_gets_the_same_receipt(house: House) -> None:
    first = house.intake.accept([part(house.intake)], ABOUT, KEY)
    again = house.intake.accept([part(house.intake)], ABOUT, KEY.upper())
    assert (again.receipt, again.complaint_id) == (first.receipt, first.complaint_id)
    assert again.repeated and not first.repeated
    assert len(stored(house)) == 1
    with reading(house.engine) as session:
        assert len(session.exec(select(Complaint)).all()) == 1


@pytest.mark.parametrize("change", [{"text": "多一句"}, {"declared_language": "zh"}])
def test_another_report_under_one_key_is_refused(house: House, change: dict[str, str]) -> None:
    house.intake.accept([part(house.intake)], ABOUT, KEY)
    with pytest.raises(Conflict) as caught:
        house.intake.accept([part(house.intake)], replace(ABOUT, **change), KEY)  # type: ignore[arg-type]
    assert caught.value.code == "idempotency_key_reused"
    assert len(stored(house)) == 1


def test_the_server_cannot_read_the_receipt_that_it_keeps(house: House) -> None:
    acknowledged = house.intake.accept([part(house.intake)], ABOUT, KEY)
    with reading(house.engine) as session:
        kept = session.exec(select(Submission)).one()
    assert KEY not in kept.key_digest
    assert acknowledged.receipt.encode() not in kept.receipt_sealed


def test_a_key_is_forgotten_after_its_hours(house: House) -> None:
    first = house.intake.accept([part(house.intake)], ABOUT, KEY)
    with writing(house.engine) as session:
        kept = session.exec(select(Submission)).one()
        kept.created_at = now() - timedelta(hours=72, seconds=1)
        session.add(kept)
    second = house.intake.accept([part(house.intake)], replace(ABOUT, text="另一份"), KEY)
    assert second.complaint_id != first.complaint_id


@pytest.mark.parametrize(
    "weak", ["", "1", "retry-1", "0" * 32, "ab" * 16, "0123456789abcdef", "x" * 22, "键" * 32]
)
def test_a_weak_key_is_refused(house: House, weak: str) -> None:
    with pytest.raises(Invalid) as caught:
        house.intake.accept([part(house.intake)], ABOUT, weak)
    assert caught.value.code == "weak_idempotency_key"


def test_a_key_may_be_written_in_base64url(house: House) -> None:
    first = house.intake.accept([part(house.intake)], ABOUT, KEY)
    same = house.intake.accept([part(house.intake)], ABOUT, "PwqcW-F9QohrH9BDmufCFQ")
    assert same.repeated and same.receipt == first.receipt


class DeadQueue:
    """A queue that nobody answers for."""

    def enqueue(self, stage: Stage, medium_id: UUID) -> None:
        raise Unavailable("队列没有回应。", "The queue does not answer.")

    def depth(self, stage: Stage) -> int:
        return 0

    def alive(self) -> bool:
        return False


def test_a_dead_queue_does_not_keep_a_report_from_being_acknowledged(house: House) -> None:
    intake = Intake(house.engine, house.keys, house.blobs, DeadQueue(), house.settings.limits)
    acknowledged = intake.accept([part(intake)], ABOUT)
    assert complaint_of(house, acknowledged).status is Status.RECEIVED


def test_impatient_clients_make_one_report(house: House) -> None:
    results: list[Acknowledged] = []

    def send() -> None:
        results.append(house.intake.accept([part(house.intake)], ABOUT, KEY))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len({result.receipt for result in results}) == 1
    assert [result.repeated for result in results].count(False) == 1
    assert len(stored(house)) == 1


def test_an_addition_reopens_what_was_settled(house: House) -> None:
    acknowledged = house.intake.accept([part(house.intake)], ABOUT)
    with writing(house.engine) as session:
        complaint = session.get_one(Complaint, acknowledged.complaint_id)
        complaint.settled_at = now()
        session.add(complaint)
    house.intake.add(acknowledged.complaint_id, [part(house.intake, picture("PNG"))], "补充一句")
    media = media_of(house, acknowledged.complaint_id)
    assert [medium.position for medium in media] == [0, 1, 2]
    assert [medium.purpose for medium in media[1:]] == [Purpose.ADDITION] * 2
    complaint = complaint_of(house, acknowledged)
    assert complaint.settled_at is None
    assert complaint.version == 2
    assert house.queue.depth(Stage.PREPARE) == 3


def test_the_same_addition_twice_is_kept_once(house: House) -> None:
    acknowledged = house.intake.accept([part(house.intake)], ABOUT)
    for _ in range(2):
        house.intake.add(acknowledged.complaint_id, [part(house.intake, picture("PNG"))])
    assert len(media_of(house, acknowledged.complaint_id)) == 2
    assert len(stored(house)) == 2


def test_nothing_is_added_to_a_withdrawn_or_unknown_report(house: House) -> None:
    acknowledged = house.intake.accept([part(house.intake)], ABOUT)
    with writing(house.engine) as session:
        complaint = session.get_one(Complaint, acknowledged.complaint_id)
        complaint.status = Status.WITHDRAWN
        session.add(complaint)
    with pytest.raises(Conflict):
        house.intake.add(acknowledged.complaint_id, [part(house.intake)])
    with pytest.raises(NotFound):
        house.intake.add(uuid4(), [part(house.intake)])
    with pytest.raises(Empty):
        house.intake.add(acknowledged.complaint_id, [], "")
    assert len(stored(house)) == 1


def test_a_closed_channel_takes_no_reports(house: House) -> None:
    from models.channel import Channel

    with writing(house.engine) as session:
        channel = session.get_one(Channel, "xsl-clinic")
        channel.valid_until = (now() - timedelta(days=3)).date()
        session.add(channel)
    with pytest.raises(Invalid) as caught:
        house.intake.accept([part(house.intake)], ABOUT)
    assert caught.value.code == "channel_closed"
