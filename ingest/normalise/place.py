"""Where: the divisions that a text names, and the unit that a name means through this channel."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.normalise.gazetteer import Gazetteer, Mention, Place, Reference
from ingest.normalise.reading import Reading, Span

FINEST = {"village": 0, "town": 1, "county": 2, "city": 3, "province": 4}
BESIDE = 8
JOINT = "、"


@dataclass(frozen=True)
class Standing:
    """Where a channel stands: its divisions from the nearest upwards, and its jurisdiction."""

    divisions: tuple[Place, ...]
    jurisdiction: str

    @property
    def codes(self) -> tuple[str, ...]:
        """Give the codes of the divisions, nearest first."""
        return tuple(place.code for place in self.divisions)


@dataclass(frozen=True)
class Named:
    """One name in a text with what it means here.

    place : None where it cannot be told which of several is meant, or only another county has it
    """

    span: Span
    name: str
    place: Place | None
    is_division: bool
    changed: int


def resolve(gazetteer: Gazetteer, reading: Reading, standing: Standing) -> tuple[Named, ...]:
    """Say what each name in a text means, seen from the channel."""
    mentions = gazetteer.find(reading)
    spoken = _spoken_divisions(gazetteer, mentions)
    named = []
    for mention in mentions:
        reference = _choose(gazetteer, mention, standing, spoken)
        first = min(mention.references, key=lambda one: one.changed)
        told = reference or first
        place = gazetteer.places[told.code]
        named.append(
            Named(
                span=mention.span,
                name=told.name,
                place=place if reference else None,
                is_division=place.is_division,
                changed=told.changed,
            )
        )
    return tuple(named)


def _spoken_divisions(gazetteer: Gazetteer, mentions: tuple[Mention, ...]) -> dict[str, int]:
    """Give the counties and towns that the text names without doubt, and where each ends."""
    spoken = {}
    for mention in mentions:
        exact = [one for one in mention.references if one.changed == 0]
        if len(exact) == 1 and gazetteer.places[exact[0].code].kind in ("county", "town"):
            spoken[exact[0].code] = mention.span.end
    return spoken


def _choose(
    gazetteer: Gazetteer,
    mention: Mention,
    standing: Standing,
    spoken: dict[str, int],
) -> Reference | None:
    """Choose one entry: first below one just named, then of the channel's town, then county."""
    ranked = sorted(
        (
            (*_rank(gazetteer, one, mention.span, standing, spoken), one)
            for one in mention.references
        ),
        key=lambda ranked_one: ranked_one[:2],
        reverse=True,
    )
    best = ranked[0]
    if best[0] < 0:
        return None
    if len(ranked) > 1 and ranked[1][:2] == best[:2] and ranked[1][-1].code != best[-1].code:
        return None
    return best[-1]


def _rank(
    gazetteer: Gazetteer,
    reference: Reference,
    span: Span,
    standing: Standing,
    spoken: dict[str, int],
) -> tuple[int, float]:
    """Rank an entry: how near it is, and how exactly it was said. Below 0 it cannot be meant.

    Names that only sound alike are found in a typed text where none is exact. What was heard may
    be written with any of its characters: there the channel's own town counts before the spelling.
    """
    chain = [place.code for place in gazetteer.chain(reference.code)]
    above = set(chain[1:])
    beside = any(code in above and 0 <= span.start - end <= BESIDE for code, end in spoken.items())
    towns = [place.code for place in standing.divisions if place.kind in ("village", "town")]
    if beside:
        nearness = 4
    elif any(code in chain for code in towns):
        nearness = 3
    elif (
        gazetteer.places[reference.code].division == standing.jurisdiction
        or reference.code in standing.codes
    ):
        nearness = 2
    elif (
        any(code in chain for code in spoken)
        or not standing.codes
        or gazetteer.places[reference.code].kind in ("county", "city", "province")
    ):
        nearness = 1
    else:
        nearness = -1
    return nearness, -float(reference.changed)


def divisions(named: tuple[Named, ...], reading: Reading) -> tuple[Named, ...]:
    """Give the divisions named, each once, in order of appearance."""
    seen: dict[str, Named] = {}
    for one in named:
        if one.is_division:
            seen.setdefault(written(one, reading), one)
    return tuple(seen.values())


def written(one: Named, reading: Reading) -> str:
    """Write a name as it stands, or as the gazetteer has it where only the sound is right."""
    return one.name if one.changed else reading.text[one.span.start : one.span.end]


def finest(named: tuple[Named, ...]) -> Place | None:
    """Give the smallest division that a text names, the first of several; None if none is clear."""
    places = [one.place for one in named if one.place is not None and one.is_division]
    return min(places, key=lambda place: FINEST.get(place.kind, 9), default=None)
