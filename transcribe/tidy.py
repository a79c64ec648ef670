"""The same text made easier to read and to search: simplified Chinese, spoken numbers as digits.

The raw text is always kept beside it; this one is for lists, search and rules.
"""

from __future__ import annotations

import re
from functools import lru_cache

from opencc import OpenCC
from wetext import Normalizer

CHINESE = frozenset({"zh", "yue", "wuu", "hak", "nan", "cmn"})
NUMERALS = "〇零一二两三四五六七八九十百千万亿"
_VALUES = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_DIGITS = "〇零一二三四五六七八九"
_SMALL = "(?:[二三四五六]?十[一二三四五六七八九]?|[一二三四五六七八九])"
# wetext turns a date into slashes and runs it into a time that follows, so these are done here.
_DATE = re.compile(
    rf"(?P<year>[{_DIGITS}]{{4}})(?=年)"
    rf"|(?P<month>{_SMALL})(?=月(?:份|{_SMALL}[日号]|[^{NUMERALS}]|$))"
    rf"|(?<=月)(?P<day>{_SMALL})(?=[日号])"
    rf"|(?<=上午|下午|早上|晚上|中午|凌晨|傍晚|夜里)(?P<hour>{_SMALL})(?=点)"
)
_AFTER_DATE = re.compile(r"^(?:年|月份?|[日号]|点半?)+")
_COUNTED = re.compile(f"[{NUMERALS}]")
# wetext writes 十分 ("very") as 10分, and moves 元 to the front as a sign.
_KEPT = re.compile("(十分(?!之)|元)")


def tidy(text: str, tag: str) -> str:
    """Make the tidy version of a text in a language; other than Chinese it is the text itself."""
    if tag.split("-")[0] not in CHINESE or not text:
        return text
    return _digits(simplify(text))


def simplify(text: str) -> str:
    """Write traditional characters as simplified ones; all else stays."""
    simple: str = _simplifier().convert(text)
    return simple


def _digits(text: str) -> str:
    """Write numbers as digits: dates and times here, all else by wetext."""
    parts: list[str] = []
    reached = 0
    for found in _DATE.finditer(text):
        parts += [_count(text[reached : found.start()]), _number(found)]
        rest = _AFTER_DATE.match(text[found.end() :])
        reached = found.end() + (rest.end() if rest else 0)
        parts.append(text[found.end() : reached])
    parts.append(_count(text[reached:]))
    return "".join(parts)


def _number(found: re.Match[str]) -> str:
    """Give the digits of a year, spoken digit by digit, or of a number under a hundred."""
    numerals = found.group()
    if found.lastgroup == "year":
        return "".join(str(_VALUES[numeral]) for numeral in numerals)
    tens, ten, ones = numerals.rpartition("十")
    if not ten:
        return "".join(str(_VALUES[numeral]) for numeral in numerals)
    return str((_VALUES[tens] if tens else 1) * 10 + (_VALUES[ones] if ones else 0))


def _count(text: str) -> str:
    """Write amounts as digits by wetext."""
    if not _COUNTED.search(text):
        return text
    return "".join(
        piece if _KEPT.fullmatch(piece) or not _COUNTED.search(piece) else _counted(piece)
        for piece in _KEPT.split(text)
    )


def _counted(text: str) -> str:
    """Hand a piece to wetext, keeping the spaces around it."""
    bare = text.strip()
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return before + (_counter().normalize(bare) or bare) + after


@lru_cache(maxsize=1)
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=1)
def _counter() -> Normalizer:
    return Normalizer(lang="zh", operator="itn")
