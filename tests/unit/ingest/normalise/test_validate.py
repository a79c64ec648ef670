"""Holding complaints out, to see from where on a choice is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ingest.normalise import labelled, material, network
from ingest.normalise.network import Network
from ingest.normalise.taught import Taught
from ingest.normalise.validate import Held, Unseen, hold_out, tables
from models.errors import Invalid
from tests.unit.ingest.normalise.conftest import SAMPLES

NOBODY = Held(([], []), ())


def row(text: str, *, opinions: str, least: str, which: int = 0) -> list[str]:
    """Give the cells behind one way to join, from one probability on."""
    tables = text.split("in use")[1:]
    (line,) = (line for line in tables[which].splitlines() if line.split()[:2] == [opinions, least])
    return line.split()[2:]


def test_what_is_filled_in_is_counted_for_each_way_and_probability() -> None:
    times = (
        Held(([0.9, 0.05], [0.9, 0.05]), (True, False)),
        Held(([0.9], [0.8]), (False,)),  # filled in where nothing is meant
        Held(([0.95], [0.95]), None),  # what is meant was not found
        Held(([0.999], [0.002]), (True,)),  # one is sure, the other as sure of the contrary
        NOBODY,
    )
    said = tables([Unseen(one, NOBODY) for one in times])
    assert said.startswith("5 complaints")
    assert row(said, opinions="averaged", least="0.50") == [
        *("2", "4", "3", "0.500", "0.667", "3/5")
    ]
    # 0.999 and 0.002 pooled are 0.58
    assert row(said, opinions="pooled", least="0.60") == ["1", "3", "3", "0.333", "0.333", "2/5"]
    assert row(said, opinions="averaged", least="0.95") == ["0", "1", "3", "0.000", "0.000", "2/5"]
    assert row(said, opinions="averaged", least="0.50", which=1)[-1] == "5/5"


def test_the_ways_in_use_are_named() -> None:
    said = tables([Unseen(NOBODY, NOBODY)])
    assert "times (in use: pooled from 0.75 on)" in said
    assert "right (in use: averaged from 0.75 on)" in said


@pytest.fixture(scope="module")
def few() -> material.Material:
    every = material.read(SAMPLES)
    return replace(
        every,
        complaints=labelled.read(SAMPLES / "training-8.jsonl"),
        marks=every.marks[-200:],
        phrases=every.phrases[::10],
    )


def test_each_complaint_is_held_out_once_and_teaches_elsewhere(few: material.Material) -> None:
    told: list[set[str]] = []

    def teach(lessons: Sequence[Taught]) -> Network:
        told.append({one.seen.reading.passage.text for one in lessons})
        return network.load()

    found = list(hold_out(few, 2, teach))
    texts = {one.text for one in few.complaints}
    assert len(found) == len(texts) == len(few.complaints)
    first, second = ({*texts & one} for one in told)
    assert first | second == texts and not first & second
    assert all({one.text for one in few.marks} <= one for one in told)
    dated = [one.times for one in found if one.times.right and any(one.times.right)]
    assert len(dated) > 10
    assert all(
        len(one.right or ()) == len(one.opinions[0]) == len(one.opinions[1]) for one in dated
    )


def test_more_parts_than_complaints_are_refused(few: material.Material) -> None:
    two = replace(few, complaints=few.complaints[:2])
    with pytest.raises(Invalid, match="--folds"):
        next(hold_out(two, 3, lambda _: network.load()))
