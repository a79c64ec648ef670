from __future__ import annotations

from uuid import UUID

import pytest
from sqlmodel import Session, select

from ingest.accept import About
from ingest.settle import settle
from models.complaint import Complaint
from models.database import reading, writing
from models.event import Event
from models.medium import Kind, Medium, Purpose
from models.status import MediumState, Status
from models.transcript import Transcript
from tests.conftest import House
from tests.fakes import FakeNormaliser, recognition
from tests.files import picture, sound

TEXT = "村里的路三年没有修"


def report(house: House, *, text: str = "", sounds: int = 0, images: int = 0) -> UUID:
    parts = []
    for content in [sound("wav")] * sounds + [picture("PNG")] * images:
        writer = house.intake.receive(Kind.VOICE)
        writer.write(content)
        parts.append(writer.finish())
    about = About(channel="xsl-clinic", text=text)
    return house.intake.accept(parts, about).complaint_id


def finish(
    session: Session,
    complaint_id: UUID,
    kind: Kind,
    state: MediumState,
    reason: str = "",
    **more: object,
) -> Medium:
    medium = session.exec(
        select(Medium).where(
            Medium.complaint_id == complaint_id,
            Medium.kind == kind,
            Medium.state == MediumState.STORED,
        )
    ).first()
    assert medium is not None
    medium.state, medium.reason = state, reason
    for name, value in more.items():
        setattr(medium, name, value)
    session.add(medium)
    session.flush()
    return medium


def transcribe(
    session: Session, medium: Medium, text: str, tag: str = "zh", version: int = 1
) -> None:
    heard = recognition(text, tag=tag)
    session.add(
        Transcript(
            medium_id=medium.id,
            version=version,
            segments=[one.model_dump(mode="json") for one in heard.segments],
            languages=[one.model_dump(mode="json") for one in heard.languages],
            evidence=[],
            by="model",
        )
    )
    session.flush()


def read(house: House, complaint_id: UUID) -> Complaint:
    with reading(house.engine) as session:
        return session.get_one(Complaint, complaint_id)


def test_a_report_waits_for_the_last_of_its_media(house: House) -> None:
    normaliser = FakeNormaliser()
    complaint_id = report(house, text=TEXT, images=1)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        assert not settle(session, house.keys, complaint_id, normaliser)
    assert read(house, complaint_id).status is Status.RECEIVED
    assert normaliser.asked == []


def test_a_settled_report_is_read_once_and_ready(house: House) -> None:
    normaliser = FakeNormaliser()
    complaint_id = report(house, text=TEXT)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        assert settle(session, house.keys, complaint_id, normaliser)
        assert not settle(session, house.keys, complaint_id, normaliser)
    complaint = read(house, complaint_id)
    assert complaint.status is Status.READY
    assert complaint.description == TEXT
    assert complaint.domain == "works"
    assert complaint.subject_unit == "杏树岭镇"
    assert complaint.language == "zh"
    assert complaint.normalised["version"] == "fake 1"
    assert complaint.provenance["domain"][0]["by"] == "rule"
    assert len(normaliser.asked) == 1
    assert normaliser.asked[0].channel.jurisdiction == "513425"


def test_a_medium_that_needs_a_listener_makes_the_report_need_one(house: House) -> None:
    complaint_id = report(house, text=TEXT, sounds=1)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        finish(session, complaint_id, Kind.VOICE, MediumState.NEEDS_LISTENER, "poor_audio")
        settle(session, house.keys, complaint_id, FakeNormaliser())
    complaint = read(house, complaint_id)
    assert complaint.status is Status.NEEDS_LISTENER
    assert complaint.status_reason == "poor_audio"
    assert complaint.description == TEXT


def test_untrusted_text_fills_no_field_but_is_masked(house: House) -> None:
    complaint_id = report(house, sounds=1)
    with writing(house.engine) as session:
        medium = finish(
            session, complaint_id, Kind.VOICE, MediumState.NEEDS_LISTENER, "uncertain_language"
        )
        transcribe(session, medium, "138 这条路")
        settle(session, house.keys, complaint_id, FakeNormaliser())
    complaint = read(house, complaint_id)
    assert complaint.description == ""
    assert complaint.domain == ""
    assert complaint.masks[0]["medium"] == str(medium.id)


def test_languages_are_shared_by_how_long_each_was_spoken(house: House) -> None:
    complaint_id = report(house, sounds=2)
    with writing(house.engine) as session:
        for tag, seconds in (("ug", 30.0), ("zh", 10.0)):
            medium = finish(
                session, complaint_id, Kind.VOICE, MediumState.DONE, speech_seconds=seconds
            )
            transcribe(session, medium, "话", tag)
        settle(session, house.keys, complaint_id, FakeNormaliser())
    complaint = read(house, complaint_id)
    assert complaint.language == "ug"
    assert [(one["tag"], one["share"]) for one in complaint.languages] == [
        ("ug", pytest.approx(0.75)),
        ("zh", pytest.approx(0.25)),
    ]


def test_a_spoken_name_is_never_part_of_the_content(house: House) -> None:
    normaliser = FakeNormaliser()
    complaint_id = report(house, text=TEXT, sounds=1)
    with writing(house.engine) as session:
        medium = finish(session, complaint_id, Kind.VOICE, MediumState.DONE)
        medium.purpose = Purpose.IDENTITY
        session.add(medium)
        transcribe(session, medium, "我叫某某")
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        settle(session, house.keys, complaint_id, normaliser)
    assert [passage.text for passage in normaliser.asked[0].passages] == [TEXT]
    assert "某某" not in read(house, complaint_id).description


def test_the_newest_transcript_and_the_lines_of_a_page_are_read(house: House) -> None:
    normaliser = FakeNormaliser()
    complaint_id = report(house, sounds=1, images=1)
    page = {
        "lines": [
            {"text": "第一行", "box": [0, 0, 1, 0.1], "score": 0.9},
            {"text": "第二行", "box": [0, 0.2, 1, 0.3], "score": 0.9},
        ],
        "confidence": 0.9,
    }
    with writing(house.engine) as session:
        medium = finish(session, complaint_id, Kind.VOICE, MediumState.DONE, speech_seconds=2.0)
        transcribe(session, medium, "旧的", version=1)
        transcribe(session, medium, "新的", version=2)
        finish(session, complaint_id, Kind.IMAGE, MediumState.DONE, page=page)
        settle(session, house.keys, complaint_id, normaliser)
    voice, image = normaliser.asked[0].passages
    assert (voice.text, voice.transcript_version) == ("新的", 2)
    assert voice.confidence == pytest.approx(0.9)
    assert image.text == "第一行\n第二行"
    assert [line.text for line in image.lines] == ["第一行", "第二行"]


def test_what_a_person_confirmed_stays(house: House) -> None:
    complaint_id = report(house, text=TEXT)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        complaint = session.get_one(Complaint, complaint_id)
        complaint.confirmed = ["subject.unit", "domain"]
        complaint.subject_unit, complaint.domain = "石桥村", "land_housing"
        complaint.provenance = {"domain": [{"by": "staff", "confidence": 1.0}]}
        session.add(complaint)
        settle(session, house.keys, complaint_id, FakeNormaliser())
    complaint = read(house, complaint_id)
    assert (complaint.subject_unit, complaint.domain) == ("石桥村", "land_housing")
    assert complaint.provenance["domain"][0]["by"] == "staff"
    assert "subject.unit" not in complaint.provenance
    assert complaint.description == TEXT


def test_an_addition_after_review_changes_no_status(house: House) -> None:
    complaint_id = report(house, text=TEXT)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        settle(session, house.keys, complaint_id, FakeNormaliser())
        complaint = session.get_one(Complaint, complaint_id)
        complaint.status = Status.ACCEPTED
        session.add(complaint)
    house.intake.add(complaint_id, [], "还有一件事")
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        assert settle(session, house.keys, complaint_id, FakeNormaliser())
    complaint = read(house, complaint_id)
    assert complaint.status is Status.ACCEPTED
    assert complaint.description == TEXT
    assert "还有一件事" in complaint.normalised["description"]


def test_a_normaliser_that_fails_sends_the_report_to_a_person(house: House) -> None:
    normaliser = FakeNormaliser()
    normaliser.fails = True
    complaint_id = report(house, text=TEXT)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        assert settle(session, house.keys, complaint_id, normaliser)
    complaint = read(house, complaint_id)
    assert complaint.status is Status.NEEDS_LISTENER
    assert complaint.status_reason == "processing_failed"


def test_the_change_of_status_is_an_event_without_content(house: House) -> None:
    complaint_id = report(house, text=TEXT)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        settle(session, house.keys, complaint_id, FakeNormaliser())
    with reading(house.engine) as session:
        (event,) = session.exec(select(Event)).all()
    assert (event.actor, event.complaint_id) == ("system", complaint_id)
    assert event.details == {"from": "received", "to": "ready"}


def test_a_report_about_the_body_that_holds_it_moves_up_at_once(house: House) -> None:
    class Ranked(FakeNormaliser):
        def __call__(self, matter):  # type: ignore[no-untyped-def]
            read = super().__call__(matter)
            return read.model_copy(
                update={"subject": read.subject.model_copy(update={"rank": "county"})}
            )

    complaint_id = report(house, text=TEXT)
    with writing(house.engine) as session:
        finish(session, complaint_id, Kind.TEXT, MediumState.DONE)
        settle(session, house.keys, complaint_id, Ranked())
    assert read(house, complaint_id).held_by == "513400"
