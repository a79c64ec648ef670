"""Whether a time dates what is complained of, by the words around it: a small linear model.

People say when the road was built, when they came home and when they asked, beside when it
happened or instead. Rules know the plain cases (when.py, errand.py); this weighs all words of the
clause and of its neighbours, learnt from labelled complaints by logistic regression.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from io import BytesIO
from math import exp
from pathlib import Path

import numpy as np
import rjieba

from ingest.normalise.reading import Span
from ingest.normalise.term import clauses
from ingest.normalise.times import Found

MODEL_FILE = "dating.npz"
LEFT, RIGHT = 8, 14  # signs beside a time whose pieces count by themselves
LONGEST_PIECE = 3
NEXT_WEIGHT, EARLIER_WEIGHT = 0.6, 0.4
OLDEST = 10
STRENGTH = 0.3  # found by cross-validation, as the two probabilities in when.py
LEAST_WEIGHT = 0.01
_NUMBER = re.compile(r"[一二三四五六七八九十〇零两\d]+")

Features = dict[str, float]


@dataclass(frozen=True)
class Dating:
    """Weights by feature; what is not listed weighs nothing."""

    weights: dict[str, float] = field(default_factory=dict)
    bias: float = 0.0

    def probability(self, features: Features) -> float:
        """Give how likely a time dates the act."""
        odds = self.bias + sum(
            self.weights.get(name, 0.0) * value for name, value in features.items()
        )
        return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


def features(text: str, every: Sequence[Found], place: int, received: date) -> Features:
    """Describe the words around one of a text's times. place : which one"""
    one = every[place]
    parts = clauses(text)
    at = next((n for n, part in enumerate(parts) if part.overlaps(one.span)), 0)
    own = parts[at] if parts else one.span
    start, end = max(own.start, one.span.start), min(own.end, one.span.end)
    found: Features = dict.fromkeys(_beside(text[own.start : start], text[end : own.end]), 1.0)
    for name, span, weight in (
        ("before", Span(own.start, start), 1.0),
        ("behind", Span(end, own.end), 1.0),
        ("next", parts[at + 1] if at + 1 < len(parts) else None, NEXT_WEIGHT),
        ("earlier", parts[at - 1] if at else None, EARLIER_WEIGHT),
    ):
        if span is not None:
            words = rjieba.cut(text[span.start : span.end])
            found |= dict.fromkeys((f"{name} {word}" for word in words), weight)
    years = min(received.year - one.interval.start.year, OLDEST)
    order = "only" if len(every) == 1 else "first" if not place else "later"
    clause = "first" if not at else "last" if at == len(parts) - 1 else "inner"
    said = _NUMBER.sub("#", text[one.span.start : one.span.end])
    for name in (
        f"said {said}",
        f"precision {one.interval.precision}",
        f"precision {one.interval.precision} {order}",
        f"years {years}",
        f"order {order}",
        f"clause {clause}",
    ):
        found[name] = 1.0
    return found


def _beside(before: str, behind: str) -> Iterator[str]:
    """Give the pieces of signs directly beside a time, those that touch it apart."""
    left, right = before[-LEFT:], behind[:RIGHT]
    for length in range(1, LONGEST_PIECE + 1):
        yield f"touches before {left[-length:]}"
        yield f"touches behind {right[:length]}"
        for name, side in (("left", left), ("right", right)):
            for first in range(len(side) - length + 1):
                yield f"{name} {side[first : first + length]}"


def fit(described: Sequence[Features], right: Sequence[bool]) -> Dating:
    """Learn from the times of complaints, and which of them date the act."""
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
    return Dating(weights, float(fitted.intercept_[0]))


def save(dating: Dating, path: Path) -> None:
    """Write the weights, in half precision."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            names=np.frombuffer("\n".join(dating.weights).encode(), dtype=np.uint8),
            weights=np.array(list(dating.weights.values()), dtype=np.float16),
            bias=dating.bias,
        )


@cache
def load() -> Dating:
    """Read the model that is shipped."""
    data = files("ingest").joinpath("data", MODEL_FILE).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as saved:
        names = saved["names"].tobytes().decode().split("\n")
        return Dating(
            dict(zip(names, map(float, saved["weights"]), strict=True)),
            float(saved["bias"]),
        )
