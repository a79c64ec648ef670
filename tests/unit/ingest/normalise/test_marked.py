"""Texts with a marked time, as they are read to learn from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingest.normalise import marked, when
from ingest.normalise.marked import Marked
from ingest.normalise.reading import Span
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
    spans = [one for one in every if one.span]
    found = [
        any(time.span.overlaps(one.span) for time in when.joined(one.text, one.received))
        for one in spans
        if one.span
    ]
    assert sum(found) > 0.99 * len(spans)
