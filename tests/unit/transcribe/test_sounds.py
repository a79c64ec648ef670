"""Sorts of sounds: how a window is described by them, and what is learnt and kept."""

from __future__ import annotations

import numpy as np
import pytest

from transcribe import sounds
from transcribe.sounds import Sounds

WIDTH = 6


def two_sorts() -> Sounds:
    """Make a sort around -4 and one around 4, in two axes."""
    means = np.array([[-4.0, 0.0], [4.0, 0.0]], np.float32)
    axes = np.eye(2, dtype=np.float32)
    half = np.full(2, 0.5, np.float32)
    return Sounds(np.zeros(2, np.float32), axes, means, np.ones((2, 2), np.float32), half)


def test_what_is_usual_deviates_in_nothing_and_is_as_frequent_as_it_is() -> None:
    usual = np.array([[-4.0, 0.0], [-4.0, 0.0], [-4.0, 0.0], [4.0, 0.0]])
    found = two_sorts().describe(usual)
    assert found.shape == (2 * 3,)
    assert found[:4] == pytest.approx(np.zeros(4), abs=1e-4)
    expected = sounds.OFTEN * np.log([3.5 / 5, 1.5 / 5])
    assert found[4:] == pytest.approx(expected, abs=1e-4)


def test_a_deviation_counts_the_more_the_oftener_its_sort_is_heard() -> None:
    once, often = (two_sorts().describe(np.tile([[4.0, 1.0]], (n, 1))) for n in (1, 9))
    weight = np.sqrt(0.5)
    assert once[3] == pytest.approx(weight * 1 / (1 + sounds.RELEVANCE), abs=1e-3)
    assert often[3] == pytest.approx(weight * 9 / (9 + sounds.RELEVANCE), abs=1e-3)
    assert once[:2] == pytest.approx([0, 0], abs=1e-4)


def test_sorts_are_found_again_and_kept() -> None:
    draw = np.random.default_rng(1)
    centres = draw.normal(0, 10, (4, WIDTH))
    windows = [
        centres[draw.integers(0, 4, 80)] + draw.normal(0, 0.3, (80, WIDTH)) for _ in range(40)
    ]
    learnt = sounds.learn(windows)
    assert learnt.weights.sum() == pytest.approx(1, abs=1e-5)
    kept = sounds.read(learnt.arrays())
    same, other = (np.tile(centres[n], (20, 1)) for n in (0, 1))
    assert np.abs(learnt.describe(same) - learnt.describe(other)).max() > 0.3
    assert kept.describe(same) == pytest.approx(learnt.describe(same), abs=0.15)


@pytest.mark.parametrize(
    ("states", "sorts"), [(2 * sounds.STATES_A_SORT - 1, 1), (2 * sounds.STATES_A_SORT, 2)]
)
def test_few_states_make_few_sorts(
    states: int, sorts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "STATES_A_WINDOW", states)
    window = np.random.default_rng(2).normal(0, 1, (200, WIDTH))
    assert len(sounds.learn([window]).weights) == sorts
