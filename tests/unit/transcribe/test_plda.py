"""Few examples of a language against all others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from transcribe import plda

MEANS = np.array([[3.0, 0.0], [0.0, -2.0], [-1.0, 1.0]])
COUNTS = np.array([4.0, 40.0, 1.0])


def test_densities_are_those_of_the_posterior() -> None:
    between = np.array([2.0, 0.5])
    found = plda.densities(MEANS, COUNTS, between)
    place = np.array([[0.4, -0.3]])
    for row, (mean, count) in enumerate(zip(MEANS, COUNTS, strict=True)):
        # The prior N(0, between) and `count` examples of variance 1 (Gelman et al., BDA3, 2.5).
        precision = 1 / between + count
        expected = multivariate_normal(count * mean / precision, np.diag(1 + 1 / precision))
        wanted = expected.logpdf(place[0]) + np.log(2 * np.pi)
        assert found.of(place)[0, row] == pytest.approx(wanted)
    nothing_known = multivariate_normal([0, 0], np.diag(1 + between))
    assert found.of(place)[0, -1] == pytest.approx(
        nothing_known.logpdf(place[0]) + np.log(2 * np.pi)
    )


def test_the_spread_of_languages_leaves_out_that_of_their_means() -> None:
    draw = np.random.default_rng(1)
    true = draw.normal(0, 2, (4_000, 1))
    means = true + draw.normal(0, 0.5, true.shape)
    assert plda.spread(means, np.full(len(true), 4.0))[0] == pytest.approx(4, rel=0.1)
    assert plda.spread(np.zeros((5, 1)), np.ones(5))[0] == plda.LEAST_BETWEEN


def test_a_language_is_favoured_near_its_mean_and_not_elsewhere() -> None:
    found = plda.densities(MEANS, COUNTS, np.array([4.0, 4.0]))
    logs = found.of(np.array([[3.0, 0.0], [0.0, -2.0]]))
    assert plda.favour(logs, 0)[0] > 0 > plda.favour(logs, 0)[1]
    # A second name of the same language is no rival.
    twice = plda.densities(np.vstack([MEANS, MEANS[:1]]), np.append(COUNTS, 4), np.full(2, 4.0))
    both = twice.of(np.array([[3.0, 0.0]]))
    assert plda.favour(both, 0)[0] < 0.1
    assert plda.favour(both, 0, 3)[0] == pytest.approx(plda.favour(logs, 0)[0])
