"""Which of the places in a text is the one looked for: a small network that weighs what is around.

Which of the times that somebody says dates the act, and which of the people is to blame, depends on
all the words around and on how they go together. A layer of units over sums of what each feature
says (surroundings.py), learnt from labelled complaints (learning.py), knows more ways to say it
than hand-written patterns do. The places of a text are weighed against one another and against
none of them, so that their probabilities sum to at most 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.normalise.model import Floats
from ingest.normalise.surroundings import Features

LARGEST = 127  # of a byte with a sign
LEAST_SHARE = 1e-6  # no model is surer than that of what is not so


def _nothing() -> Floats:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Weights:
    """The network; what is not among its features says nothing.

    names : of features; plain : shape = (n_features,), what each says by itself
    inner : shape = (n_features, n_units); shift, outer : shape = (n_units,)
    none : score of none of the places; taught : names what it learnt from
    version : of what was shipped
    """

    names: tuple[str, ...] = ()
    plain: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    inner: Floats = field(default_factory=_nothing)
    shift: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    outer: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    none: float = 0.0
    taught: str = ""
    version: str = ""

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def score(self, features: Features) -> float:
        """Score one place; only differences between places, and from none of them, mean a thing."""
        known = [
            (self._rows[name], value) for name, value in features.items() if name in self._rows
        ]
        rows = [row for row, _ in known]
        values = np.array([value for _, value in known], np.float32)
        units = np.maximum(values @ self.inner[rows] + self.shift, 0)
        return float(units @ self.outer + values @ self.plain[rows])

    def probabilities(self, described: Iterable[Features]) -> list[float]:
        """Give how likely each of a text's places is the one; what is left is for none of them."""
        return shares([self.score(one) for one in described], self.none)


def shares(scores: Sequence[float], none: float) -> list[float]:
    """Turn the scores of a text's places, and that of none of them, into probabilities."""
    every = np.array([*scores, none], np.float64)
    masses = np.exp(every - every.max())
    return [float(mass) for mass in (masses / masses.sum())[:-1]]


def averaged(opinions: Sequence[Sequence[float]]) -> list[float]:
    """Give the mean of what several models find likely for the same places."""
    return [sum(said) / len(opinions) for said in zip(*opinions, strict=True)]


def pooled(opinions: Sequence[Sequence[float]]) -> list[float]:
    """Pool what several models find likely by their logarithms (Genest and Zidek, 1986).

    What one of them is sure is wrong, the word of another does not make right.
    """
    every = np.array([[*said, 1 - sum(said)] for said in opinions])
    masses = np.exp(np.log(np.maximum(every, LEAST_SHARE)).mean(axis=0))
    return [float(mass) for mass in (masses / masses.sum())[:-1]]


def likeliest(likely: Sequence[float], least: float) -> tuple[int, float] | None:
    """Give the likeliest of a text's places, with how likely; None if none reaches the least."""
    best = max(likely, default=0.0)
    return (likely.index(best), best) if likely and best >= least else None


def in_bytes(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Put a table into a byte for each weight, with the scale of each column."""
    scale = np.abs(table).max(axis=0, initial=1e-6) / LARGEST
    return np.round(table / scale).astype(np.int8), scale.astype(np.float32)


def save(weights: Weights, path: Path) -> None:
    """Write the weights, those of the units in a byte each."""
    inner, scale = in_bytes(weights.inner)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            names=np.frombuffer("\n".join(weights.names).encode(), dtype=np.uint8),
            plain=weights.plain.astype(np.float16),
            inner=inner,
            scale=scale,
            shift=weights.shift,
            outer=weights.outer,
            none=weights.none,
            taught=np.frombuffer(weights.taught.encode(), dtype=np.uint8),
        )


@cache
def load(name: str) -> Weights:
    """Read one of the models that are shipped. name : of the file"""
    data = files("ingest").joinpath("data", name).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as saved:
        return Weights(
            names=tuple(saved["names"].tobytes().decode().split("\n")),
            plain=saved["plain"].astype(np.float32),
            inner=saved["inner"] * saved["scale"],
            shift=saved["shift"],
            outer=saved["outer"],
            none=float(saved["none"]),
            taught=saved["taught"].tobytes().decode(),
            version=hashlib.sha256(data).hexdigest()[:8],
        )
