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


def heard(workshop: Workshop) -> tuple[Prompt, bytes] | None:
    with reading(workshop.engine) as session:
        found = prompts.find(session, "", "bo", "welcome")
    return found and (found, b"".join(workshop.blobs.read(found.blob)))


@pytest.mark.parametrize("form", ["webm/opus", "ogg/opus", "wav"])
def test_what_old_phones_do_not_play_is_converted(
    workshop: Workshop, tmp_path: Path, form: str
) -> None:
    recording = wait(workshop, sound(form))
    assert heard(workshop) is None
    prepare(workshop, recording)
    found = heard(workshop)
    assert found is not None
    row, content = found
    assert (row.mime, row.waiting) == ("audio/mp4", "")
    assert prompts.plays_everywhere(row.mime, content)
    copy = tmp_path / "copy.m4a"
    copy.write_bytes(content)
    assert decode(copy, max_seconds=60).seconds == pytest.approx(row.seconds, abs=0.2)
    prepare(workshop, recording)
    again = heard(workshop)
    assert again is not None and again[0].blob == row.blob


def test_what_was_heard_before_is_heard_until_then_and_its_blob_goes(workshop: Workshop) -> None:
    first = wait(workshop, sound("webm/opus"))
    prepare(workshop, first)
    before = heard(workshop)
    second = wait(workshop, sound("ogg/opus", tone(1.0)))
    assert heard(workshop) == before
    prepare(workshop, second)
    after = heard(workshop)
    assert before is not None and after is not None and after != before
    kept = set(workshop.blobs.older("prompts", now() + timedelta(hours=1)))
    assert kept == {after[0].blob}


def test_what_cannot_be_played_is_forgotten(workshop: Workshop) -> None:
    first = wait(workshop, sound("webm/opus"))
    prepare(workshop, first)
    before = heard(workshop)
    prepare(workshop, wait(workshop, b"\x1aE\xdf\xa3" + bytes(500)))
    assert heard(workshop) == before
    assert before is not None and before[0].waiting == ""


def test_a_recording_that_the_queue_lost_is_found_again(workshop: Workshop) -> None:
    recording = wait(workshop, sound("webm/opus"))
    sweep(workshop, now() + timedelta(hours=1))
    assert recording in workshop.queue.held(Stage.PREPARE)
