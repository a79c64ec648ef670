"""What the words around a place in a text say of it: a small linear model, learnt from labels.

Which of the times that somebody says dates the act, and which of the people is to blame, depends on
all the words around. A logistic regression over them, learnt from labelled complaints, knows more
ways to say it than hand-written patterns do (samples/complaints/README.md has the labels).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from io import BytesIO
from itertools import accumulate
from math import exp
from pathlib import Path

import numpy as np
import rjieba

from ingest.normalise.reading import Span
from ingest.normalise.term import clauses

LEFT, RIGHT = 8, 14  # signs beside a place whose pieces count by themselves
LONGEST_PIECE = 3
NEXT_WEIGHT, EARLIER_WEIGHT = 0.6, 0.4
STRENGTH = 1.0  # found by cross-validation, as the probabilities in dating.py and blame.py
LEAST_WEIGHT = 0.01

Features = dict[str, float]


@dataclass(frozen=True)
class Weights:
    """Weights by feature; what is not listed weighs nothing. version : of what was shipped"""

    by_name: dict[str, float] = field(default_factory=dict)
    bias: float = 0.0
    version: str = ""

    def probability(self, features: Features) -> float:
        """Give how likely it is that a place is one of those that are looked for."""
        weights = self.by_name
        odds = self.bias + sum(weights.get(name, 0.0) * value for name, value in features.items())
        return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))

    def choose(self, described: Iterable[Features], least: float) -> tuple[int, float] | None:
        """Give the likeliest place with its probability; None if none reaches the least."""
        likely = [self.probability(one) for one in described]
        best = max(likely, default=0.0)
        return (likely.index(best), best) if likely and best >= least else None


class Surroundings:
    """A text with its clauses and words, to describe places in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words: dict[Span, tuple[str, ...]] = {}

    @cached_property
    def _clauses(self) -> tuple[Span, ...]:
        return clauses(self.text)

    def of(self, span: Span) -> Features:
        """Describe what stands around a place: in its clause and in those beside it."""
        parts, text = self._clauses, self.text
        at = next((n for n, part in enumerate(parts) if part.overlaps(span)), 0)
        own = parts[at] if parts else span
        start, end = max(own.start, span.start), min(own.end, span.end)
        found: Features = dict.fromkeys(_beside(text[own.start : start], text[end : own.end]), 1.0)
        for name, part, weight in (
            ("before", Span(own.start, start), 1.0),
            ("behind", Span(end, own.end), 1.0),
            ("next", parts[at + 1] if at + 1 < len(parts) else None, NEXT_WEIGHT),
            ("earlier", parts[at - 1] if at else None, EARLIER_WEIGHT),
        ):
            if part is not None:
                found |= dict.fromkeys((f"{name} {word}" for word in self._cut(part)), weight)
        clause = "first" if not at else "last" if at == len(parts) - 1 else "inner"
        found[f"clause {clause}"] = 1.0
        found[f"begins {start in self._bounds(own)}, ends {end in self._bounds(own)}"] = 1.0
        return found

    def _bounds(self, part: Span) -> tuple[int, ...]:
        """Give where the words of a part begin and end: 村医 is no word of 村医疗站."""
        return tuple(accumulate(map(len, self._cut(part)), initial=part.start))

    def _cut(self, part: Span) -> tuple[str, ...]:
        if part not in self._words:
            self._words[part] = tuple(rjieba.cut(self.text[part.start : part.end]))
        return self._words[part]


def _beside(before: str, behind: str) -> Iterator[str]:
    """Give the pieces of signs directly beside a place, those that touch it apart."""
    left, right = before[-LEFT:], behind[:RIGHT]
    for length in range(1, LONGEST_PIECE + 1):
        yield f"touches before {left[-length:]}"
        yield f"touches behind {right[:length]}"
        for name, side in (("left", left), ("right", right)):
            for first in range(len(side) - length + 1):
                yield f"{name} {side[first : first + length]}"


def order(place: int, count: int) -> str:
    """Say where one of several places in a text stands."""
    return "only" if count == 1 else "later" if place else "first"


def fit(described: Sequence[Features], right: Sequence[bool]) -> Weights:
    """Learn from places, and which of them are those that are looked for."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    counts = Counter(name for one in described for name in one)
    kept = [{n: v for n, v in one.items() if counts[n] > 1} for one in described]
    vectoriser = DictVectorizer()
    matrix = vectoriser.fit_transform(kept)
    fitted = LogisticRegression(C=STRENGTH, max_iter=500).fit(matrix, right)
    names = vectoriser.get_feature_names_out()
    weights = {
        str(name): float(weight)
        for name, weight in zip(names, fitted.coef_[0], strict=True)
        if abs(weight) >= LEAST_WEIGHT
    }
    return Weights(weights, float(fitted.intercept_[0]))


def save(weights: Weights, path: Path) -> None:
    """Write the weights, in half precision."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            names=np.frombuffer("\n".join(weights.by_name).encode(), dtype=np.uint8),
            weights=np.array(list(weights.by_name.values()), dtype=np.float16),
            bias=weights.bias,
        )


@cache
def load(name: str) -> Weights:
    """Read one of the models that are shipped. name : of the file"""
    data = files("ingest").joinpath("data", name).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as saved:
        names = saved["names"].tobytes().decode().split("\n")
        by_name = dict(zip(names, map(float, saved["weights"]), strict=True))
        return Weights(by_name, float(saved["bias"]), hashlib.sha256(data).hexdigest()[:8])
