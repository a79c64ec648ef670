"""From text to the terms that a search finds: pairs of characters in Chinese, words elsewhere.

Trigram indexes cannot find a word of two characters, and most Chinese words have two. So a run of a
script without spaces becomes its overlapping pairs and its last character: 低保 is one term, the
four of 饮水工程 are three neighbours, and a single character is the beginning of a pair. Words of
other scripts are terms themselves and are found by their beginning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# Telephone, identity and card numbers are shown masked, so they must not be found by trying either.
PRIVATE_DIGITS = 7
_TATWEEL = "\u0640"
# Han, its extensions and compatibility forms, kana and Yi: written without spaces between words.
_UNSPACED = (
    "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# A combining mark is no \w, but cutting at one would tear Tibetan and Arabic words apart.
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0e31-\u0e4e\u0f35-\u0f39\u0f71-\u0fbc"
_RUN = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|(?P<word>(?:(?![{_UNSPACED}_])[\w{_MARKS}])+)")


def of(text: str) -> list[str]:
    """Give the terms of a text in order, as they are indexed."""
    found: list[str] = []
    for run, unspaced in _runs(text):
        found += [*_pairs(run), run[-1]] if unspaced else [run]
    return found


@dataclass(frozen=True)
class Phrase:
    """Neighbouring terms. begun : the last is the beginning of what is looked for"""

    terms: tuple[str, ...]
    begun: bool


def phrases(query: str) -> list[Phrase]:
    """Give what must all be found; a pair of characters is whole, anything else is a beginning."""
    return [
        Phrase(tuple(_pairs(run)), False) if unspaced and len(run) > 1 else Phrase((run,), True)
        for run, unspaced in _runs(query)
    ]


def tag(kind: str, value: object) -> str:
    """Give the term that stands for a filter's value; no text can hold it, for its underscores."""
    written = "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in str(value))
    return f"_{kind}_{written.lower()}"


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    for match in _RUN.finditer(_plain(text)):
        run = match.group()
        if match.lastgroup == "unspaced":
            yield run, True
        elif not (run.isdecimal() and len(run) >= PRIVATE_DIGITS):
            yield run, False


def _plain(text: str) -> str:
    """Bring letters to one form: full width, ligatures, case, stretched and invisible ones."""
    composed = unicodedata.normalize("NFKC", text).casefold().replace(_TATWEEL, "")
    return "".join(c for c in composed if unicodedata.category(c) != "Cf")
