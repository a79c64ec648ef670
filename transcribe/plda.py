"""How well few examples of a language tell it from all others.

Probabilistic linear discriminant analysis (Ioffe, 2006; Prince and Elder, 2007), in directions in
which the spread within every language is 1: what is known of a language is its mean over some
examples, drawn towards the middle of all languages and the less certain the fewer they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

LEAST_BETWEEN = 0.05


@dataclass(frozen=True)
class Densities:
    """Where further examples of languages are to be expected.

    means, variances : shape = (n_languages + 1, n_directions); the last row is a language that
    nothing is known of
    """

    means: NDArray[np.float64]
    variances: NDArray[np.float64]

    def of(self, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give log densities of places, shape = (n_places, n_languages + 1)."""
        precisions = 1 / self.variances
        squares = np.square(places) @ precisions.T - 2 * places @ (self.means * precisions).T
        squares += (np.square(self.means) * precisions).sum(axis=1)
        return np.asarray(-0.5 * (squares + np.log(self.variances).sum(axis=1)), np.float64)


def spread(means: NDArray[np.floating], counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the variance of languages in each direction, from their means over so many examples."""
    found = np.asarray(means, np.float64).var(axis=0) - np.mean(1 / np.asarray(counts))
    return np.asarray(np.maximum(found, LEAST_BETWEEN), np.float64)


def densities(
    means: NDArray[np.floating], counts: NDArray[np.floating], between: NDArray[np.floating]
) -> Densities:
    """Expect further examples of languages by the means of those that are there.

    means : shape = (n_languages, n_directions), the middle of all at 0; counts : examples of each
    between : variance of languages, shape = (n_directions,)
    """
    trust = np.asarray(counts, np.float64)[:, None] * between
    return Densities(
        means=np.vstack([means * trust / (trust + 1), np.zeros_like(between)]),
        variances=np.vstack([1 + between / (trust + 1), 1 + between]),
    )


def favour(logs: NDArray[np.float64], place: int, *same: int) -> NDArray[np.float64]:
    """Give by how much one language is likelier than all others together.

    logs : as from `of`; same : rows that are this language too, under another name
    """
    others = logsumexp(np.delete(logs, [place, *same], axis=1), axis=1)
    return np.asarray(logs[:, place] - others, np.float64)
