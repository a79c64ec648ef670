"""The words that the rules know: versioned data, read once into typed records."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TypeVar

from models.transcript import Frozen

Table = TypeVar("Table", bound=Frozen)


class AmountWords(Frozen):
    """Words around numbers; see data/amounts.toml."""

    version: int
    people: tuple[str, ...]
    describing: tuple[str, ...]
    not_people: tuple[str, ...]
    spans: tuple[str, ...]
    spending: tuple[str, ...]
    linking: tuple[str, ...]
    ending: tuple[str, ...]
    hotlines: tuple[str, ...]
    phrases: tuple[str, ...]
    counters: tuple[str, ...]
    money: tuple[str, ...]


class BodyWord(Frozen):
    """Words for a kind of body. named : must stand in the name or an alias of the unit."""

    kind: str
    words: tuple[str, ...]
    named: str = ""


class BodyPosts(Frozen):
    """Posts that say which body is meant, alone or only behind a division's name."""

    village_committee: tuple[str, ...]
    town_government: tuple[str, ...]
    village_joined: tuple[str, ...]
    town_joined: tuple[str, ...]


class LocalWord(Frozen):
    """People who are only said to belong to the place: 村里的会计, 镇上的人. kept : and things."""

    kind: str
    places: tuple[str, ...]
    people: tuple[str, ...]
    kept: tuple[str, ...] = ()


class BodyCues(Frozen):
    """Words that tell whether a body acts, fails to, is asked, or is praised."""

    acting: tuple[str, ...]
    business: tuple[str, ...]
    links: tuple[str, ...]
    between: tuple[str, ...]
    verbs: tuple[str, ...]
    asked: tuple[str, ...]
    asked_links: tuple[str, ...]
    hoped: tuple[str, ...]
    failing: tuple[str, ...]
    praised: tuple[str, ...]
    mediating: tuple[str, ...]
    owned: tuple[str, ...]
    denied: tuple[str, ...]
    kin: tuple[str, ...]


class BodyWords(Frozen):
    """Words for bodies; see data/bodies.toml."""

    version: int
    body: tuple[BodyWord, ...]
    joined: tuple[BodyWord, ...]
    local: tuple[LocalWord, ...]
    posts: BodyPosts
    cues: BodyCues


class NameParts(Frozen):
    """What Chinese names are made of."""

    surnames: str
    double: tuple[str, ...]
    told: str
    rare: str
    common: str
    words: str
    given: str
    stop: str
    nicknames: tuple[str, ...]
    none: tuple[str, ...]
    yi: tuple[str, ...]
    yi_given: str
    tibetan: tuple[str, ...]


class JobParts(Frozen):
    """What tells a job that no list has."""

    ending: str
    not_first: str
    not_last: str


class PeopleWords(Frozen):
    """Words about people; see data/people.toml."""

    version: int
    posts: dict[str, tuple[str, ...]]
    jobs: JobParts
    names: NameParts


class SpokenDigits(Frozen):
    """The words of one language for the numbers from 0 to 100; see data/digits.toml."""

    tag: str
    joined: bool = False
    digits: tuple[str, ...]
    tens: tuple[str, ...]
    hundred: str
    check: str
    line: tuple[str, ...]
    provinces: tuple[str, ...]
    letters: tuple[str, ...] = ()


class DigitWords(Frozen):
    """Numbers in the words of other languages."""

    version: int
    language: tuple[SpokenDigits, ...]


class Introduction(Frozen):
    """What leads to one's own name in a language; see data/introductions.toml."""

    tag: str
    lead: tuple[str, ...]
    around: tuple[str, ...] = ()


class Introductions(Frozen):
    """What leads to one's own name in other languages."""

    version: int
    language: tuple[Introduction, ...]


def any_of(words: Iterable[str]) -> str:
    """Write a pattern that matches any of the words, the longest first.

    What words have in common at their beginning is written once, so that a sign decides at once
    which of thousands may still follow.
    """
    behind: dict[str, list[str]] = {}
    for word in dict.fromkeys(words):
        behind.setdefault(word[:1], []).append(word[1:])
    ends = behind.pop("", None) is not None
    ways = [
        re.escape(sign) + (any_of(rests) if any(rests) else "")
        for sign, rests in sorted(behind.items())
    ]
    if not ways:
        return ""
    return f"(?:{'|'.join(ways)})" + ("?" if ends else "")


def _table(kind: type[Table], name: str) -> Table:
    text = files("ingest").joinpath("data", name).read_text("utf-8")
    return kind.model_validate(tomllib.loads(text))


@cache
def digits() -> DigitWords:
    """Read the words for numbers of other languages."""
    return _table(DigitWords, "digits.toml")


@cache
def introductions() -> Introductions:
    """Read what leads to one's own name in other languages."""
    return _table(Introductions, "introductions.toml")


@cache
def amounts() -> AmountWords:
    """Read the words around numbers."""
    return _table(AmountWords, "amounts.toml")


@cache
def bodies() -> BodyWords:
    """Read the words for bodies."""
    return _table(BodyWords, "bodies.toml")


@cache
def people() -> PeopleWords:
    """Read the words about people."""
    return _table(PeopleWords, "people.toml")


class Terms(Frozen):
    """Terms of one code by strength."""

    strong: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()

    def weighted(self) -> dict[str, int]:
        """Give each term with what it counts."""
        ranked = ((self.weak, 1), (self.plain, 2), (self.strong, 3))
        return {term: weight for terms, weight in ranked for term in terms}


class MatterWords(Frozen):
    """Terms of domains and conducts in one language; see data/matters.toml."""

    version: int
    language: str = "zh"
    denials: tuple[str, ...] = ()
    domain: dict[str, Terms]
    conduct: dict[str, Terms]


@cache
def matters() -> MatterWords:
    """Read the terms of domains and conducts."""
    return _table(MatterWords, "matters.toml")
