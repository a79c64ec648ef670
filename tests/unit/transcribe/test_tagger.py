"""The judge of languages: what it learns, what it calls unknown, and what it keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import Invalid, Misconfigured
from transcribe import newcomers, tagger, teaching
from transcribe.example import Example
from transcribe.sounds import States
from transcribe.tagger import Tagger

WIDTH, SOUNDS, LENGTH, TRAITS = 40, 12, 60, 8
# Every language has its own way with each of a dozen sounds, by traits that all have some of.
TRAIT = np.random.default_rng(1).normal(0, 1, (TRAITS, SOUNDS, WIDTH))
WAYS = np.tensordot(np.random.default_rng(3).normal(0, 0.5, (40, TRAITS)), TRAIT, 1)
USUAL = np.random.default_rng(2).normal(0, 3, (SOUNDS, WIDTH))
PLACES = {name: number for number, name in enumerate(("zh", "ug", "kk", "ii", "ky", "fr"))}
OTHERS = [f"x{number}" for number in range(20)]


def example(group: str, tag: str, seed: int, logprob: float | None) -> Example:
    """Draw an example of a language, spoken by somebody."""
    place = PLACES.get(group, 10 + OTHERS.index(group) if group in OTHERS else 39)
    draw = np.random.default_rng([place, *map(ord, group), seed])
    return Example(said(WAYS[place], draw), tag, group, logprob)


def said(ways: NDArray[np.floating], draw: np.random.Generator) -> States:
    """Say sounds in a language's way and a speaker's."""
    speaker = draw.normal(0, 0.4, WIDTH)
    order = draw.integers(0, SOUNDS, LENGTH)
    noise = draw.normal(0, 0.5, (LENGTH, WIDTH))
    return (USUAL[order] + ways[order] + speaker + noise).astype(np.float32)


def lesson(count: int = 30) -> list[Example]:
    """Make examples of three known languages and of twenty others."""
    known = [example(tag, tag, n, -0.2) for tag in ("zh", "ug", "kk") for n in range(count)]
    others = [example(name, "und", n, -1.5) for name in OTHERS for n in range(count // 3)]
    silent = [example("noise", "zxx", n, -2.0) for n in range(count)]
    return known + others + silent


@pytest.fixture(scope="module")
def taught() -> Tagger:
    """Teach a tagger once."""
    return teaching.teach(lesson())


def best(judge: Tagger, states: States) -> tuple[str, float]:
    """Give what a tagger hears first."""
    first = judge.hear(states)[0]
    return first.tag, first.probability


@pytest.mark.parametrize("tag", ["zh", "ug", "kk"])
def test_a_language_that_was_taught_is_known(tag: str, taught: Tagger) -> None:
    heard = [best(taught, example(tag, tag, seed, 0).states)[0] for seed in range(900, 1_000)]
    assert heard.count(tag) >= 95


def test_another_language_is_und_also_if_never_heard(taught: Tagger) -> None:
    heard = [best(taught, example(name, "und", 2_000, 0).states)[0] for name in OTHERS]
    assert heard.count("und") == len(heard)
    far = said(WAYS[38] * 3 + 4, np.random.default_rng(0))
    assert best(taught, far)[0] == "und"


def test_probabilities_sum_to_one_and_come_best_first(taught: Tagger) -> None:
    heard = taught.hear(example("zh", "zh", 5, 0).states)
    assert sum(one.probability for one in heard) == pytest.approx(1)
    masses = [one.probability for one in heard]
    assert masses == sorted(masses, reverse=True)


def test_a_well_written_text_speaks_for_the_pack(taught: Tagger) -> None:
    assert taught.known("zh", -0.2) >= taught.known("zh", -1.5)


def test_a_text_that_is_misspelt_speaks_against_the_pack() -> None:
    draw = np.random.default_rng(4)
    known = [
        replace(example(tag, tag, n, -0.2), written_in=tag, spelling=float(draw.normal(-2, 0.3)))
        for tag in ("kk", "ug")
        for n in range(40)
    ]
    others = [
        replace(example(name, "und", n, -0.2), written_in="kk", spelling=float(draw.normal(-5, 1)))
        for name in OTHERS
        for n in range(6)
    ]
    judge = teaching.teach(known + others)
    assert judge.known("kk", -0.2, -2.0)[0] > 0 > judge.known("kk", -0.2, -5.0)[0]
    assert judge.spelt.spelling > 0
    assert judge.written == tagger.NOTHING_TO_SAY


def test_what_is_poor_in_one_language_is_usual_in_another() -> None:
    draw = np.random.default_rng(3)
    middles = {"zh": -0.5, "ug": -0.1}
    known = [
        replace(example(tag, tag, n, middle + float(draw.normal(0, 0.03))), written_in=tag)
        for tag, middle in middles.items()
        for n in range(60)
    ]
    others = [
        replace(example(name, "und", n, -1.0), written_in="ug") for name in OTHERS for n in range(6)
    ]
    judge = teaching.teach(known + others)
    assert judge.known("zh", -0.5)[0] > 0 > judge.known("ug", -0.5)[0]
    assert tagger.unusual(judge.usual, "kk", -0.3) == tagger.unusual(judge.usual, "", -0.3)


def test_what_the_pack_was_not_trained_on_calibrates_alone() -> None:
    trained = [replace(example("zh", "zh", n, -0.01), written_in="zh") for n in range(40)]
    unseen = [
        replace(example("zh", "zh", 100 + n, -0.4), written_in="zh", unseen=True) for n in range(20)
    ]
    judge = teaching.teach([*lesson(), *trained, *unseen])
    assert judge.usual["zh"][0] == pytest.approx(-0.4)


def test_texts_that_tell_all_by_themselves_leave_the_figures_finite() -> None:
    known = [example(tag, tag, n, -0.05) for tag in ("zh", "ug") for n in range(12)]
    others = [example(name, "und", n, -9.0) for name in OTHERS for n in range(4)]
    taught = teaching.teach(known + others)
    assert np.isfinite([taught.written.bias, taught.written.slope]).all()
    assert 0 <= taught.written.heard <= 1
    assert taught.known("zh", -0.05)[0] > 0 > taught.known("zh", -9.0)[0]


def test_what_nothing_was_written_about_says_nothing_of_how_well_it_was_written() -> None:
    silent = [example("noise", "zxx", n, None) for n in range(30)]
    with_silent, without = (teaching.teach(lesson() + more) for more in (silent, []))
    assert np.isfinite(with_silent.written.slope)
    assert with_silent.known("zh", -0.2) == pytest.approx(without.known("zh", -0.2), abs=0.1)


def test_what_is_kept_is_the_same_after_reading(taught: Tagger, tmp_path: Path) -> None:
    path = tagger.save(taught, tmp_path)
    read = tagger.load(tmp_path)
    assert read is not None
    assert path.stat().st_size < 100_000
    for seed in range(10):
        states = example("ug", "ug", seed, 0).states
        assert best(read, states) == pytest.approx(best(taught, states), abs=0.02)


def test_nothing_of_one_recording_is_kept(taught: Tagger, tmp_path: Path) -> None:
    tagger.save(taught, tmp_path)
    with np.load(tmp_path / tagger.FILE) as saved:
        rows = {name: saved[name].shape for name in saved.files}
    assert rows["prototypes"][0] == rows["newcomers_prototypes"][0] == 3 + len(OTHERS) + 1
    assert rows["sounds_means"][0] <= 32


def test_twenty_recordings_make_a_further_language_known(taught: Tagger) -> None:
    more = teaching.add(taught, [example("ii", "ii", n, -1) for n in range(20)])
    assert more.tags == (*taught.tags, "ii")
    for tag in ("ii", "kk"):
        heard = [best(more, example(tag, tag, seed, 0).states)[0] for seed in range(3_000, 3_100)]
        assert heard.count(tag) >= 95


def test_what_is_still_unknown_is_not_taken_for_an_added_language(taught: Tagger) -> None:
    more = teaching.add(taught, [example("ii", "ii", n, -1) for n in range(20)])
    for name in ("ky", "fr", *OTHERS):
        masses = {one.tag: one.probability for one in more.hear(example(name, "und", 4, 0).states)}
        assert masses["ii"] < 0.5
        assert sum(masses.values()) == pytest.approx(1)


def test_a_language_of_the_background_can_be_added_under_its_name(taught: Tagger) -> None:
    more = teaching.add(taught, [example(OTHERS[0], "bo", n, -1) for n in range(20)])
    heard = [best(more, example(OTHERS[0], "bo", seed, 0).states)[0] for seed in range(500, 600)]
    assert heard.count("bo") >= 95


@pytest.mark.parametrize(("others", "fitted"), [(9, False), (10, True)])
def test_too_few_other_languages_teach_nothing_of_added_ones(others: int, fitted: bool) -> None:
    known = [example(tag, tag, n, -0.2) for tag in ("zh", "ug") for n in range(20)]
    rest = [example(name, "und", n, -1.5) for name in OTHERS[:others] for n in range(12)]
    judge = teaching.teach(known + rest)
    plain = (newcomers.BIAS, newcomers.SLOPE)
    assert ((judge.newcomers.bias, judge.newcomers.slope) != plain) is fitted


@pytest.mark.parametrize(("apart", "same"), [(0.99, [1]), (1.01, [])])
def test_a_prototype_of_the_background_is_the_same_language_up_to_a_distance(
    apart: float, same: list[int], taught: Tagger
) -> None:
    places = np.array([[0, 0], [9, 0], [9, np.sqrt(apart * newcomers.SAME)]], np.float32)
    judge = replace(taught.newcomers, labels=("zh", "und", "bo"), taught=2, prototypes=places)
    assert judge.same(2) == same


def test_an_added_language_is_kept_with_what_it_is_weighed_by(
    taught: Tagger, tmp_path: Path
) -> None:
    more = teaching.add(taught, [example("ii", "ii", n, -1) for n in range(20)])
    tagger.save(more, tmp_path)
    read = tagger.load(tmp_path)
    assert read is not None
    assert (read.tags, read.newcomers.tags) == (more.tags, ("ii",))
    assert read.newcomers.slope == more.newcomers.slope > 0
    states = example("ii", "ii", 800, 0).states
    assert best(read, states) == pytest.approx(best(more, states), abs=0.02)


def test_too_few_recordings_are_refused_with_what_is_needed() -> None:
    with pytest.raises(Invalid, match="ug"):
        teaching.teach([*(example("zh", "zh", n, 0) for n in range(9)), example("ug", "ug", 1, 0)])
    with pytest.raises(Invalid):
        teaching.teach([example("zh", "zh", n, 0) for n in range(30)])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_a_damaged_file_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    (tmp_path / tagger.FILE).write_bytes(content)
    with pytest.raises(Misconfigured, match="train it again"):
        tagger.load(tmp_path)


def test_a_file_with_pickles_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / tagger.FILE, version=1, labels=np.array([object()], dtype=object))
    with pytest.raises(Misconfigured):
        tagger.load(tmp_path)


def test_a_pack_without_a_tagger_has_none(tmp_path: Path) -> None:
    assert tagger.load(tmp_path) is None
