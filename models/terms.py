"""From text to the terms that a search finds: pairs of characters in Chinese, words elsewhere.

Trigram indexes cannot find a word of two characters, and most Chinese words have two. So a run of a
script without spaces becomes its overlapping pairs: 低保 is one term, and the four of 饮水工程 are
three neighbours. Words of other scripts are terms themselves and are found by their beginning. What
begins with one letter, or holds one character, are too many terms to put together while somebody
waits: those heads are terms of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# Telephone, identity and card numbers are shown masked, so they must not be found by trying either.
PRIVATE_DIGITS = 7
# The longest beginning of a word that is a term of its own.
HEAD = 3
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
    return read(text)[0]


def heads(text: str) -> set[str]:
    """Give the terms for single characters, and for the first letters of words."""
    return read(text)[1]


def read(text: str) -> tuple[list[str], set[str]]:
    """Give the terms of a text in order, and those of what its words begin with."""
    found: list[str] = []
    begun: set[str] = set()
    for run, unspaced in _runs(text):
        found += _pairs(run) if unspaced else [run]
        begun.update(run if unspaced else (run[:end] for end in range(1, HEAD + 1)))
    return found, {tag("p", one) for one in begun}


@dataclass(frozen=True)
class Phrase:
    """Neighbouring terms. begun : the last is the beginning of what is looked for"""

    terms: tuple[str, ...]
    begun: bool


def phrases(query: str) -> list[Phrase]:
    """Give what must all be found."""
    return [_phrase(run, unspaced) for run, unspaced in _runs(query)]


def _phrase(run: str, unspaced: bool) -> Phrase:
    if len(run) <= (1 if unspaced else HEAD):
        return Phrase((tag("p", run),), begun=False)
    return Phrase(tuple(_pairs(run)), begun=False) if unspaced else Phrase((run,), begun=True)


@lru_cache(maxsize=1 << 16)
def tag(kind: str, value: Hashable) -> str:
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
    if composed.isprintable():
        return composed
    return "".join(c for c in composed if unicodedata.category(c) != "Cf")
