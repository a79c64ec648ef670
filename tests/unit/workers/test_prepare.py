from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from sqlmodel import select

from ingest.accept import About
from ingest.normalise import load_lexicons, normalise
from ingest.queue import Stage
from models import gazetteer, workload
from models.complaint import Complaint, IdentityMode
from models.database import reading, writing
from models.errors import Unavailable
from models.medium import Kind, Medium, Purpose
from models.settings import Limits
from models.status import MediumState, Status
from tests.conftest import House
from tests.fakes import FakeNormaliser
from tests.files import FORMS, picture, silk, sound, tone
from transcribe.audio import decode
from workers.decoding import to_samples
from workers.house import House as Workshop
from workers.prepare import Failed, prepare, working_copy

SAMPLES = Path(__file__).parents[3] / "samples"
DEMO_LETTER, GAZETTEER = (
    SAMPLES / "demo" / "zh-letter.heic",
    SAMPLES / "complaints" / "gazetteer.csv",
)
LETTER = Path(__file__).parents[2] / "data" / "letter.png"
ABOUT = About(channel="xsl-clinic")


def send(house: House, *contents: bytes, about: About = ABOUT, **more: Purpose) -> list[Medium]:
    parts = []
    for content in contents:
        writer = house.intake.receive(Kind.VOICE, **more)
        writer.write(content)
        parts.append(writer.finish())
    complaint_id = house.intake.accept(parts, about).complaint_id
    with reading(house.engine) as session:
        query = select(Medium).where(Medium.complaint_id == complaint_id)
        return sorted(session.exec(query), key=lambda medium: medium.position)


def look(house: House, medium_id: UUID) -> tuple[Medium, Complaint]:
    with reading(house.engine) as session:
        medium = session.get_one(Medium, medium_id)
        return medium, session.get_one(Complaint, medium.complaint_id)


def limited(workshop: Workshop, **limits: int) -> Workshop:
    settings = workshop.settings.model_copy(update={"limits": Limits(**limits)})
    return replace(workshop, settings=settings)


@pytest.mark.parametrize("form", [*FORMS, "silk"])
def test_every_container_is_prepared(house: House, workshop: Workshop, form: str) -> None:
    (medium,) = send(house, silk() if form == "silk" else sound(form))
    prepare(workshop, medium.id)
    medium, complaint = look(house, medium.id)
    assert medium.state is MediumState.PREPARED
    assert medium.seconds == pytest.approx(2, abs=0.15)
    assert medium.attempts == 0
    assert not medium.truncated
    assert complaint.status is Status.RECEIVED
    assert medium.peaks is not None and medium.peaks_rate == 20
    assert len(medium.peaks) == pytest.approx(2 * 20 * medium.seconds, abs=4)
    assert house.queue.depth(Stage.TRANSCRIBE) == 1


def test_the_copy_plays_and_the_samples_are_what_was_recorded(
    house: House, workshop: Workshop, tmp_path: Path
) -> None:
    (medium,) = send(house, sound("wav"))
    prepare(workshop, medium.id)
    medium, _ = look(house, medium.id)
    assert medium.copy_ is not None and medium.copy_mime == "audio/mp4"
    path = tmp_path / "copy.m4a"
    path.write_bytes(b"".join(house.blobs.read(medium.copy_)))
    assert decode(path, max_seconds=60).seconds == pytest.approx(2, abs=0.1)
    samples = to_samples(b"".join(house.blobs.read(working_copy(medium.id))))
    assert np.abs(samples - tone() / 32_768).max() < 0.001


def test_preparing_twice_changes_nothing(house: House, workshop: Workshop) -> None:
    (medium,) = send(house, sound("wav"))
    prepare(workshop, medium.id)
    before, _ = look(house, medium.id)
    prepare(workshop, medium.id)
    after, _ = look(house, medium.id)
    assert after.model_dump() == before.model_dump()
    assert house.queue.depth(Stage.TRANSCRIBE) == 1


@pytest.mark.parametrize(
    "content",
    [
        sound("wav")[:44],
        sound("m4a")[:60],
        b"#!AMR\n" + b"\xff" * 5000,
        b"OggS" + bytes(3000),
        b"\x02#!SILK_V3" + b"\xff" * 100,
    ],
)
def test_sound_that_cannot_be_decoded_goes_to_a_listener_with_its_original(
    house: House, workshop: Workshop, content: bytes
) -> None:
    (medium,) = send(house, content)
    prepare(workshop, medium.id)
    medium, complaint = look(house, medium.id)
    assert (medium.state, medium.reason) == (MediumState.NEEDS_LISTENER, "poor_audio")
    assert complaint.status is Status.NEEDS_LISTENER
    assert b"".join(house.blobs.read(medium.original)) == content
    assert house.queue.depth(Stage.TRANSCRIBE) == 0


def test_a_truncated_recording_keeps_what_there_is_and_says_so(
    house: House, workshop: Workshop
) -> None:
    whole = sound("wav")
    (medium,) = send(house, whole[: len(whole) // 2])
    prepare(workshop, medium.id)
    medium, _ = look(house, medium.id)
    assert medium.state is MediumState.PREPARED
    assert medium.truncated
    assert medium.seconds == pytest.approx(1, abs=0.1)


def test_hostile_metadata_changes_nothing(house: House, workshop: Workshop) -> None:
    evil = {"title": "../../etc/passwd\r\n\x1b[31m", "artist": "'; DROP TABLE medium; --"}
    (medium,) = send(house, sound("m4a", metadata=evil))
    prepare(workshop, medium.id)
    medium, _ = look(house, medium.id)
    assert medium.state is MediumState.PREPARED
    assert b"passwd" not in b"".join(house.blobs.read(str(medium.copy_)))


def test_work_over_its_limits_is_tried_again_and_then_given_to_a_listener(
    house: House, workshop: Workshop
) -> None:
    tight = limited(workshop, decode_wall_seconds=0)
    (medium,) = send(house, sound("wav"))
    for attempt in (1, 2, 3):
        with pytest.raises(Failed):
            prepare(tight, medium.id)
        assert look(house, medium.id)[0].attempts == attempt
    prepare(tight, medium.id)
    medium, complaint = look(house, medium.id)
    assert (medium.state, medium.reason) == (MediumState.NEEDS_LISTENER, "processing_failed")
    assert complaint.status is Status.NEEDS_LISTENER
    with reading(house.engine) as session:
        (failure,) = workload.measure(session).failures
    assert (failure.medium_id, failure.why) == (medium.id, "overrun")


class AbsentBlobs:
    """A blob store that does not answer."""

    def __getattr__(self, name: str) -> object:
        def refuse(*_: object) -> object:
            raise Unavailable("没有回应。", "It does not answer.")

        return refuse


def test_a_store_that_is_away_costs_no_attempt(house: House, workshop: Workshop) -> None:
    (medium,) = send(house, sound("wav"))
    with pytest.raises(Failed):
        prepare(replace(workshop, blobs=AbsentBlobs()), medium.id)
    medium, _ = look(house, medium.id)
    assert (medium.state, medium.attempts) == (MediumState.STORED, 0)


def test_a_photographed_letter_becomes_a_record(house: House, workshop: Workshop) -> None:
    (medium,) = send(house, picture("HEIC", Image.open(LETTER).convert("RGB"), quality=90))
    prepare(workshop, medium.id)
    medium, complaint = look(house, medium.id)
    assert medium.state is MediumState.DONE
    assert medium.page is not None and medium.page["lines"][0]["text"].startswith("尊敬的巡察组")
    assert complaint.status is Status.READY
    assert "修路款" in complaint.description
    assert complaint.language == "zh"
    copy = Image.open(io.BytesIO(b"".join(house.blobs.read(str(medium.copy_)))))
    assert (copy.format, copy.size) == ("JPEG", (1000, 700))


def test_the_fields_of_a_photographed_letter_point_at_its_lines(
    house: House, workshop: Workshop
) -> None:
    lexicons = load_lexicons(gazetteer.read(GAZETTEER))
    (medium,) = send(house, DEMO_LETTER.read_bytes())
    reading_rules = replace(workshop, normaliser=partial(normalise, lexicons=lexicons))
    prepare(reading_rules, medium.id)
    _, complaint = look(house, medium.id)
    assert complaint.domain == "assets"
    assert (complaint.subject_name, complaint.subject_post) == ("邓有田", "村主任")
    assert complaint.occurred_text == "今年三月"
    assert [(one["value"], one["unit"]) for one in complaint.amounts] == [
        (20, "亩"),
        (30, "元"),
        (4500, "元"),
        (7, "户"),
    ]
    sources = [one for name in ("occurred", "amounts.0") for one in complaint.provenance[name]]
    assert all(one["medium"] == str(medium.id) and one["box"] for one in sources)


def test_a_photograph_without_writing_needs_a_person(house: House, workshop: Workshop) -> None:
    (medium,) = send(house, picture("JPEG", Image.new("RGB", (200, 200), "white")))
    prepare(workshop, medium.id)
    medium, _ = look(house, medium.id)
    assert (medium.state, medium.reason) == (MediumState.NEEDS_LISTENER, "untrusted_text")
    assert medium.copy_ is not None


def test_a_photograph_that_cannot_be_opened_needs_a_person(
    house: House, workshop: Workshop
) -> None:
    (medium,) = send(house, b"\xff\xd8\xff\xe0" + bytes(500))
    prepare(workshop, medium.id)
    medium, _ = look(house, medium.id)
    assert (medium.state, medium.reason) == (MediumState.NEEDS_LISTENER, "untrusted_text")


def test_a_typed_text_is_settled_at_once(
    house: House, workshop: Workshop, normaliser: FakeNormaliser
) -> None:
    (medium,) = send(house, about=replace(ABOUT, text="村里的路三年没有修"))
    prepare(workshop, medium.id)
    prepare(workshop, medium.id)
    medium, complaint = look(house, medium.id)
    assert medium.state is MediumState.DONE
    assert complaint.status is Status.READY
    assert len(normaliser.asked) == 1


def test_a_spoken_name_is_playable_and_never_recognised(house: House, workshop: Workshop) -> None:
    about = replace(ABOUT, text="路没有修", identity_mode=IdentityMode.REAL_NAME)
    spoken, _ = send(house, sound("wav"), about=about, purpose=Purpose.IDENTITY)
    prepare(workshop, spoken.id)
    medium, complaint = look(house, spoken.id)
    assert medium.state is MediumState.DONE
    assert medium.copy_ is not None
    assert house.queue.depth(Stage.TRANSCRIBE) == 0
    assert complaint.status is Status.RECEIVED


def test_a_masked_channel_gives_staff_another_voice(house: House, workshop: Workshop) -> None:
    from models.channel import Channel

    pcm = tone(3.0)
    (plain,) = send(house, sound("wav", pcm))
    prepare(workshop, plain.id)
    with writing(house.engine) as session:
        channel = session.get_one(Channel, "xsl-clinic")
        channel.mask_voice = True
        session.add(channel)
    (masked,) = send(house, sound("wav", pcm))
    prepare(workshop, masked.id)
    copies = [b"".join(house.blobs.read(f"copy/{one.id}")) for one in (plain, masked)]
    assert copies[0] != copies[1]
    assert b"".join(house.blobs.read(working_copy(masked.id))) == pcm.tobytes()[: len(pcm) * 2]


def test_a_medium_that_is_gone_is_no_error(workshop: Workshop) -> None:
    prepare(workshop, UUID(int=7))


def test_a_recording_over_the_limit_in_seconds_is_cut_there(
    house: House, workshop: Workshop
) -> None:
    (medium,) = send(house, sound("ogg/opus", tone(4.0)))
    prepare(limited(workshop, recording_seconds=3), medium.id)
    medium, _ = look(house, medium.id)
    assert medium.truncated
    assert medium.seconds == pytest.approx(3, abs=0.1)
