"""A small linear model over pieces of the text and lexicon scores, kept as one data file.

The pieces are single characters and pairs, words, and pairs of folded syllables, so that a word
heard with other characters still counts. Each kind of piece is weighed by how rare it is and has
length one (tf-idf; G. Salton and C. Buckley 1988). Two linear classifiers share the pieces, one for
domains and one for conducts; each sets every code against the rest (squared hinge; R.-E. Fan et
al., "LIBLINEAR", 2008).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from io import BytesIO
from itertools import pairwise
from math import log, sqrt
from pathlib import Path

import numpy as np
import rjieba
from numpy.typing import NDArray

from ingest.normalise.sound import is_han, syllable
from ingest.normalise.term import Hit

FULL_SCORE = 8.0
HIGHEST_SCORE = 1.5
MODEL_FILE = "matters.npz"
KINDS = ("c", "w", "s")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """What a model sees of a text. rows : places in its vocabulary; values : their weights."""

    rows: NDArray[np.int64]
    values: Floats


@dataclass(frozen=True)
class Vocabulary:
    """The pieces that a model knows, and how rare each is."""

    names: tuple[str, ...]
    rarity: Floats
    rows: dict[str, int] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, names: tuple[str, ...], rarity: Floats) -> Vocabulary:
        """Make a vocabulary with its index."""
        return cls(names, rarity, {name: row for row, name in enumerate(names)})

    @cached_property
    def _rarity(self) -> list[float]:
        return [float(rarity) for rarity in self.rarity]  # looked up one by one

    def features(self, text: str) -> Features:
        """Weigh the known pieces of a text, each kind to length one."""
        known: dict[str, dict[int, float]] = {kind: {} for kind in KINDS}
        for name, times in Counter(pieces(text)).items():
            row = self.rows.get(name)
            if row is not None:
                known[name[0]][row] = (1 + log(times)) * self._rarity[row]
        rows: list[int] = []
        values: list[float] = []
        for weighed in known.values():
            length = sqrt(sum(value * value for value in weighed.values())) or 1.0
            rows += weighed
            values += [value / length for value in weighed.values()]
        return Features(np.array(rows, dtype=np.int64), np.array(values, dtype=np.float32))


@dataclass(frozen=True)
class Head:
    """The weights for one list of codes.

    pieces : float32, shape = (n_pieces, n_codes); scores : shape = (n_codes, n_codes), from the
    lexicon's scores; bias : shape = (n_codes,); temperature : divides the logits, so that the
    probabilities are as often right as they say; threshold : the least probability at which a code
    is filled in, so that those filled in are right often enough
    """

    codes: tuple[str, ...]
    pieces: Floats
    scores: Floats
    bias: Floats
    temperature: float
    threshold: float

    def probabilities(self, features: Features, scores: Floats) -> Floats:
        """Give the probability of each code. scores : shape = (n_codes,)"""
        logits = features.values @ self.pieces[features.rows] + scores @ self.scores + self.bias
        logits = logits / self.temperature
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum(), dtype=np.float32)


@dataclass(frozen=True)
class Model:
    """Both heads over one vocabulary, and the version that records remember."""

    version: str
    vocabulary: Vocabulary
    domain: Head
    conduct: Head


def pieces(text: str) -> list[str]:
    """Cut a text into its pieces, each behind its kind; none reaches across what is no letter."""
    found = ["w" + word for word in rjieba.cut(text) if any(map(is_han, word))]
    for run in _runs(text):
        heard = [syllable(character) if is_han(character) else "" for character in run]
        found += ["c" + character for character in run]
        found += ["c" + one + other for one, other in pairwise(run)]
        found += [f"s{one}'{other}" for one, other in pairwise(heard) if one and other]
    return found


def scores(hits: tuple[Hit, ...], codes: tuple[str, ...]) -> Floats:
    """Give the lexicon's score for each code; the same term counts once."""
    totals = dict.fromkeys(codes, 0.0)
    seen = set()
    for hit in hits:
        key = (hit.code, hit.term)
        if key not in seen and hit.code in totals:
            seen.add(key)
            totals[hit.code] += hit.weight
    return np.array(
        [min(totals[code] / FULL_SCORE, HIGHEST_SCORE) for code in codes], dtype=np.float32
    )


def save(model: Model, path: Path) -> None:
    """Write the model with weights of eight bits, a scale for each code."""
    arrays: dict[str, NDArray[np.generic]] = {
        "version": np.array(model.version),
        "names": np.frombuffer("\n".join(model.vocabulary.names).encode(), dtype=np.uint8),
        "rarity": model.vocabulary.rarity.astype(np.float16),
    }
    for name, head in (("domain", model.domain), ("conduct", model.conduct)):
        scale = np.abs(head.pieces).max(axis=0) / 127.0 + 1e-12
        arrays[f"{name}_codes"] = np.array(head.codes)
        arrays[f"{name}_pieces"] = np.round(head.pieces / scale).astype(np.int8)
        arrays[f"{name}_scale"] = scale.astype(np.float32)
        arrays[f"{name}_scores"] = head.scores.astype(np.float32)
        arrays[f"{name}_bias"] = head.bias.astype(np.float32)
        arrays[f"{name}_temperature"] = np.array(head.temperature, dtype=np.float32)
        arrays[f"{name}_threshold"] = np.array(head.threshold, dtype=np.float32)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read(data: bytes) -> Model:
    """Read a model as `save` wrote it."""
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        names = tuple(arrays["names"].tobytes().decode().split("\n"))
        domain, conduct = (
            Head(
                codes=tuple(str(code) for code in arrays[f"{name}_codes"]),
                pieces=arrays[f"{name}_pieces"].astype(np.float32) * arrays[f"{name}_scale"],
                scores=arrays[f"{name}_scores"],
                bias=arrays[f"{name}_bias"],
                temperature=float(arrays[f"{name}_temperature"]),
                threshold=round(float(arrays[f"{name}_threshold"]), 2),
            )
            for name in ("domain", "conduct")
        )
        vocabulary = Vocabulary.of(names, arrays["rarity"].astype(np.float32))
        return Model(str(arrays["version"]), vocabulary, domain, conduct)


@cache
def load() -> Model:
    """Read the model that is shipped."""
    return read(files("ingest").joinpath("data", MODEL_FILE).read_bytes())


def _runs(text: str) -> list[str]:
    """Give the stretches of letters between everything else."""
    return "".join(sign if sign.isalpha() else " " for sign in text).split()
