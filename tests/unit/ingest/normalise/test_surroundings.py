"""What is said of a time, or of somebody, by the words around."""

from __future__ import annotations

from datetime import date

import pytest

from ingest.normalise import blame, dating, surroundings, when
from ingest.normalise.person import Person
from ingest.normalise.reading import Span
from ingest.normalise.surroundings import Features, Surroundings

RECEIVED = date(2026, 5, 20)


def described(text: str, place: int = 0) -> Features:
    """Describe a time of a text."""
    every = when.joined(text, RECEIVED)
    return dating.features(Surroundings(text), every, place, RECEIVED)


def test_what_stands_around_a_place_is_described_by_where() -> None:
    text = "我娘病了，前年去找站长，说没得。"
    found = Surroundings(text).of(Span(5, 7))
    assert found["touches behind 去"] == found["right 去找站"] == 1
    assert found["behind 站长"] == 1
    assert found["earlier 我"] == surroundings.EARLIER_WEIGHT
    assert found["next 没得"] == surroundings.NEXT_WEIGHT
    assert found["clause inner"] == 1


def test_a_place_at_the_end_of_an_empty_text_is_described() -> None:
    assert Surroundings("").of(Span(0, 0))["clause first"] == 1


def test_a_time_is_described_by_itself_and_by_its_rank() -> None:
    found = described("二〇二五年签的合同，今年三月他就不认了。", 1)
    assert found["order later"] == found["precision month later"] == found["years 0"] == 1
    assert found["said 今年#月"] == 1


def test_somebody_is_described_by_how_they_are_named() -> None:
    text = "王院长骂人，李护士劝他，王院长不听。"
    people = (
        Person(Span(0, 3), surname="王", post="院长", weight=0.96),
        Person(Span(6, 9), surname="李", post="护士", weight=0.96),
        Person(Span(12, 15), surname="王", post="院长", weight=0.96),
    )
    first, second, _ = (
        blame.features(Surroundings(text), people, place, "abuse") for place in range(3)
    )
    assert first["order first"] == first["post 院长"] == first["again True"] == 1
    assert second["order later"] == second["again False"] == second["conduct abuse"] == 1
    assert second["form surname name, a post"] == second["touches behind 劝"] == 1


@pytest.mark.parametrize(
    ("text", "counted"), [("两个保安打人", True), ("有些保安打人", True), ("门口保安打人", False)]
)
def test_who_is_counted_is_described_as_such(text: str, counted: bool) -> None:
    guard = Person(Span(2, 4), post="保安")
    found = blame.features(Surroundings(text), (guard,), 0, "abuse")
    assert found[f"counted {counted}"] == 1


def test_a_word_that_is_part_of_another_is_described_as_such() -> None:
    part, whole = Surroundings("村医疗站的药贵"), Surroundings("村医的药贵")
    assert part.of(Span(0, 2))["begins True, ends False"] == 1
    assert whole.of(Span(0, 2))["begins True, ends True"] == 1
