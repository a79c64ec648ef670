"""Learn from labelled texts which of their places are those looked for: see weighing.py.

Features are left out at random while it learns, and units too (Srivastava et al., 2014), so that no
single one decides; Adam with decoupled weight decay (Loshchilov and Hutter, 2019). Whatever is
given here was found by cross-validation over the training complaints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ingest.normalise.model import Floats
from ingest.normalise.surroundings import Features
from ingest.normalise.weighing import Weights

SEED = 7
MEMBERS, UNITS = 4, 8
LEAST_SEEN = 3  # a feature of one place or two teaches little but those
MOST_FEATURES = 13_000  # the most frequent, so that a model stays small
ROUNDS = 12
BATCH = 32  # texts
RATE, WARM_STEPS = 3e-3, 50
DECAY = 0.05
LEFT_OUT_FEATURES, LEFT_OUT_UNITS = 0.3, 0.5
FIRST_MOMENT, SECOND_MOMENT = 0.9, 0.999
TINY = 1e-8

Parameters = dict[str, Floats]


@dataclass(frozen=True)
class Lessons:
    """Texts to learn from: the features of each one's places, and which are right, if any."""

    described: list[Sequence[Features]] = field(default_factory=list)
    right: list[Sequence[bool]] = field(default_factory=list)

    def add(self, described: Sequence[Features], right: Sequence[bool]) -> None:
        """Take one more text; one without places teaches nothing."""
        if described:
            self.described.append(described)
            self.right.append(right)


@dataclass(frozen=True)
class _Batch:
    """Places of some texts. found : features; owner : each one's text; right : by place"""

    found: csr_matrix
    owner: NDArray[np.intp]
    right: NDArray[np.bool_]
    texts: int


def fit(lessons: Lessons) -> Weights:
    """Learn; the same lessons give the same weights, but for the arithmetic of the machine.

    Several networks begin at different places and are joined into one that gives the mean of their
    scores: one alone depends on where it began (Hansen and Salamon, 1990). Nothing to learn from
    gives weights that say nothing.
    """
    if not lessons.described:
        return Weights()
    counts = Counter(name for text in lessons.described for place in text for name in place)
    often = [(-count, name) for name, count in counts.items() if count >= LEAST_SEEN]
    names = tuple(sorted(name for _, name in sorted(often)[:MOST_FEATURES]))
    found = [_learn(lessons, names, np.random.default_rng(SEED + n)) for n in range(MEMBERS)]
    return Weights(
        names=names,
        plain=np.mean([one["plain"] for one in found], axis=0),
        inner=np.concatenate([one["inner"] for one in found], axis=1),
        shift=np.concatenate([one["shift"] for one in found]),
        outer=np.concatenate([one["outer"] / np.float32(MEMBERS) for one in found]),
        none=float(np.mean([one["none"] for one in found])),
    )


def _learn(lessons: Lessons, names: Sequence[str], rng: np.random.Generator) -> Parameters:
    own: Parameters = {
        "inner": rng.normal(0, 0.1, (len(names), UNITS)).astype(np.float32),
        "shift": np.zeros(UNITS, np.float32),
        "outer": rng.normal(0, UNITS**-0.5, UNITS).astype(np.float32),
        "plain": np.zeros(len(names), np.float32),
        "none": np.zeros(1, np.float32),
    }
    steps = ROUNDS * -(-len(lessons.described) // BATCH)
    adam = _Adam(own)
    for step, batch in enumerate(_batches(lessons, names, rng), 1):
        rate = RATE * min(1, step / WARM_STEPS) * (1 - (step - 1) / steps)
        adam.step(_gradients(own, batch, rng), rate)
    return own


def _batches(lessons: Lessons, names: Sequence[str], rng: np.random.Generator) -> Iterator[_Batch]:
    """Give all texts in a new order each round, with some of the features left out."""
    rows = {name: row for row, name in enumerate(names)}
    found = _matrix([place for text in lessons.described for place in text], rows)
    right = np.concatenate([np.asarray(own, bool) for own in lessons.right])
    sizes = np.array([len(own) for own in lessons.right])
    first = np.cumsum(sizes) - sizes
    for _ in range(ROUNDS):
        order = rng.permutation(len(sizes))
        for start in range(0, len(order), BATCH):
            texts = order[start : start + BATCH]
            places = np.concatenate([np.arange(first[t], first[t] + sizes[t]) for t in texts])
            part = found[places].copy()
            kept = rng.random(len(part.data)) >= LEFT_OUT_FEATURES
            part.data *= kept / (1 - LEFT_OUT_FEATURES)
            owner = np.repeat(np.arange(len(texts)), sizes[texts])
            yield _Batch(part, owner, right[places], len(texts))


def _matrix(places: Sequence[Features], rows: dict[str, int]) -> csr_matrix:
    """Put features into rows. shape = (n_places, n_features)"""
    known = [[(rows[name], value) for name, value in p.items() if name in rows] for p in places]
    columns = [column for place in known for column, _ in place]
    values = np.array([value for place in known for _, value in place], np.float32)
    ends = np.cumsum([0, *map(len, known)])
    return csr_matrix((values, columns, ends), shape=(len(places), len(rows)))


def _gradients(own: Parameters, batch: _Batch, rng: np.random.Generator) -> Parameters:
    """Give the gradients of the mean surprise at which place is right, or that none is."""
    found, owner = batch.found, batch.owner
    units = found @ own["inner"] + own["shift"]
    kept = (units > 0) * (rng.random(units.shape) >= LEFT_OUT_UNITS) / (1 - LEFT_OUT_UNITS)
    active = (units * kept).astype(np.float32)
    share, none = _shares(active @ own["outer"] + found @ own["plain"], own["none"][0], batch)
    hit = np.bincount(owner, share * batch.right, batch.texts)
    any_right = np.bincount(owner, batch.right, batch.texts) > 0
    wanted = np.where(any_right[owner], share * batch.right / np.maximum(hit, TINY)[owner], 0)
    off = ((share - wanted) / batch.texts).astype(np.float32)
    inside = ((off[:, None] * own["outer"]) * kept).astype(np.float32)
    return {
        "inner": found.T @ inside,
        "shift": inside.sum(axis=0),
        "outer": active.T @ off,
        "plain": found.T @ off,
        "none": np.array([np.mean(none - ~any_right)], np.float32),
    }


def _shares(
    scores: NDArray[np.floating], none: float, batch: _Batch
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Give the probability of each place, and of none by text."""
    top = np.full(batch.texts, none, np.float64)
    np.maximum.at(top, batch.owner, scores)
    masses, nothing = np.exp(scores - top[batch.owner]), np.exp(none - top)
    total = nothing + np.bincount(batch.owner, masses, batch.texts)
    return masses / total[batch.owner], nothing / total


class _Adam:
    """Moves parameters, in place, against their gradients."""

    def __init__(self, own: Parameters) -> None:
        self._own = own
        self._mean = {name: np.zeros_like(array) for name, array in own.items()}
        self._square = {name: np.zeros_like(array) for name, array in own.items()}
        self._step = 0

    def step(self, gradients: Parameters, rate: float) -> None:
        """Take one step."""
        self._step += 1
        for name, gradient in gradients.items():
            mean, square, own = self._mean[name], self._square[name], self._own[name]
            mean += (1 - FIRST_MOMENT) * (gradient - mean)
            square += (1 - SECOND_MOMENT) * (np.square(gradient) - square)
            certain = 1 - FIRST_MOMENT**self._step
            spread = np.sqrt(square / (1 - SECOND_MOMENT**self._step)) + TINY
            own -= rate * (mean / certain / spread + DECAY * own)
