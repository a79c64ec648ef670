"""Numbers that are read aloud in the words of other languages than Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ingest.normalise import lexicon
from ingest.normalise.lexicon import SpokenDigits, any_of

LEAST = 7  # figures; a shorter number tells nobody's line, card or identity
# the scripts whose words are known here: Cyrillic, Arabic, Hangul
_WRITTEN = re.compile(r"[\u0400-\u04ff\u0600-\u06ff\uac00-\ud7af]")
_BETWEEN = r"[\s,،、.\-－—·]"
_TENS, _HUNDRED = 10, 100


@dataclass(frozen=True)
class Spoken:
    """A number where it is said. figures : what its words say, one after the other"""

    start: int
    end: int
    figures: str


@dataclass(frozen=True)
class _Tongue:
    """The words of one language, compiled.

    values : what each word counts; check : the word for X
    """

    run: re.Pattern[str]
    word: re.Pattern[str]
    plate: re.Pattern[str]
    line: re.Pattern[str]
    values: dict[str, int]
    check: str


def find(text: str) -> Iterator[Spoken]:
    """Find the numbers that are long enough to belong to a person."""
    if not _WRITTEN.search(text):
        return
    for tongue in _tongues():
        for match in tongue.run.finditer(text):
            figures = _figures(tongue, match.group())
            if len(figures) >= LEAST:
                yield Spoken(*match.span(), figures)


def plates(text: str) -> Iterator[tuple[int, int]]:
    """Find number plates, from the province to the last figure."""
    if _WRITTEN.search(text):
        for tongue in _tongues():
            yield from (match.span() for match in tongue.plate.finditer(text))


def leads(text: str) -> bool:
    """Tell whether a text ends in a word for a telephone, so that a short number is one."""
    return bool(_WRITTEN.search(text)) and any(one.line.search(text) for one in _tongues())


def _figures(tongue: _Tongue, said: str) -> str:
    """Write figures for words: digits one by one, and groups such as 138 or 38 as numbers."""
    written, group = "", 0
    for match in tongue.word.finditer(said):
        word = match.group().lower()
        if word == tongue.check:
            written, group = written + _plain(group) + "X", 0
            continue
        value = tongue.values.get(word)
        if value is None or value == 0:
            # typed digits, of any script, and zero stand for themselves
            typed = "0" if value == 0 else "".join(str(int(sign)) for sign in word)
            written, group = written + _plain(group) + typed, 0
        elif value == _HUNDRED and 0 < group < _TENS:
            group *= _HUNDRED
        elif _fits(group, value):
            group += value
        else:
            written, group = written + _plain(group), value
    return written + _plain(group)


def _fits(group: int, value: int) -> bool:
    """Tell whether a word goes on with a number: behind a hundred tens, behind tens a digit."""
    if value < _TENS:
        return group >= _TENS and group % _TENS == 0
    return value < _HUNDRED and group >= _HUNDRED and group % _HUNDRED == 0


def _plain(group: int) -> str:
    return str(group) if group else ""


@cache
def _tongues() -> tuple[_Tongue, ...]:
    return tuple(map(_tongue, lexicon.digits().language))


def _tongue(words: SpokenDigits) -> _Tongue:
    values = {word: at for at, one in enumerate(words.digits) for word in one.split()}
    values |= {word: _TENS * at for at, one in enumerate(words.tens, 1) for word in one.split()}
    values |= dict.fromkeys(words.hundred.split(), _HUNDRED)
    said = any_of((*values, words.check))
    # a word begins where no letter stands in front; an ending may hang on the last
    one = rf"(?:\d|{said})" if words.joined else rf"(?:\d+|(?<!\w)(?:{said}))"
    between = rf"{_BETWEEN}{{0,3}}" if words.joined else rf"{_BETWEEN}{{1,3}}"
    letters = any_of(words.letters) or "(?!)"
    letter = rf"(?:[A-Za-zА-Яа-я]|{letters})"
    return _Tongue(
        run=re.compile(rf"{one}(?:{between}{one})+", re.IGNORECASE),
        word=re.compile(rf"\d+|{said}", re.IGNORECASE),
        plate=re.compile(
            rf"(?<!\w)(?:{any_of(words.provinces)}){_BETWEEN}{{0,2}}{letter}"
            rf"{_BETWEEN}{{0,2}}{one}(?:{_BETWEEN}{{0,2}}{one}){{4}}",
            re.IGNORECASE,
        ),
        line=re.compile(rf"(?:{any_of(words.line)})\w{{0,6}}\W{{0,3}}$", re.IGNORECASE),
        values=values,
        check=words.check,
    )
