"""Languages that a tagger is taught later, each from some twenty recordings.

So few examples are weighed against all other languages by what so few can tell (plda.py), in
directions that hold for languages that nothing was learnt from, on what sounds they are made of
(sounds.py). Lengths are made equal first (Garcia-Romero and Espy-Wilson, 2011).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from models.transcript import UNKNOWN_LANGUAGE
from transcribe import discriminant, plda, sounds
from transcribe.example import Example, groups_of, tags_of
from transcribe.plda import Densities
from transcribe.sounds import Sounds, States, Vector

# Squared distance up to which two prototypes are of one language: those of dialects are up to so
# far apart, those of the nearest two languages further.
SAME = 33.0
COMPONENTS = 120
PARTS = 4  # of the background, each left out in turn
# How much a recording that is missed weighs beside one that is taken wrongly. Nothing is written in
# a language that was added, so that a wrong one reaches a listener all the same.
MISSED = 2.0
LEAST_BACKGROUND = 10  # languages that teach how well few examples tell one
# Where there were too few languages to learn from how few examples tell one: rather `und`.
BIAS, SLOPE = 0.0, 0.05


@dataclass(frozen=True)
class Newcomers:
    """Prototypes of languages by their sounds; the last ones are of those that were added.

    labels : tag of each prototype; taught : how many were taught together
    centre : shape = (n_features,); projection : shape = (n_features, n_directions)
    scale : shape = (n_directions,), by which the spread within a language becomes 1
    prototypes : shape = (n_prototypes, n_directions); counts : examples behind each
    bias, slope : of the log-odds of an added language, by how much it is favoured
    """

    sounds: Sounds
    labels: tuple[str, ...]
    taught: int
    centre: Vector
    projection: Vector
    scale: Vector
    prototypes: Vector
    counts: Vector
    bias: float = BIAS
    slope: float = SLOPE

    @property
    def tags(self) -> tuple[str, ...]:
        """Give the languages that were added."""
        return self.labels[self.taught :]

    @cached_property
    def densities(self) -> Densities:
        """Say where examples of each prototype's language are to be expected."""
        taught = slice(self.taught)
        between = plda.spread(self.prototypes[taught], self.counts[taught])
        return plda.densities(self.prototypes, self.counts, between)

    def hear(self, states: States) -> dict[str, float]:
        """Give the probability of each added language against all others."""
        if not self.tags:
            return {}
        logs = self.densities.of(self.places([states]))
        found = {}
        for number, tag in enumerate(self.tags, self.taught):
            favour = plda.favour(logs, number, *self.same(number))[0]
            found[tag] = float(expit(self.bias + self.slope * favour))
        total = max(1.0, sum(found.values()))
        return {tag: share / total for tag, share in found.items()}

    def same(self, number: int) -> list[int]:
        """List prototypes of the background that are an added language under another name."""
        apart = np.square(self.prototypes[: self.taught] - self.prototypes[number]).sum(axis=1)
        return [int(i) for i in np.flatnonzero(apart < SAME) if self.labels[i] == UNKNOWN_LANGUAGE]

    def places(self, windows: Sequence[States]) -> Vector:
        """Give where windows lie; shape = (n_windows, n_directions)."""
        return self.turned(np.stack([self.sounds.describe(states) for states in windows]))

    def turned(self, described: NDArray[np.floating]) -> Vector:
        """Give where descriptions lie; shape = (n_windows, n_directions)."""
        turned = (described - self.centre) @ self.projection
        lengths = np.linalg.norm(turned, axis=1, keepdims=True)
        return np.asarray(turned / np.maximum(lengths, 1e-9) * self.scale, np.float32)

    def add(self, examples: Sequence[Example]) -> Newcomers:
        """Add languages.

        One that was part of the background under another name keeps its prototype there.
        """
        places = self.places([one.states for one in examples])
        return self._with(places, groups_of(examples), tags_of(examples))

    def _with(
        self, places: NDArray[np.floating], groups: NDArray[np.str_], tags: Mapping[str, str]
    ) -> Newcomers:
        """Add languages by where examples of theirs lie. tags : by group"""
        fresh = discriminant.middles(places, groups).astype(np.float32)
        return replace(
            self,
            labels=(*self.labels, *tags.values()),
            prototypes=np.concatenate([self.prototypes, fresh]),
            counts=np.concatenate([self.counts, discriminant.counts(groups)]),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what is to be stored; in half precision, since these are estimates."""
        return {
            **self.sounds.arrays(),
            "newcomers_labels": np.array(self.labels),
            "newcomers_taught": np.array(self.taught),
            "newcomers_centre": self.centre.astype(np.float16),
            "newcomers_projection": self.projection.astype(np.float16),
            "newcomers_scale": self.scale.astype(np.float32),
            "newcomers_prototypes": self.prototypes.astype(np.float16),
            "newcomers_counts": self.counts.astype(np.float32),
            "newcomers_odds": np.array([self.bias, self.slope]),
        }


def read(saved: Mapping[str, NDArray[Any]]) -> Newcomers:
    """Read what `Newcomers.arrays` gave."""
    return Newcomers(
        sounds=sounds.read(saved),
        labels=tuple(str(label) for label in saved["newcomers_labels"]),
        taught=int(saved["newcomers_taught"]),
        centre=saved["newcomers_centre"].astype(np.float32),
        projection=saved["newcomers_projection"].astype(np.float32),
        scale=saved["newcomers_scale"].astype(np.float32),
        prototypes=saved["newcomers_prototypes"].astype(np.float32),
        counts=saved["newcomers_counts"].astype(np.float32),
        bias=float(saved["newcomers_odds"][0]),
        slope=float(saved["newcomers_odds"][1]),
    )


def learn(fitted: Sequence[Example], kept: Sequence[Example]) -> Newcomers:
    """Learn how languages differ by their sounds. kept : to calibrate with"""
    sorts = sounds.learn([one.states for one in fitted])
    taught, asked = _Described.of(sorts, fitted), _Described.of(sorts, kept)
    bias, slope = _odds(sorts, taught, asked)
    return replace(_space(sorts, taught), bias=bias, slope=slope)


@dataclass(frozen=True)
class _Described:
    """Examples by their sounds. rows : shape = (n_examples, n_features); tags : by group"""

    rows: Vector
    groups: NDArray[np.str_]
    tags: dict[str, str]

    @classmethod
    def of(cls, sorts: Sounds, examples: Sequence[Example]) -> _Described:
        """Describe examples."""
        rows = np.stack([sorts.describe(one.states) for one in examples])
        return cls(rows, groups_of(examples), tags_of(examples))

    def only(self, names: Collection[str]) -> _Described:
        """Keep some groups."""
        kept = np.isin(self.groups, list(names))
        tags = {name: tag for name, tag in self.tags.items() if name in names}
        return _Described(self.rows[kept], self.groups[kept], tags)


def _space(sorts: Sounds, taught: _Described) -> Newcomers:
    """Find directions, and where languages lie in them."""
    centre, projection = discriminant.directions(taught.rows, taught.groups, COMPONENTS)
    labels, count = tuple(taught.tags.values()), discriminant.counts(taught.groups)
    nothing = np.zeros((len(labels), projection.shape[1]), np.float32)
    ones = np.ones(projection.shape[1], np.float32)
    plain = Newcomers(sorts, labels, len(labels), centre, projection, ones, nothing, count)
    places = plain.turned(taught.rows)
    means = discriminant.middles(places, taught.groups)
    within = (places - means[np.searchsorted(list(taught.tags), taught.groups)]).std(axis=0)
    scale = (1 / np.maximum(within, 1e-6)).astype(np.float32)
    return replace(plain, scale=scale, prototypes=(means * scale).astype(np.float32))


def _odds(sorts: Sounds, taught: _Described, asked: _Described) -> tuple[float, float]:
    """Fit bias and slope in the log-odds of a language that is added from few examples.

    Some languages of the background at a time are left out of what directions are found from. Each
    of them is added by itself, and asked for with its own held-back examples, with those of the
    others that were left out, which are still unknown then, and with those of all the rest.
    """
    names = [
        name for name, tag in taught.tags.items() if tag == UNKNOWN_LANGUAGE and name in asked.tags
    ]
    if len(names) < LEAST_BACKGROUND:
        return BIAS, SLOPE
    ours: list[NDArray[np.float64]] = []
    unknown: list[NDArray[np.float64]] = []
    known: list[NDArray[np.float64]] = []
    for first in range(PARTS):
        left = names[first::PARTS]
        rest = [name for name in taught.tags if name not in left]
        space = _space(sorts, taught.only(rest))
        places = space.turned(asked.rows)
        for name in left:
            own = taught.only([name])
            grown = space._with(space.turned(own.rows), own.groups, own.tags)
            dialects = grown.same(grown.taught)
            favour = plda.favour(grown.densities.of(places), grown.taught, *dialects)
            near = np.isin(asked.groups, [rest[number] for number in dialects])
            ours.append(favour[asked.groups == name])
            unknown.append(favour[np.isin(asked.groups, left) & (asked.groups != name)])
            known.append(favour[np.isin(asked.groups, rest) & ~near])
    right, strange, other = map(np.concatenate, (ours, unknown, known))

    def loss(found: NDArray[np.float64]) -> float:
        def missed(favours: NDArray[np.float64], sign: int) -> float:
            return float(np.logaddexp(0, sign * (found[0] + found[1] * favours)).mean())

        return MISSED * missed(right, -1) + (missed(strange, 1) + missed(other, 1)) / 2

    bias, slope = minimize(loss, (BIAS, SLOPE), bounds=[(None, None), (0.0, None)]).x
    return float(bias), float(slope)
