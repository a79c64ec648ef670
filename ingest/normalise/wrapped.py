"""Lines of a page run together where only the paper ended, and the way back."""

from __future__ import annotations

from ingest.matter import Passage
from ingest.normalise.sound import is_han

FULL = 0.85  # of the widest line: one that ends before has ended by itself
ENDS = "。！？!?：:；;"


def run_together(passage: Passage) -> tuple[Passage, tuple[int, ...]]:
    """Take out the breaks inside sentences, so that a word that was broken is whole again.

    Returns the passage and, for each character of it, where that stands in the one given; no
    places where nothing was taken out.
    """
    lines = passage.text.split("\n")
    if len(lines) < 2 or len(lines) != len(passage.lines):
        return passage, ()
    widest = max(line.box[2] for line in passage.lines)
    places: list[int] = []
    at = 0
    for line, following, drawn in zip(lines, [*lines[1:], ""], passage.lines, strict=True):
        places += range(at, at + len(line))
        at += len(line) + 1
        if not (drawn.box[2] >= FULL * widest and _goes_on(line, following)):
            places.append(at - 1)
    places.pop()  # the last line has no break behind it
    if len(places) == len(passage.text):
        return passage, ()
    text = "".join(passage.text[place] for place in places)
    return passage.model_copy(update={"text": text}), tuple(places)


def _goes_on(line: str, following: str) -> bool:
    """Tell whether a sentence goes on in the next line."""
    return (
        bool(line and following)
        and line[-1] not in ENDS
        and (is_han(line[-1]) or line[-1].isdigit() or line[-1] in "，、,")
        and (is_han(following[0]) or following[0].isdigit() or following[0] in "，。、")
    )
