"""Texts with a marked time, as they are read to learn from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingest.normalise import marked, when
from ingest.normalise.marked import Marked
from ingest.normalise.reading import Span, plain
from models.errors import Invalid
from tests.unit.ingest.normalise.conftest import SAMPLES


def table(folder: Path, *lines: str) -> Path:
    """Write a table with its head."""
    path = folder / "times-1.tsv"
    path.write_text("\n".join(("received\ttext", *lines)) + "\n", "utf-8")
    return path


def test_the_mark_gives_the_span_and_leaves_the_text(tmp_path: Path) -> None:
    found = marked.read(table(tmp_path, "2026-05-12\t村上【去年】收的钱", '2026-05-13\t"路"烂了'))
    assert found == (
        Marked(date(2026, 5, 12), "村上去年收的钱", Span(2, 4)),
        Marked(date(2026, 5, 13), '"路"烂了', None),
    )


def test_the_one_reproached_is_marked_beside_the_time(tmp_path: Path) -> None:
    path = table(tmp_path, "2026-05-12\t姓〈王〉的〔主任〕【去年】收的钱", "2026-05-13\t路烂了")
    one, nobody = marked.read(path, people=True)
    assert one.text == "姓王的主任去年收的钱"
    assert (one.said(one.name), one.said(one.post), one.said(one.time)) == ("王", "主任", "去年")
    assert one.people
    assert nobody == Marked(date(2026, 5, 13), "路烂了", people=True)
    assert nobody.said(nobody.post) == ""


@pytest.mark.parametrize("line", ["〔主任〕和〔会计〕", "〔会计【去年】", "路】烂【了", "〈〉收钱"])
def test_marks_that_do_not_fit_are_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="line 2 wants"):
        marked.read(table(tmp_path, f"2026-05-12\t{line}"), people=True)


def test_people_are_not_marked_among_times(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="【】 at most once"):
        marked.read(table(tmp_path, "2026-05-12\t〔主任〕收钱"))


@pytest.mark.parametrize(
    "line",
    [
        "2026-05-12",
        "gestern\t路烂了",
        "2026-05-12\t【去年】和【前年】",
        "2026-05-12\t【去年",
        "2026-05-12\t",
    ],
)
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="line 3"):
        marked.read(table(tmp_path, "2026-05-12\t路烂了", line))


def test_every_sample_is_read_once_and_its_mark_is_a_time_that_is_found() -> None:
    every = marked.read_all(SAMPLES)
    assert len({one.text for one in every}) == len(every) > 12_000
    spans = [one for one in every if one.time]
    found = [
        any(time.span.overlaps(one.time) for time in when.joined(plain(one.text), one.received))
        for one in spans
        if one.time
    ]
    assert sum(found) > 0.99 * len(spans)
