"""What stands around a place in a text, as features: words, their pieces, and where these are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

import rjieba

from ingest.normalise.reading import Span
from ingest.normalise.term import clauses

LEFT, RIGHT = 8, 14  # signs beside a place whose pieces count by themselves
LONGEST_PIECE = 3
NEXT_WEIGHT, EARLIER_WEIGHT = 0.6, 0.4  # found by cross-validation

Features = dict[str, float]


class Surroundings:
    """A text with its clauses and words, to describe places in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words: dict[Span, tuple[str, ...]] = {}

    @cached_property
    def _clauses(self) -> tuple[Span, ...]:
        return clauses(self.text)

    def of(self, span: Span) -> Features:
        """Describe what stands around a place: in its clause and in those beside it."""
        parts, text = self._clauses, self.text
        at = next((n for n, part in enumerate(parts) if part.overlaps(span)), 0)
        own = parts[at] if parts else span
        start, end = max(own.start, span.start), min(own.end, span.end)
        found: Features = dict.fromkeys(_beside(text[own.start : start], text[end : own.end]), 1.0)
        for name, part, weight in (
            ("before", Span(own.start, start), 1.0),
            ("behind", Span(end, own.end), 1.0),
            ("next", parts[at + 1] if at + 1 < len(parts) else None, NEXT_WEIGHT),
            ("earlier", parts[at - 1] if at else None, EARLIER_WEIGHT),
        ):
            if part is not None:
                found |= dict.fromkeys((f"{name} {word}" for word in self._cut(part)), weight)
        clause = "first" if not at else "last" if at == len(parts) - 1 else "inner"
        found[f"clause {clause}"] = 1.0
        found[f"begins {start in self._bounds(own)}, ends {end in self._bounds(own)}"] = 1.0
        return found

    def _bounds(self, part: Span) -> tuple[int, ...]:
        """Give where the words of a part begin and end: 村医 is no word of 村医疗站."""
        return tuple(accumulate(map(len, self._cut(part)), initial=part.start))

    def _cut(self, part: Span) -> tuple[str, ...]:
        if part not in self._words:
            self._words[part] = tuple(rjieba.cut(self.text[part.start : part.end]))
        return self._words[part]


def _beside(before: str, behind: str) -> Iterator[str]:
    """Give the pieces of signs directly beside a place, those that touch it apart."""
    left, right = before[-LEFT:], behind[:RIGHT]
    for length in range(1, LONGEST_PIECE + 1):
        yield f"touches before {left[-length:]}"
        yield f"touches behind {right[:length]}"
        for name, side in (("left", left), ("right", right)):
            for first in range(len(side) - length + 1):
                yield f"{name} {side[first : first + length]}"


def order(place: int, count: int) -> str:
    """Say where one of several places in a text stands."""
    return "only" if count == 1 else "later" if place else "first"
