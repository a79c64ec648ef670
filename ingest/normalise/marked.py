"""Texts in which the time that dates the act is marked: 村头【去年】收的钱.

They are quicker to write than complaints with all their fields, and teach times alone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.normalise.labelled import text_of
from ingest.normalise.reading import Span
from models.errors import Invalid

FILES = "times-*.tsv"
_MARK = re.compile(r"【([^【】]+)】")


@dataclass(frozen=True)
class Marked:
    """A text as somebody says it. span : of the time that dates the act, None where none does"""

    received: date
    text: str
    span: Span | None


def read_all(folder: Path) -> tuple[Marked, ...]:
    """Read the marked texts of a folder, in order; raise Invalid where there are none."""
    found = tuple(one for path in sorted(folder.glob(FILES)) for one in read(path))
    if not found:
        raise Invalid(
            f"{folder} 里没有 {FILES}。",
            f"There is no {FILES} in {folder}.",
            code="no_labels",
        )
    return found


def read(path: Path) -> tuple[Marked, ...]:
    """Read a table with tabs, `received` and `text`; raise Invalid with the line that is wrong."""
    return tuple(_read(path))


def _read(path: Path) -> Iterator[Marked]:
    lines = csv.DictReader(text_of(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, row in enumerate(lines, 2):
        try:
            yield _marked(date.fromisoformat(row["received"]), row["text"])
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(
                f"{path.name} 第 {number} 行要有 received（日期）和 text 两列，最多标一处【】。",
                f"{path.name}, line {number} wants a day and a text with at most one 【】.",
                code="bad_marks",
            ) from error


def _marked(received: date, said: str) -> Marked:
    marks = _MARK.findall(said)
    text = _MARK.sub(r"\1", said)
    if len(marks) > 1 or "【" in text or "】" in text or not text:
        raise ValueError(said)
    start = said.find("【")
    return Marked(received, text, Span(start, start + len(marks[0])) if marks else None)
