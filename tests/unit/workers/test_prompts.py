"""A recorded prompt ends as what every phone plays, whatever it was recorded as."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ingest.queue import Stage
from models import prompts
from models.channel import Prompt
from models.columns import now, uuid7
from models.database import reading, writing
from tests.files import sound, tone
from transcribe.audio import decode
from workers.house import House as Workshop
from workers.prepare import prepare
from workers.sweep import sweep


def wait(workshop: Workshop, content: bytes, mime: str = "audio/webm") -> UUID:
    """Store a recording as the administrators' page does."""
    recording = uuid7()
    blob = prompts.blob_of(recording)
    with workshop.blobs.writer(blob) as writer:
        writer.write(content)
        writer.commit()
    with writing(workshop.engine) as session:
        row = Prompt(
            channel_code="", language="bo", name="welcome", blob="", waiting=blob,
            mime=mime, seconds=2.0,
        )  # fmt: skip
        prompts.put(session, row)
    return recording


def heard(workshop: Workshop) -> Prompt | None:
    with reading(workshop.engine) as session:
        return prompts.find(session, "", "bo", "welcome")


def blob(workshop: Workshop) -> str:
    found = heard(workshop)
    assert found is not None
    return found.blob


@pytest.mark.parametrize("form", ["webm/opus", "ogg/opus", "wav"])
def test_what_old_phones_do_not_play_is_converted(
    workshop: Workshop, tmp_path: Path, form: str
) -> None:
    recording = wait(workshop, sound(form))
    assert heard(workshop) is None
    prepare(workshop, recording)
    found = heard(workshop)
    assert found is not None and (found.mime, found.waiting) == ("audio/mp4", "")
    content = b"".join(workshop.blobs.read(found.blob))
    assert prompts.plays_everywhere(found.mime, content)
    copy = tmp_path / "copy.m4a"
    copy.write_bytes(content)
    assert decode(copy, max_seconds=60).seconds == pytest.approx(found.seconds, abs=0.2)
    prepare(workshop, recording)
    assert blob(workshop) == found.blob


def test_what_was_heard_before_is_heard_until_then_and_its_blob_goes(workshop: Workshop) -> None:
    prepare(workshop, wait(workshop, sound("webm/opus")))
    before = blob(workshop)
    second = wait(workshop, sound("ogg/opus", tone(1.0)))
    assert blob(workshop) == before
    prepare(workshop, second)
    after = blob(workshop)
    assert after != before
    assert set(workshop.blobs.older("prompts", now() + timedelta(hours=1))) == {after}


def test_what_cannot_be_played_is_forgotten(workshop: Workshop) -> None:
    prepare(workshop, wait(workshop, sound("webm/opus")))
    before = blob(workshop)
    prepare(workshop, wait(workshop, b"\x1aE\xdf\xa3" + bytes(500)))
    found = heard(workshop)
    assert found is not None and (found.blob, found.waiting) == (before, "")
    assert set(workshop.blobs.older("prompts", now() + timedelta(hours=1))) == {before}


def test_a_recording_that_the_queue_lost_is_found_again(workshop: Workshop) -> None:
    recording = wait(workshop, sound("webm/opus"))
    sweep(workshop, now() + timedelta(hours=1))
    assert recording in workshop.queue.held(Stage.PREPARE)
