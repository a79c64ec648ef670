"""Terms of a weighted lexicon, where they stand in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from ingest.normalise.beginnings import Beginnings
from ingest.normalise.lexicon import MatterWords, any_of
from ingest.normalise.reading import Span

CLAUSE = re.compile(r"[，。！？!?；;,\n]")


@dataclass(frozen=True)
class Hit:
    """A term of one code where it stands."""

    code: str
    term: str
    span: Span
    weight: int


class TermIndex:
    """Finds the terms of one list of codes in a text."""

    def __init__(self, words: MatterWords, which: str) -> None:
        table = words.domain if which == "domain" else words.conduct
        self.codes = tuple(table)
        self._weights: dict[str, list[tuple[str, int]]] = {}
        for code, terms in table.items():
            for term, weight in terms.weighted().items():
                self._weights.setdefault(term, []).append((code, weight))
        self._beginnings = Beginnings(self._weights)
        self._denied = (
            re.compile(rf"(?:{any_of(words.denials)})[^，。！？；,]{{0,2}}$")
            if which == "conduct" and words.denials
            else None
        )

    def find(self, text: str) -> tuple[Hit, ...]:
        """Find the terms, the longest at each place; a denied one does not count."""
        hits: list[Hit] = []
        covered = 0
        for start in range(len(text)):
            for length in self._beginnings.lengths(text, start):
                term = text[start : start + length]
                end = start + len(term)
                if end <= covered or term not in self._weights:
                    continue
                covered = end
                if not self._is_denied(text, start):
                    span = Span(start, end)
                    hits += [Hit(code, term, span, weight) for code, weight in self._weights[term]]
                break
        return tuple(hits)

    def _is_denied(self, text: str, start: int) -> bool:
        return bool(self._denied and self._denied.search(text, max(0, start - 8), start))


def clauses(text: str) -> tuple[Span, ...]:
    """Cut a text into its clauses."""
    cuts = [0, *(match.end() for match in CLAUSE.finditer(text)), len(text)]
    return tuple(Span(a, b) for a, b in pairwise(cuts) if b > a)
