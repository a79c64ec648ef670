"""The body complained of: said by name, by its division and a post, or by what the channel holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.normalise.gazetteer import Gazetteer, Place
from ingest.normalise.lexicon import BodyWords, any_of
from ingest.normalise.person import Person
from ingest.normalise.place import Named, Standing
from ingest.normalise.reading import Reading, Span

CLAUSE = re.compile(r"[。！？!?；;\n]")
BEFORE = 10
BEHIND = 26
LEAST = 0.3


@dataclass(frozen=True)
class Candidate:
    """A body that may be the one complained of. how : heard or contained."""

    place: Place
    span: Span
    how: str
    confidence: float
    score: float = 0.0


class Bodies:
    """Finds bodies; the words that it needs are compiled once."""

    def __init__(self, words: BodyWords) -> None:
        cues = words.cues
        posts = words.posts
        link = r"(?:的|那个|这个|那|这|里面|里|上|现任|原来|原|老|新|现在|一个|有个|我们|当时|[一二三四五六七八九十\d]+(?:组|社|队)|姓.的|姓.|[\u4e00-\u9fff](?=书记|主任|会计|镇长|院长))"
        self._kinds: list[tuple[str, str, str]] = []
        joined: dict[str, tuple[str, str]] = {}
        for body in (*words.joined, *words.body):
            for word in body.words:
                joined.setdefault(f"{body.kind}/{word}", (body.kind, body.named))
        self._joined_village = re.compile(
            rf"{link}{{0,3}}(?P<word>{any_of([*posts.village_committee, *posts.village_joined, *_words(words, 'village_committee')])})"
        )
        self._joined_town = re.compile(
            rf"{link}{{0,3}}(?P<word>{any_of([*posts.town_government, *posts.town_joined, *_words(words, 'town_government')])})"
        )
        self._joined_other = [
            (re.compile(rf"{link}{{0,2}}(?P<word>{any_of(body.words)})"), body.kind, body.named)
            for body in (*words.joined, *words.body)
            if body.kind not in ("village_committee", "town_government")
        ]
        self._contained = [
            (re.compile(rf"(?P<word>{any_of(body.words)})"), body.kind, body.named)
            for body in words.body
        ]
        self._contained += [
            (
                re.compile(rf"(?<!他们)(?P<word>{any_of(posts.village_committee)})"),
                "village_committee",
                "",
            ),
            (re.compile(rf"(?P<word>{any_of(posts.town_government)})"), "town_government", ""),
        ]
        acts = rf"(?=(?:{any_of(cues.between)}){{0,3}}(?:{any_of(cues.verbs)}))"
        self._contained += [
            (
                re.compile(
                    rf"(?<!他们)(?<!隔壁)(?P<word>村上|村里面?|社区里?|村社|队上|村组)头?{acts}"
                ),
                "village_committee",
                "",
            ),
            (re.compile(rf"(?P<word>镇上|乡上|镇里面?|乡里|乡镇)头?{acts}"), "town_government", ""),
        ]
        self._asked = re.compile(
            rf"(?:{any_of(cues.asked)})(?:我们|你们|咱们|他们|了|过|的|那个|这个|一下|下|好几次|好多次|几次|几回|好几回|镇上|村上|我|着)*$"
        )
        self._hoped = re.compile(rf"(?:{any_of(cues.hoped)})[^，。,；]{{0,6}}$")
        self._failing = re.compile(any_of(cues.failing))
        self._praised = re.compile(any_of(cues.praised))
        self._denied = re.compile(rf"(?:{any_of(cues.denied)})(?:我们|你们|说)?$")
        self._acts = re.compile(rf"(?:{any_of(cues.between)}){{0,3}}(?:{any_of(cues.verbs)})")

    def find(
        self,
        reading: Reading,
        named: tuple[Named, ...],
        gazetteer: Gazetteer,
        standing: Standing,
    ) -> tuple[Candidate, ...]:
        """Find every body that the text may be about, scored by what it is said to do."""
        found = [
            *self._said(named),
            *self._joined(reading.text, named, gazetteer),
        ]
        taken = tuple(one.span for one in found)
        taken += tuple(one.span for one in named if not one.is_division)
        found += self._in_chain(reading.text, taken, gazetteer, standing)
        return tuple(
            Candidate(
                one.place, one.span, one.how, one.confidence, self._score(reading.text, one, rank)
            )
            for rank, one in enumerate(sorted(found, key=lambda each: each.span.start))
        )

    def _said(self, named: tuple[Named, ...]) -> Iterator[Candidate]:
        for one in named:
            if one.place is not None and not one.is_division:
                yield Candidate(one.place, one.span, "heard", 0.97 - 0.08 * one.changed)

    def _joined(
        self, text: str, named: tuple[Named, ...], gazetteer: Gazetteer
    ) -> Iterator[Candidate]:
        for one in named:
            if one.place is None or one.place.kind not in ("village", "town"):
                continue
            kind = "village_committee" if one.place.kind == "village" else "town_government"
            pattern = self._joined_village if one.place.kind == "village" else self._joined_town
            patterns = [(pattern, kind, ""), *self._joined_other]
            for each, body, part in patterns:
                # 石桥村支书: the sign 村 may belong to the post too
                start = one.span.end
                match = each.match(text, start) or each.match(text, start - 1)
                if not match:
                    continue
                place = _only(gazetteer.children(one.place.code), body, part)
                if place is not None:
                    span = Span(one.span.start, match.end())
                    yield Candidate(place, span, "heard", 0.95 - 0.08 * one.changed)
                    break

    def _in_chain(
        self,
        text: str,
        taken: tuple[Span, ...],
        gazetteer: Gazetteer,
        standing: Standing,
    ) -> Iterator[Candidate]:
        around = [*standing.divisions]
        for place in standing.divisions:
            around += gazetteer.children(place.code)
        for pattern, kind, part in self._contained:
            place = _only(tuple(around), kind, part)
            if place is None:
                continue
            for match in pattern.finditer(text):
                span = Span(*match.span("word"))
                if not any(span.overlaps(other) for other in taken):
                    yield Candidate(place, span, "contained", 0.9)

    def _score(self, text: str, one: Candidate, rank: int) -> float:
        """Weigh a body: one that acts or fails counts, one that is only asked or praised does not."""
        before = text[max(0, one.span.start - BEFORE) : one.span.start]
        before = CLAUSE.split(before)[-1]
        behind = text[one.span.end : one.span.end + BEHIND]
        score = 1.0 - 0.04 * rank
        if self._acts.match(behind):
            score += 0.25
        failing = self._failing.search(behind)
        if self._hoped.search(before):
            score -= 0.9
        elif self._asked.search(before):
            score -= 0.2 if failing else 0.5
        if failing:
            score += 0.15
        if self._praised.search(behind[:10]):
            score -= 0.8
        if self._denied.search(before):
            score -= 0.6
        return score


def choose(candidates: tuple[Candidate, ...], person: Person | None) -> Candidate | None:
    """Choose the body that did the main act; None if none is clearly complained of."""
    scores: dict[str, float] = {}
    first: dict[str, Candidate] = {}
    for one in candidates:
        score = one.score
        if person is not None and one.span.overlaps(person.span):
            score += 0.35
        if score > scores.get(one.place.code, LEAST):
            scores[one.place.code] = score
            first[one.place.code] = one
    if not scores:
        return None
    # the name is better evidence than the kind of body, wherever both are said
    best = max(scores, key=lambda code: (scores[code], -first[code].span.start))
    same = [one for one in candidates if one.place.code == best]
    heard = [one for one in same if one.how == "heard"]
    return heard[0] if heard else first[best]


def _words(words: BodyWords, kind: str) -> list[str]:
    return [
        word for body in (*words.joined, *words.body) if body.kind == kind for word in body.words
    ]


def _only(places: tuple[Place, ...], kind: str, part: str) -> Place | None:
    """Give the one body of a kind; None if there is none or several."""
    fitting = {
        place.code: place
        for place in places
        if place.kind == kind and (not part or any(part in name for name in place.names))
    }
    return next(iter(fitting.values())) if len(fitting) == 1 else None
