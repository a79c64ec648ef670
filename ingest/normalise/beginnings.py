"""Where words of a long list may begin in a text, so that most places need no other look-up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

BEGINNING = 2  # signs


class Beginnings:
    """A list of words by their first two signs."""

    def __init__(self, words: Iterable[str]) -> None:
        found: defaultdict[str, set[int]] = defaultdict(set)
        for word in words:
            found[word[:BEGINNING]].add(len(word))
        for beginning, lengths in found.items():
            if beginning[:1] in found:
                lengths.add(1)
        self._lengths = {
            beginning: tuple(sorted(lengths, reverse=True)) for beginning, lengths in found.items()
        }

    def lengths(self, text: str, start: int) -> tuple[int, ...]:
        """Give the lengths of the words that may begin at a place, the longest first."""
        known = self._lengths
        lengths = known.get(text[start : start + BEGINNING])
        return known.get(text[start], ()) if lengths is None else lengths
