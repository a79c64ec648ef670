"""The body complained of: by name, by its division and a post, or by what the channel holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest.normalise.gazetteer import Gazetteer, Place
from ingest.normalise.lexicon import BodyWords, LocalWord, any_of
from ingest.normalise.person import Person
from ingest.normalise.place import Named, Standing
from ingest.normalise.reading import BLANK, Reading, Span

BEFORE = 10
BEHIND = 26
LEAST = 0.3
AND = ("和", "跟", "与", "同", "、", "还有", "以及")
FIRST = 0.04
COMMITTEE, GOVERNMENT = "village_committee", "town_government"

_SENTENCE = re.compile(r"[。！？!?；;\n]")
_GROUP = r"[一二三四五六七八九十\d]+(?:组|社|队)"
_VAIN = r"[^。！？]{0,10}(?:没|不|推|拖)"
_GOING = r"(?<![到在去离从回往给向跟进找让])(?<!隔壁)(?<!他们)"


@dataclass(frozen=True)
class Candidate:
    """A body that may be the one complained of. how : heard or contained."""

    place: Place
    span: Span
    how: str
    confidence: float
    score: float = 0.0
    asked: bool = False
    fails: bool = False


@dataclass(frozen=True)
class Sort:
    """A pattern for a kind of body. named : must stand in the unit's name; post : it is a post."""

    pattern: re.Pattern[str]
    kind: str
    named: str = ""


class Bodies:
    """Finds bodies; the patterns are compiled once."""

    def __init__(self, words: BodyWords, surnames: str) -> None:
        cues, posts = words.cues, words.posts
        links = rf"(?:{any_of(cues.links)}|{_GROUP}|姓?[{surnames}]的?){{0,3}}"
        self._joined = {
            "village": Sort(_joined(links, words, COMMITTEE), COMMITTEE),
            "town": Sort(_joined(links, words, GOVERNMENT), GOVERNMENT),
        }
        self._joined_other = tuple(
            Sort(re.compile(rf"{links}(?:{any_of(body.words)})"), body.kind, body.named)
            for body in (*words.joined, *words.body)
            if body.kind not in (COMMITTEE, GOVERNMENT)
        )
        # 推荐 is no 推
        between = rf"{BLANK}*(?:{any_of(cues.between)}){{0,3}}{BLANK}*"
        acts = rf"{between}(?!推荐|停的)(?:{any_of(cues.verbs)})"
        self._contained = (
            *(
                Sort(re.compile(rf"(?<!他们)(?:{any_of(body.words)})"), body.kind, body.named)
                for body in words.body
            ),
            Sort(re.compile(rf"(?<!他们)(?:{any_of(posts.village_committee)})"), COMMITTEE),
            Sort(re.compile(any_of(posts.town_government)), GOVERNMENT),
            *(
                Sort(
                    re.compile(
                        rf"(?:{any_of(local.places)})头?(?:的|那个|这个|那位|女|管事的)*(?:{any_of(local.people)})"
                        rf"(?![\u4e00-\u9fff]{{0,4}}(?:{any_of(cues.business)}))"
                        rf"|(?<=[跟给向找])(?:{any_of(local.places)})头?(?=(?:反映|说|讲|报|提){_VAIN})"
                        rf"|{_GOING}(?:{any_of(local.places)})头?(?={acts})" + _kept(local)
                    ),
                    local.kind,
                )
                for local in words.local
            ),
        )
        self._village_posts = re.compile(any_of(posts.village_committee))
        self._asked = re.compile(rf"(?:{any_of(cues.asked)})(?:{any_of(cues.asked_links)})*$")
        self._hoped = re.compile(rf"(?:{any_of(cues.hoped)})[^，。,；]{{0,6}}$")
        self._failing = re.compile(any_of(cues.failing))
        self._praised = re.compile(any_of(cues.praised))
        self._denied = re.compile(rf"(?:{any_of(cues.denied)})(?:我们|你们|说)?$")
        self._mediating = re.compile(rf"(?:也|又|都)?(?:{any_of(cues.mediating)})")
        self._owning = re.compile(rf"的(?=[\u4e00-\u9fff])(?!{any_of(cues.owned)})")
        self._kin = re.compile(any_of(cues.kin))
        self._acts = re.compile(acts)
        self._acting = re.compile(rf"{BLANK}*(?:{any_of(cues.acting)})")

    def find(
        self,
        reading: Reading,
        named: tuple[Named, ...],
        gazetteer: Gazetteer,
        standing: Standing,
        conduct: str = "",
    ) -> tuple[Candidate, ...]:
        """Find every body that the text may be about, scored by what it is said to do.

        conduct : what is reproached; a body whose head favours kin is to blame for that
        """
        found = [*_said(named), *self._through_division(reading.text, named, gazetteer)]
        taken = tuple(one.span for one in found)
        taken += tuple(one.span for one in named if not one.is_division)
        found += self._in_chain(reading.text, taken, named, gazetteer, standing)
        ordered = sorted(found, key=lambda each: each.span.start)
        scored = [
            self._scored(reading.text, one, rank, conduct) for rank, one in enumerate(ordered)
        ]
        return _together(reading.text, scored)

    def _through_division(
        self, text: str, named: tuple[Named, ...], gazetteer: Gazetteer
    ) -> Iterator[Candidate]:
        """Find 石桥村支书 and 白鹤镇那个卫生院: a division joined to a post or kind of body."""
        for one in named:
            if one.place is None or one.place.kind not in self._joined:
                continue
            children = gazetteer.children(one.place.code)
            for sort in (*self._joined_other, self._joined[one.place.kind]):
                # 石桥村支书: the sign 村 belongs to the post too
                match = sort.pattern.match(text, one.span.end)
                match = match or sort.pattern.match(text, one.span.end - 1)
                body = _only(children, sort) if match else None
                if match and body is not None:
                    span = Span(one.span.start, match.end())
                    yield Candidate(body, span, "heard", 0.95 - 0.08 * one.changed)
                    break
            else:
                body = _only(children, self._joined[one.place.kind])
                if body is not None and self._acting.match(text, one.span.end):
                    yield Candidate(body, one.span, "heard", 0.85 - 0.08 * one.changed)

    def _in_chain(
        self,
        text: str,
        taken: tuple[Span, ...],
        named: tuple[Named, ...],
        gazetteer: Gazetteer,
        standing: Standing,
    ) -> Iterator[Candidate]:
        """Find words for a kind of body of which the channel's chain holds exactly one."""
        around = [*standing.divisions]
        for place in standing.divisions:
            around += gazetteer.children(place.code)
        village, town = _one(named, "village"), _one(named, "town")
        for sort in self._contained:
            contained = body = _only(tuple(around), sort)
            if village is not None and sort.kind == COMMITTEE:
                body = _only(gazetteer.children(village.code), sort)
            if town is not None and sort.kind == GOVERNMENT:
                body = _only(gazetteer.children(town.code), sort)
            how = "contained" if body == contained else "heard"
            if body is None:
                continue
            for match in sort.pattern.finditer(text):
                span = Span(*match.span())
                if not any(span.overlaps(other) for other in taken):
                    yield Candidate(body, span, how, 0.9 if how == "contained" else 0.8)

    def _scored(self, text: str, one: Candidate, rank: int, conduct: str) -> Candidate:
        """Weigh a body: one that acts or fails counts, one only asked or praised does not."""
        before = _SENTENCE.split(text[max(0, one.span.start - BEFORE) : one.span.start])[-1]
        behind = text[one.span.end : one.span.end + BEHIND]
        score = 1.0 - 0.04 * rank
        if self._acts.match(behind):
            score += 0.25
        failing = bool(self._failing.search(behind))
        asked = bool(self._asked.search(before))
        if self._hoped.search(before):
            score -= 0.9
        elif asked:
            score -= 0.2 if failing else 0.5
        if failing:
            score += 0.15
        if self._praised.search(behind[:10]):
            score -= 0.8
        if self._mediating.match(behind):
            score -= 0.6
        if self._owning.match(behind):
            score -= 0.3
        if self._denied.search(before):
            score -= 0.8
        if self._kin.match(behind) and conduct != "favouritism":
            score -= 0.8
        return replace(one, score=score, asked=asked and not failing, fails=failing or asked)


def _kept(local: LocalWord) -> str:
    """Write the pattern of what a body keeps for all: 村里的生态护林资金."""
    if not local.kept:
        return ""
    return rf"|(?:{any_of(local.places)})头?的[^，。,；]{{0,6}}(?:{any_of(local.kept)})"


def _together(text: str, scored: list[Candidate]) -> tuple[Candidate, ...]:
    """Let what is said behind 甲和乙 hold for both, so that the first is the one meant."""
    for place in range(len(scored) - 2, -1, -1):
        one, other = scored[place], scored[place + 1]
        if text[one.span.end : other.span.start] in AND and other.score >= one.score:
            scored[place] = replace(
                one, score=other.score + FIRST, asked=other.asked, fails=other.fails
            )
    return tuple(scored)


def choose(
    candidates: tuple[Candidate, ...], person: Person | None, conduct: str
) -> Candidate | None:
    """Choose the body that did the main act; None if none is clearly complained of.

    conduct : "none" reproaches nobody; land and water are mostly taken by neighbours and firms, and
    the body that did not stop them is not the one complained of
    """
    if conduct == "none":
        return None
    if conduct == "illegal_occupation":
        candidates = tuple(one for one in candidates if not one.fails)
    private = person is not None and not person.post
    best: dict[str, Candidate] = {}
    for one in candidates:
        score = one.score
        if person is not None and one.span.overlaps(person.span):
            score += 0.35
        if private and one.asked:
            continue
        if score > LEAST and (one.place.code not in best or score > best[one.place.code].score):
            best[one.place.code] = replace(one, score=score)
    if not best:
        return None
    chosen = max(best.values(), key=lambda one: (one.score, -one.span.start))
    # the name is better evidence than the kind of body, wherever both are said
    same = [one for one in candidates if one.place.code == chosen.place.code and one.how == "heard"]
    return same[0] if same else chosen


def _said(named: tuple[Named, ...]) -> Iterator[Candidate]:
    for one in named:
        if one.place is not None and not one.is_division:
            yield Candidate(one.place, one.span, "heard", 0.97 - 0.08 * one.changed)


def _one(named: tuple[Named, ...], kind: str) -> Place | None:
    """Give the village or town that the text is about if it names exactly one."""
    places = {one.place.code: one.place for one in named if one.place and one.place.kind == kind}
    return next(iter(places.values())) if len(places) == 1 else None


def _joined(links: str, words: BodyWords, kind: str) -> re.Pattern[str]:
    """Write the pattern of what may be joined to a division's name to mean its main body."""
    posts = words.posts
    said = (
        (*posts.village_committee, *posts.village_joined)
        if kind == COMMITTEE
        else (*posts.town_government, *posts.town_joined)
    )
    bodies = (one for one in (*words.joined, *words.body) if one.kind == kind)
    return re.compile(
        rf"{links}(?:{any_of((*said, *(word for one in bodies for word in one.words)))})"
    )


def _only(places: tuple[Place, ...], sort: Sort) -> Place | None:
    """Give the one body of a sort; None if there is none or several."""
    fitting = {
        place.code: place
        for place in places
        if place.kind == sort.kind
        and (not sort.named or any(sort.named in name for name in place.names))
    }
    return next(iter(fitting.values())) if len(fitting) == 1 else None
