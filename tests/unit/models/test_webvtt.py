from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from models import webvtt
from models.record import TranscriptRecord
from models.transcript import Flag, Segment


def record(*segments: Segment) -> TranscriptRecord:
    return TranscriptRecord(
        medium=uuid4(),
        version=1,
        segments=segments,
        by="model",
        model="",
        settings={},
        created=datetime(2026, 1, 1, tzinfo=UTC),
        accepted_by=None,
    )


def test_each_segment_is_a_cue_with_its_language() -> None:
    written = webvtt.write(record(Segment(start=0.5, end=3.25, text="修路", language="zh")))
    assert written == "WEBVTT\n\n1\n00:00:00.500 --> 00:00:03.250\n<lang zh>修路</lang>\n"


def test_an_empty_transcript_is_still_a_file() -> None:
    assert webvtt.write(record()) == "WEBVTT\n"


def test_text_cannot_become_markup_or_another_cue() -> None:
    hostile = "<script>alert(1)</script> & a\n\n2\n00:00:00.000 --> 99:00:00.000\nfalse"
    written = webvtt.write(record(Segment(start=0, end=1, text=hostile, language="x><b")))
    assert "<script" not in written
    assert "<b" not in written
    assert written.count("-->") == 1
    assert len(written.strip().split("\n\n")) == 2


def test_what_may_not_have_been_said_is_marked() -> None:
    flag = Flag(name="compression_ratio", value=3.1)
    doubtful = Segment(start=0, end=1, text="请不吝点赞", trusted=False, flags=(flag,))
    assert "<c.untrusted>[?] " in webvtt.write(record(doubtful))


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "00:00:00.000"),
        (59.9996, "00:01:00.000"),
        (3661.5, "01:01:01.500"),
        (360000, "100:00:00.000"),
    ],
)
def test_times_are_written_with_carry(seconds: float, written: str) -> None:
    assert webvtt.timestamp(seconds) == written
