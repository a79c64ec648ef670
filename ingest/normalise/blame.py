"""Who is to blame among the people of a text: who acts, not who is asked, harmed or kin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingest.normalise.person import Person
from ingest.normalise.surroundings import Features, Surroundings, order
from ingest.normalise.weighing import Weights, averaged, likeliest

MODEL_FILE = "blame.npz"
TOGETHER = averaged
# Somebody who is to blame less likely than this is left out: of 3,443 complaints that `xiangyin
# normalise validate --folds 2` holds out, 1,793 of 1,884 who are filled in are right (0.952).
# Pooled opinions are no better: 1,803 at 0.953, but 1,772 at 0.958 where averaged ones have 1,779.
LIKELY = 0.75
# 两个保安, 几个组长: no one of them
_COUNTED = re.compile(r"(?:[几两二三四五六七八九十百\d]+(?:个|名|位)|[些各])$")
BEFORE = 5


class Blame:
    """Chooses whom a complaint is about. weights : of the words around somebody"""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def choose(
        self,
        around: Surroundings,
        people: Sequence[Person],
        conduct: str,
        read: Sequence[float],
    ) -> Person | None:
        """Choose the one complained of, weighed by how likely it is; None if nobody likely is.

        conduct : what is reproached, "" if that is not clear
        read : how likely the network finds each
        """
        weighed = self._weights.probabilities(described(around, people, conduct))
        chosen = likeliest(TOGETHER((weighed, read)), LIKELY)
        return replace(people[chosen[0]], weight=chosen[1]) if chosen else None


def described(around: Surroundings, people: Sequence[Person], conduct: str) -> list[Features]:
    """Describe each of a text's people and the words around."""
    return [features(around, people, place, conduct) for place in range(len(people))]


def features(around: Surroundings, people: Sequence[Person], place: int, conduct: str) -> Features:
    """Describe one of a text's people and the words around. place : which one"""
    own = dict.fromkeys(_own(people, place, conduct), 1.0)
    start = people[place].span.start
    counted = bool(_COUNTED.search(around.text, max(0, start - BEFORE), start))
    return around.of(people[place].span) | own | {f"counted {counted}": 1.0}


def _own(people: Sequence[Person], place: int, conduct: str) -> Iterator[str]:
    person, at = people[place], order(place, len(people))
    named = "full" if person.name else "surname" if person.surname else "no"
    form = f"{named} name, {'a' if person.post else 'no'} post"
    again = any(other.is_(person) for other in people if other is not person)
    yield f"form {form}"
    yield f"form {form} {at}"
    yield f"post {person.post}"
    yield f"order {at}"
    yield f"conduct {conduct}"
    yield f"conduct {conduct} {at}"
    yield f"again {again}"
    yield f"found {person.weight:.3f}"
