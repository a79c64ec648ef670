"""One passage made ready to be searched, character for character, and the way back."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import cache, cached_property

from opencc import OpenCC

from ingest.matter import Passage
from ingest.normalise.sound import is_han, sounds
from ingest.normalise.wrapped import run_together
from models.medium import Kind
from models.record import Provenance
from models.transcript import UNKNOWN_LANGUAGE

CHINESE = frozenset({"zh", "cmn", "yue", "wuu", "hak", "nan", "gan", "hsn", "cjy", "cdo", "mnp"})
HAN_SHARE = 0.3
BLANK = "＊"
_SIMPLE = OpenCC("t2s")


@dataclass(frozen=True)
class Span:
    """A stretch of characters, the second number behind its last."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two have a character in common."""
        return self.start < other.end and other.start < self.end

    def holds(self, other: Span) -> bool:
        """Tell whether the other lies inside."""
        return self.start <= other.start and other.end <= self.end


@cache
def _plain(character: str) -> str:
    """Give the simplified, half-width form of one character, always one character."""
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return " "
    if is_han(character):
        simple = str(_SIMPLE.convert(character))
        return simple if len(simple) == 1 else character
    narrow = unicodedata.normalize("NFKC", character)
    return narrow if len(narrow) == 1 else character


@cache
def _printed(sign: str) -> str:
    unseen = unicodedata.category(sign) in ("Cc", "Cs", "Cn") and sign != "\n"
    return " " if unseen else sign


def printable(text: str) -> str:
    """Write a blank for each control character but the line break, so that offsets stay."""
    return "".join(map(_printed, text))


def plain(text: str) -> str:
    """Simplify and narrow a text without changing its length."""
    return "".join(map(_plain, text))


@dataclass(frozen=True)
class Reading:
    """A passage with the forms of its text that are searched, all of the same length.

    text : simplified, narrowed, without control characters; private spans are blanked by `without`
    places : where each character stands in the passage as it was given; () where it is the same
    """

    passage: Passage
    text: str
    blanked: tuple[Span, ...] = ()
    places: tuple[int, ...] = ()

    @cached_property
    def sounds(self) -> str:
        """Give the signs of how the text sounds."""
        return sounds(self.text)

    @property
    def heard(self) -> bool:
        """Tell whether the text was recognised from speech."""
        return self.passage.kind is Kind.VOICE

    @property
    def chinese(self) -> bool:
        """Tell whether Chinese rules may speak about this passage."""
        tag = self.passage.language.split("-")[0].lower()
        if tag in CHINESE:
            return True
        if tag != UNKNOWN_LANGUAGE or self.heard:
            return False
        letters = [one for one in self.text if one.isalpha()]
        return bool(letters) and sum(map(is_han, letters)) >= HAN_SHARE * len(letters)

    def without(self, spans: tuple[Span, ...]) -> Reading:
        """Give the reading with some stretches blanked, so that no rule reads them."""
        text = self.text
        for span in spans:
            text = text[: span.start] + BLANK * (span.end - span.start) + text[span.end :]
        return replace(self, text=text, blanked=spans)

    def given(self, span: Span) -> Span:
        """Give where a stretch stands in the passage as it was given."""
        if not self.places or span.start >= span.end:
            return span
        return Span(self.places[span.start], self.places[span.end - 1] + 1)

    def source(self, span: Span, by: str, confidence: float, why: str) -> Provenance:
        """Point at the characters, and at the seconds or box where they were said or written."""
        passage = self.passage
        start, end = self.seconds(span)
        given = self.given(span)
        return Provenance(
            by=by,
            confidence=round(min(1.0, max(0.0, confidence * passage.confidence)), 3),
            medium=passage.medium,
            transcript_version=passage.transcript_version,
            from_character=given.start,
            to_character=given.end,
            start=start,
            end=end,
            box=self.box(span),
            text=passage.text[span.start : span.end],
            why=why,
        )

    def seconds(self, span: Span) -> tuple[float | None, float | None]:
        """Give the seconds of the words that the characters are of; None where there are none."""
        inside = [
            word
            for place, word in zip(self._word_places, self.passage.words, strict=True)
            if place.overlaps(span)
        ]
        if not inside:
            return None, None
        return min(word.start for word in inside), max(word.end for word in inside)

    def seconds_around(self, span: Span) -> tuple[float | None, float | None]:
        """Give the seconds of the characters, or of the gap between the words around them.

        Words that a correction changed may not be found: what has to be silenced is then all
        between those that are. None only where the passage has no times at all.
        """
        start, end = self.seconds(span)
        words = self.passage.words
        if start is not None or not words:
            return start, end
        places = [*zip(self._word_places, words, strict=True)]
        before = [word.end for place, word in places if 0 < place.end <= span.start]
        behind = [word.start for place, word in places if place.start >= span.end]
        low = max(before, default=words[0].start)
        return low, max(low, min(behind, default=words[-1].end))

    def box(self, span: Span) -> tuple[float, float, float, float] | None:
        """Give the box around the lines that the characters stand in; None where there are none."""
        boxes = [
            line.box
            for place, line in zip(self._line_places, self.passage.lines, strict=True)
            if place.overlaps(span)
        ]
        if not boxes:
            return None
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    @cached_property
    def _word_places(self) -> tuple[Span, ...]:
        return locate(self.passage.text, tuple(word.text for word in self.passage.words))

    @cached_property
    def _line_places(self) -> tuple[Span, ...]:
        return locate(self.passage.text, tuple(line.text for line in self.passage.lines))


def locate(text: str, parts: tuple[str, ...]) -> tuple[Span, ...]:
    """Find each part in the text, in order; spaces may differ, a part not found has no length.

    A corrected transcript no longer is its recogniser's words: a part that is missing there leaves
    the place where the next is sought unchanged, so that those behind it are found again.
    """
    if not parts:
        return ()
    kept = [position for position, sign in enumerate(text) if not sign.isspace()]
    solid = "".join(text[position] for position in kept)
    # where the part may be sought: no further ahead than what the parts skipped would fill
    places, at, slack = [], 0, 0
    for part in ("".join(one.split()) for one in parts):
        reach = at + slack + len(part) + SLACK
        found = solid.find(part, at, reach) if part else -1
        if found < 0:
            slack += len(part)
            places.append(Span(0, 0))
            continue
        places.append(Span(kept[found], kept[found + len(part) - 1] + 1))
        at, slack = found + len(part), 0
    return tuple(places)


SLACK = 8


def read(passage: Passage) -> Reading:
    """Make a passage ready to be searched."""
    passage, places = run_together(passage)
    return Reading(passage, plain(passage.text), places=places)
