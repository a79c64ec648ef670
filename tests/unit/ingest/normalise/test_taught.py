"""What complaints and marked texts teach of their times and people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from ingest.matter import ChannelFacts
from ingest.normalise import marked, model
from ingest.normalise.gazetteer import Gazetteer
from ingest.normalise.labelled import Labelled, LabelledInterval, LabelledPerson
from ingest.normalise.taught import Taught, Teacher, lessons
from models import gazetteer
from tests.unit.ingest.normalise.conftest import SAMPLES
from tests.unit.ingest.normalise.test_marked import table

TEXT = "王主任二〇二四年签的合同，去年三月就不认了，找过李支书。"


@pytest.fixture(scope="module")
def teacher(channels: Mapping[str, ChannelFacts]) -> Teacher:
    return Teacher(channels, Gazetteer(gazetteer.read(SAMPLES / "gazetteer.csv")), model.load())


def told(
    teacher: Teacher, person: LabelledPerson | None, start: date | None, text: str = TEXT
) -> Taught:
    """Take a complaint with all its fields."""
    meant = start and LabelledInterval(start=start, end=date(2025, 3, 31), precision="month")
    one = Labelled(
        id="a",
        channel="qx-shiqiao",
        received=date(2026, 5, 14),
        text=text,
        person=person,
        occurred=meant,
        domain="assets",
        conduct="dereliction",
    )
    (found,) = teacher.labelled([one])
    return found


def test_labels_tell_which_time_and_who_is_meant(teacher: Teacher) -> None:
    found = told(teacher, LabelledPerson(surname="王", post="主任"), date(2025, 3, 1))
    assert found.dated == (False, True)
    assert found.blamed == (True, False)
    assert (found.domain, found.conduct) == ("assets", "dereliction")


def test_without_labels_none_of_them_is_meant(teacher: Teacher) -> None:
    found = told(teacher, None, None)
    assert (found.dated, found.blamed) == ((False, False), (False, False))


def test_what_is_meant_but_not_found_teaches_nothing(teacher: Teacher) -> None:
    found = told(teacher, LabelledPerson(post="馆长"), date(2025, 3, 2))
    assert (found.dated, found.blamed) == (None, None)
    dates, guilt = lessons([found])
    assert (dates.described, guilt.described) == ([], [])


@pytest.mark.parametrize(
    ("text", "blamed"),
    [
        ("〈王〉〔主任〕【去年】没有修路，李支书晓得。", (True, False)),
        ("姓〈李〉的【去年】打人，王主任去劝。", (True, False)),
        ("王主任【去年】没有修路，李支书也晓得。", (False, False)),
    ],
)
def test_marks_tell_who_is_meant(
    text: str, blamed: tuple[bool, ...], teacher: Teacher, tmp_path: Path
) -> None:
    texts = marked.read(table(tmp_path, f"2026-05-12\t{text}"), people=True)
    (found,) = teacher.marked(texts)
    assert found.blamed == blamed
    assert found.dated == (True,)
    assert found.domain == ""
    assert "," in found.seen.reading.text  # as the normaliser reads it, not as it was written


def test_texts_with_marked_times_tell_nothing_of_people(teacher: Teacher, tmp_path: Path) -> None:
    texts = marked.read(table(tmp_path, "2026-05-12\t王主任【去年】没有修路，说是前年修的。"))
    (found,) = teacher.marked(texts)
    assert found.blamed is None
    assert found.dated == (True, False)
    dates, guilt = lessons([found])
    assert (len(dates.described), len(guilt.described)) == (1, 0)
