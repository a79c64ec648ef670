"""What a passage speaks of - places, people, times, private matters - before anything is chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from ingest.matter import Matter
from ingest.normalise import place, private, when
from ingest.normalise.gazetteer import Gazetteer
from ingest.normalise.network import Place
from ingest.normalise.person import Person, Register
from ingest.normalise.place import Named, Standing
from ingest.normalise.private import Private
from ingest.normalise.reading import Reading, Span
from ingest.normalise.surroundings import Surroundings
from ingest.normalise.times import Found


@dataclass(frozen=True)
class Mentions:
    """What a passage speaks of, in order. reading : with everything private hidden"""

    reading: Reading
    standing: Standing
    private: tuple[Private, ...] = ()
    named: tuple[Named, ...] = ()
    people: tuple[Person, ...] = ()
    times: tuple[Found, ...] = ()

    @cached_property
    def around(self) -> Surroundings:
        """Give the text, cut into clauses and words."""
        return Surroundings(self.reading.text)

    @property
    def when(self) -> tuple[Place, ...]:
        """Give the times as a network marks them."""
        return tuple(Place(one.span, one.interval.precision) for one in self.times)

    @property
    def who(self) -> tuple[Place, ...]:
        """Give the people as a network marks them."""
        return tuple(Place(one.span, "person") for one in self.people)

    @property
    def dated(self) -> tuple[Span, ...]:
        """Give every stretch that says a time, so that its numbers are not counted as amounts."""
        return tuple(one.span for one in self.times)

    @property
    def closed(self) -> tuple[Span, ...]:
        """Give the names of places and bodies, of which no part names anybody."""
        return tuple(one.span for one in self.named)


def find(read: Reading, matter: Matter, gazetteer: Gazetteer, register: Register) -> Mentions:
    """Find everything that a passage speaks of; in another script only what is private."""
    standing = Standing(
        gazetteer.standing(matter.channel.unit_code, matter.channel.jurisdiction),
        matter.channel.jurisdiction,
    )
    named = place.resolve(gazetteer, read, standing) if read.chinese else ()
    found = Mentions(read, standing, named=named)
    hidden = private.find(read, matter.reporter_name, register, found.closed)
    if not read.chinese:
        return replace(found, private=hidden)
    read = read.without(tuple(one.span for one in hidden))
    return replace(
        found,
        reading=read,
        private=hidden,
        people=register.find(read, found.closed),
        times=tuple(when.joined(read.text, matter.received)),
    )
