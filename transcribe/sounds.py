"""The sounds of a recording as a pack's encoder hears them, counted and compared with the usual.

Encoder states fall into some dozens of sorts of sounds, found by a Gaussian mixture over many
languages. How often a recording makes each sort, and by how much its own differ from the usual,
tells languages apart that the mean of all states cannot (supervectors of Campbell et al., 2006, on
bottleneck features as in Matejka et al., 2014).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

SORTS, AXES = 32, 96
STATES_A_SORT = 50  # fewer make no sort of their own
STATES_A_WINDOW = 40
MOST_STATES = 150_000
LEAST_VARIANCE = 1e-2
# States of a sort that count as much as the usual of it does (Reynolds et al., 2000).
RELEVANCE = 1.0
OFTEN = 0.2  # how much frequencies weigh beside deviations
SEED = 0

Vector = NDArray[np.float32]
States = NDArray[np.floating]


@dataclass(frozen=True)
class Sounds:
    """Sorts of sounds, in axes in which all states have deviation 1.

    centre : shape = (width,); axes : shape = (width, n_axes)
    means, variances : shape = (n_sorts, n_axes); weights : shape = (n_sorts,), of sum 1
    """

    centre: Vector
    axes: Vector
    means: Vector
    variances: Vector
    weights: Vector

    def describe(self, states: States) -> Vector:
        """Give deviations and frequencies of sorts; shape = (n_sorts * (n_axes + 1),).

        states : shape = (n_states, width)
        """
        turned = np.asarray((states - self.centre) @ self.axes, np.float32)
        shares = self._shares(turned)
        counts = shares.sum(axis=0)
        summed = shares.T @ turned - counts[:, None] * self.means
        usual = np.sqrt(self.variances / self.weights[:, None])
        deviations = summed / (counts[:, None] + RELEVANCE) / usual
        often = np.log((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))
        return np.concatenate([deviations.ravel(), OFTEN * often]).astype(np.float32)

    def _shares(self, turned: Vector) -> NDArray[np.float64]:
        """Give the probability of each sort for each state; shape = (n_states, n_sorts)."""
        precisions = 1 / self.variances.astype(np.float64)
        logs = np.square(turned) @ precisions.T - 2 * turned @ (self.means * precisions).T
        logs += (np.square(self.means) * precisions - np.log(precisions)).sum(axis=1)
        odds = np.log(self.weights) - 0.5 * logs
        return np.asarray(np.exp(odds - logsumexp(odds, axis=1, keepdims=True)), np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what is to be stored."""
        return {
            "sounds_centre": self.centre.astype(np.float16),
            "sounds_axes": self.axes.astype(np.float16),
            "sounds_means": self.means.astype(np.float16),
            "sounds_variances": self.variances.astype(np.float32),
            "sounds_weights": self.weights.astype(np.float32),
        }


def read(saved: Mapping[str, NDArray[Any]]) -> Sounds:
    """Read what `Sounds.arrays` gave."""
    names = ("centre", "axes", "means", "variances", "weights")
    return Sounds(*(saved[f"sounds_{name}"].astype(np.float32) for name in names))


def learn(windows: Sequence[States]) -> Sounds:
    """Find the sorts of sounds in the states of many windows of many languages."""
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(SEED)
    each = max(1, min(STATES_A_WINDOW, MOST_STATES // len(windows)))
    drawn = [states[rng.integers(0, len(states), each)] for states in windows]
    sample = np.concatenate(drawn).astype(np.float32)
    turned = PCA(min(AXES, *sample.shape), whiten=True, random_state=SEED).fit(sample)
    axes = turned.components_.T / np.sqrt(np.maximum(turned.explained_variance_, 1e-9))
    sorts = GaussianMixture(
        max(1, min(SORTS, len(sample) // STATES_A_SORT)),
        covariance_type="diag",
        init_params="k-means++",
        reg_covar=LEAST_VARIANCE,
        tol=LEAST_VARIANCE,
        random_state=SEED,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        sorts.fit((sample - turned.mean_) @ axes)
    return Sounds(
        turned.mean_.astype(np.float32),
        axes.astype(np.float32),
        sorts.means_.astype(np.float32),
        sorts.covariances_.astype(np.float32),
        sorts.weights_.astype(np.float32),
    )
