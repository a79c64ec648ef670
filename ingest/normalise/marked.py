"""Texts that mark what dates the act and whom they reproach: 村头【去年】〔支书〕〈王〉某收的钱.

They are quicker to write than complaints with all their fields, and teach nothing but that.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.normalise.labelled import text_of
from ingest.normalise.reading import Span
from models.errors import Invalid

TIMES = "times-*.tsv"  # only the time is marked
ACTS = "acts-*.tsv"  # the time and the one reproached
TIME, POST, NAME = MARKS = ("【】", "〔〕", "〈〉")


@dataclass(frozen=True)
class Marked:
    """A text as somebody says it.

    time : what dates the act, None where nothing does
    people : whether the one reproached is marked too
    post, name : of that one, the name as far as it was said; None where there is none
    """

    received: date
    text: str
    time: Span | None = None
    people: bool = False
    post: Span | None = None
    name: Span | None = None

    def said(self, span: Span | None) -> str:
        """Give the marked words, "" where none are."""
        return self.text[span.start : span.end] if span else ""


def read_all(folder: Path) -> tuple[Marked, ...]:
    """Read the marked texts of a folder, in order; raise Invalid where there are none."""
    times = (one for path in sorted(folder.glob(TIMES)) for one in read(path))
    acts = (one for path in sorted(folder.glob(ACTS)) for one in read(path, people=True))
    found = (*times, *acts)
    if not found:
        raise Invalid(
            f"{folder} 里没有 {TIMES}，也没有 {ACTS}。",
            f"There is neither {TIMES} nor {ACTS} in {folder}.",
            code="no_labels",
        )
    return found


def read(path: Path, *, people: bool = False) -> tuple[Marked, ...]:
    """Read a table with tabs, `received` and `text`; raise Invalid with the line that is wrong.

    people : whether the one reproached is marked, and not only the time
    """
    return tuple(_read(path, people))


def _read(path: Path, people: bool) -> Iterator[Marked]:
    lines = csv.DictReader(text_of(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    marks = MARKS if people else (TIME,)
    for number, row in enumerate(lines, 2):
        try:
            received = date.fromisoformat(row["received"])
            text, spans = _parted(row["text"], marks)
        except (KeyError, TypeError, ValueError) as error:
            shown = " ".join(marks)
            raise Invalid(
                f"{path.name} 第 {number} 行要有 received（日期）和 text 两列，{shown} 最多各一。",
                f"{path.name}, line {number} wants a day and a text with each of {shown} at most"
                " once.",
                code="bad_marks",
            ) from error
        yield Marked(received, text, spans.get(TIME), people, spans.get(POST), spans.get(NAME))


def _parted(marked: str, marks: tuple[str, ...]) -> tuple[str, dict[str, Span]]:
    """Take the marks out of a text and tell what they are around; ValueError if they do not fit."""
    text: list[str] = []
    spans: dict[str, Span] = {}
    opened: dict[str, int] = {}
    for sign in marked:
        mark = next((mark for mark in MARKS if sign in mark), None)
        if mark is None:
            text.append(sign)
        elif mark not in marks or mark in spans or (sign == mark[0]) == (mark in opened):
            raise ValueError(marked)
        elif sign == mark[0]:
            opened[mark] = len(text)
        else:
            spans[mark] = Span(opened[mark], len(text))
    if len(opened) != len(spans) or not text or any(s.start == s.end for s in spans.values()):
        raise ValueError(marked)
    return "".join(text), spans
