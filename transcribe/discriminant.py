"""Directions in which languages differ and speakers do not, and where languages lie in them.

Linear discriminant analysis with a shrunk spread (Ledoit and Wolf, 2004), as in speaker and
language recognition on i-vectors (Dehak et al., 2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transcribe.sounds import Vector

MOST_DIRECTIONS = 96


def directions(
    features: NDArray[np.floating], groups: NDArray[np.str_], at_most: int | None = None
) -> tuple[Vector, Vector]:
    """Find where groups differ most against the spread within them.

    Give the centre, shape = (n_features,), and the projection, shape = (n_features, n_directions),
    in which the spread within a group is 1 in every direction.

    at_most : principal components to look in, all if None. Few examples of many groups tell only
    about few of them, and directions that fit the groups at hand say little of further ones
    """
    from sklearn.covariance import ledoit_wolf

    wide = np.asarray(features, np.float64)
    axes, middle = np.eye(wide.shape[1]), np.zeros(wide.shape[1])
    if at_most is not None:
        axes, middle = _principal(wide, at_most)
    turned = (wide - middle) @ axes
    means = middles(turned, groups)
    within = turned - means[np.searchsorted(np.unique(groups), groups)]
    scale = within.std(axis=0) + 1e-6
    spread, _ = ledoit_wolf(within / scale)
    values, vectors = np.linalg.eigh(spread)
    white = (vectors / np.sqrt(np.maximum(values, 1e-9))) / scale[:, None]
    centre = means.mean(axis=0)
    _, _, best = np.linalg.svd((means - centre) @ white, full_matrices=False)
    projection = axes @ white @ best[: min(MOST_DIRECTIONS, len(means) - 1)].T
    return (middle + axes @ centre).astype(np.float32), projection.astype(np.float32)


def middles(places: NDArray[np.floating], groups: NDArray[np.str_]) -> NDArray[np.float64]:
    """Average the places of each group, in the order of their names."""
    return np.stack([places[groups == name].mean(axis=0) for name in np.unique(groups)])


def counts(groups: NDArray[np.str_]) -> Vector:
    """Count the examples of each group, in the order of their names."""
    return np.asarray([(groups == name).sum() for name in np.unique(groups)], np.float32)


def _principal(
    features: NDArray[np.float64], at_most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the axes of most variance, shape = (n_features, n_axes), and the middle."""
    from sklearn.decomposition import PCA

    fitted = PCA(min(at_most, min(features.shape) - 1), random_state=0).fit(features)
    return fitted.components_.T, fitted.mean_
