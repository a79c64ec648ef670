"""The names of units and divisions, and where a text says one of them, exactly or by sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.normalise.beginnings import Beginnings
from ingest.normalise.reading import Reading, Span
from ingest.normalise.sound import sounds
from models.channel import Unit

DIVISIONS = frozenset({"province", "city", "county", "town", "village"})
SUFFIXES = ("村", "镇", "乡", "县", "市", "社区")
SHORTEST = 2
SHORTEST_BY_SOUND = 3
MOST_CHANGED = 2


@dataclass(frozen=True)
class Place:
    """A unit or division as the gazetteer has it. aliases : the name is not among them."""

    code: str
    name: str
    kind: str
    parent: str | None
    division: str
    aliases: tuple[str, ...]
    rank: str

    @property
    def is_division(self) -> bool:
        """Tell a place on the map from a body."""
        return self.kind in DIVISIONS

    @property
    def names(self) -> tuple[str, ...]:
        """Give everything it is called."""
        return self.name, *self.aliases


@dataclass(frozen=True)
class Reference:
    """One entry that a stretch of text may mean. changed : characters that differ from its name."""

    code: str
    name: str
    changed: int


@dataclass(frozen=True)
class Mention:
    """A stretch of text with everything that it may mean."""

    span: Span
    references: tuple[Reference, ...]


class Gazetteer:
    """An index of units by the characters and by the sounds of their names."""

    def __init__(self, units: Sequence[Unit]) -> None:
        places = (
            Place(
                code=unit.code,
                name=unit.name,
                kind=unit.kind,
                parent=unit.parent,
                division=unit.division,
                aliases=tuple(unit.aliases),
                rank=unit.rank,
            )
            for unit in units
        )
        self.places = {place.code: place for place in places}
        self._children: defaultdict[str, list[Place]] = defaultdict(list)
        self._exact: defaultdict[str, list[Reference]] = defaultdict(list)
        self._alike: defaultdict[str, list[Reference]] = defaultdict(list)
        for place in self.places.values():
            if place.parent:
                self._children[place.parent].append(place)
            for name in dict.fromkeys(place.names):
                if len(name) < SHORTEST:
                    continue
                reference = Reference(place.code, name, 0)
                self._exact[name].append(reference)
                if len(name) >= SHORTEST_BY_SOUND:
                    self._alike[sounds(name)].append(reference)
        self._beginnings = Beginnings(map(sounds, self._exact))

    def chain(self, code: str | None) -> tuple[Place, ...]:
        """Give an entry and all above it, nearest first."""
        found: list[Place] = []
        while code is not None and code in self.places and self.places[code] not in found:
            found.append(self.places[code])
            code = self.places[code].parent
        return tuple(found)

    def children(self, code: str) -> tuple[Place, ...]:
        """Give the entries directly below."""
        return tuple(self._children.get(code, ()))

    def standing(self, unit_code: str | None, jurisdiction: str) -> tuple[Place, ...]:
        """Give the divisions that a channel stands in, nearest first.

        A channel is known by the unit that it belongs to: a committee stands in its village.
        """
        chain = tuple(place for place in self.chain(unit_code) if place.is_division)
        if chain:
            return chain
        counties = [
            place
            for place in self.places.values()
            if place.is_division and place.division == jurisdiction and place.kind != "village"
        ]
        order = {"province": 0, "city": 1, "county": 2, "town": 3}
        top = min(counties, key=lambda place: order[place.kind], default=None)
        return self.chain(top.code) if top else ()

    def find(self, reading: Reading) -> tuple[Mention, ...]:
        """Find every name in the text, the longest where several begin or end inside each other."""
        found: list[tuple[float, int, Mention]] = []
        heard = reading.sounds
        for start in range(len(heard) - 1):
            for length in self._beginnings.lengths(heard, start):
                mention = self._at(reading, start, length)
                if mention is not None:
                    least = min(reference.changed for reference in mention.references)
                    found.append((length - least / 2, -start, mention))
        kept: list[Mention] = []
        for *_, mention in sorted(found, key=lambda one: one[:2], reverse=True):
            if not any(mention.span.overlaps(other.span) for other in kept):
                kept.append(mention)
        return tuple(sorted(kept, key=lambda mention: mention.span.start))

    def _at(self, reading: Reading, start: int, length: int) -> Mention | None:
        said = reading.text[start : start + length]
        references = list(self._exact.get(said, ()))
        if (not references or reading.heard) and length >= SHORTEST_BY_SOUND:
            alike = self._alike.get(reading.sounds[start : start + length], ())
            references += [
                Reference(one.code, one.name, changed)
                for one in alike
                if one.name != said and (changed := _changed(said, one.name)) is not None
            ]
        return Mention(Span(start, start + length), tuple(references)) if references else None


def _changed(said: str, name: str) -> int | None:
    """Count the characters that differ; None if too many do to believe that the name was meant."""
    changed = sum(a != b for a, b in zip(said, name, strict=True))
    if changed > MOST_CHANGED or (name.endswith(SUFFIXES) and said[-1] != name[-1]):
        return None
    return changed
