"""What labelled complaints and marked texts teach: which of their times and people are meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from ingest.matter import ChannelFacts, Matter, Passage
from ingest.normalise import blame, dating, kind, lexicon, mentions, reading
from ingest.normalise.gazetteer import Gazetteer
from ingest.normalise.labelled import Labelled, matter
from ingest.normalise.learning import Lessons
from ingest.normalise.marked import Marked
from ingest.normalise.mentions import Mentions
from ingest.normalise.model import Model
from ingest.normalise.person import Register
from ingest.normalise.reading import plain
from ingest.normalise.term import TermIndex
from models.medium import Kind

NOWHERE = ChannelFacts(code="", unit_code=None, unit_name="", jurisdiction="")


@dataclass(frozen=True)
class Taught:
    """A text to learn from.

    dated, blamed : which of its times and people are meant, none of them where nothing dates the
    act or nobody is to blame; None where that is not told, or what is meant was not found
    domain : "" where it is not told; conduct : as far as it is told or clear
    """

    seen: Mentions
    received: date
    dated: tuple[bool, ...] | None
    blamed: tuple[bool, ...] | None
    conduct: str
    domain: str = ""


class Teacher:
    """Reads texts as the normaliser does, and says what is right in them.

    model : tells the conduct of texts whose conduct is not told
    """

    def __init__(
        self, channels: Mapping[str, ChannelFacts], gazetteer: Gazetteer, model: Model
    ) -> None:
        self._channels = channels
        self._gazetteer = gazetteer
        self._register = Register(lexicon.people())
        self._model = model
        self._conduct = TermIndex(lexicon.matters(), "conduct")

    def labelled(self, complaints: Iterable[Labelled]) -> Iterator[Taught]:
        """Take complaints with all their fields."""
        for one in complaints:
            seen = self._see(matter(one, self._channels[one.channel]))
            days = one.occurred and (one.occurred.start, one.occurred.end)
            who = one.person and (one.person.surname or "", one.person.post or "")
            dated = [(time.interval.start, time.interval.end) == days for time in seen.times]
            blamed = [(person.surname, person.post) == who for person in seen.people]
            yield Taught(
                seen,
                one.received,
                _told(dated, days is not None),
                _told(blamed, who is not None),
                one.conduct,
                one.domain,
            )

    def marked(self, texts: Iterable[Marked]) -> Iterator[Taught]:
        """Take texts in which a time, or somebody too, is marked."""
        for one in texts:
            passage = Passage(medium=None, kind=Kind.TEXT, text=one.text, language="zh")
            seen = self._see(Matter(passages=(passage,), channel=NOWHERE, received=one.received))
            yield Taught(
                seen,
                one.received,
                _told(_dated(one, seen), one.time is not None),
                _told(_blamed(one, seen), bool(one.post or one.name)) if one.people else None,
                self.judge(seen.reading.text),
            )

    def judge(self, text: str) -> str:
        """Give the conduct that a text likely reproaches, else ""."""
        features = self._model.vocabulary.features(text)
        return kind.judge(text, features, self._model, "conduct", self._conduct).likely

    def _see(self, said: Matter) -> Mentions:
        return mentions.find(reading.read(said.passages[0]), said, self._gazetteer, self._register)


def _told(right: Sequence[bool], meant: bool) -> tuple[bool, ...] | None:
    """Leave out what teaches something wrong: what is meant, but was not found."""
    return tuple(right) if any(right) or not meant else None


def _dated(one: Marked, seen: Mentions) -> list[bool]:
    """Tell which times are what is marked, or say the same days elsewhere."""
    span = one.time
    meant = next((t.interval for t in seen.times if span and t.span.overlaps(span)), None)
    return [time.interval == meant for time in seen.times]


def _blamed(one: Marked, seen: Mentions) -> list[bool]:
    """Tell who is the one marked, by name and post wherever they are said."""
    name, post = plain(one.said(one.name)), plain(one.said(one.post))
    return [
        bool(name or post)
        and person.post == post
        and (name.startswith(person.surname) if person.surname else name == person.name)
        for person in seen.people
    ]


def lessons(taught: Iterable[Taught]) -> tuple[Lessons, Lessons]:
    """Describe the times, and the people, of texts by what is around them."""
    dates, guilt = Lessons(), Lessons()
    for one in taught:
        around, times, people = one.seen.around, one.seen.times, one.seen.people
        if one.dated is not None:
            dates.add(dating.described(around, times, one.received), one.dated)
        if one.blamed is not None:
            guilt.add(blame.described(around, people, one.conduct), one.blamed)
    return dates, guilt


def digest(complaints: Iterable[Labelled], texts: Iterable[Marked]) -> str:
    """Name what is taught, so that a model says what it learnt from."""
    told = sha256()
    for one in (*(one.model_dump_json() for one in complaints), *map(repr, texts)):
        told.update(one.encode() + b"\n")
    return told.hexdigest()[:16]
