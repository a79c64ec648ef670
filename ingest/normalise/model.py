"""A small linear model over character n-grams and lexicon scores, kept as one data file.

Features are the presence of n-grams of characters and of folded sounds (so that a word heard with
other characters still counts), hashed to a fixed number of places, and the lexicon's score for
each code. Two multinomial logistic regressions share them: one for domains, one for conducts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.normalise.sound import is_han, syllable
from ingest.normalise.term import Hit

PLACES = 1 << 13
CHARACTER_GRAMS = (1, 2, 3)
SOUND_GRAMS = (2, 3)
FULL_SCORE = 8.0
MODEL_FILE = "matters.npz"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """The weights for one list of codes.

    grams : float32, shape = (PLACES, n_codes); scores : shape = (n_codes, n_codes), from the
    lexicon's scores; bias : shape = (n_codes,); temperature : divides the logits, so that the
    probabilities are as often right as they say
    """

    codes: tuple[str, ...]
    grams: Floats
    scores: Floats
    bias: Floats
    temperature: float

    def probabilities(self, grams: NDArray[np.int64], scores: Floats) -> Floats:
        """Give the probability of each code. grams : places present; scores : shape = (n_codes,)."""
        value = 1.0 / np.sqrt(max(1, len(grams)))
        logits = self.grams[grams].sum(axis=0) * value + scores @ self.scores + self.bias
        logits = logits / self.temperature
        powers = np.exp(logits - logits.max())
        return (powers / powers.sum()).astype(np.float32)


@dataclass(frozen=True)
class Model:
    """Both heads and the version that records remember."""

    version: str
    domain: Head
    conduct: Head


def grams(text: str) -> Iterator[tuple[int, int, int]]:
    """Give the n-grams of a text as (place in the model, first character, one behind the last)."""
    for run_start, run in _runs(text):
        syllables = [syllable(character) for character in run]
        for size in CHARACTER_GRAMS:
            for start in range(len(run) - size + 1):
                yield _place(run[start : start + size]), run_start + start, run_start + start + size
        for size in SOUND_GRAMS:
            for start in range(len(run) - size + 1):
                said = "'".join(syllables[start : start + size])
                yield _place("~" + said), run_start + start, run_start + start + size


def present(text: str) -> NDArray[np.int64]:
    """Give the places of the n-grams that a text has, each once, in order."""
    return np.array(sorted({place for place, *_ in grams(text)}), dtype=np.int64)


def scores(hits: tuple[Hit, ...], codes: tuple[str, ...]) -> Floats:
    """Give the lexicon's score for each code, 0..1; the same term counts once."""
    totals = dict.fromkeys(codes, 0.0)
    seen = set()
    for hit in hits:
        key = (hit.code, hit.term)
        if key not in seen and hit.code in totals:
            seen.add(key)
            totals[hit.code] += hit.weight
    return np.array([min(totals[code] / FULL_SCORE, 1.5) for code in codes], dtype=np.float32)


def save(model: Model, path: Path) -> None:
    """Write the model with weights of eight bits, a scale for each code."""
    arrays: dict[str, NDArray[np.generic]] = {"version": np.array(model.version)}
    for name, head in (("domain", model.domain), ("conduct", model.conduct)):
        scale = np.abs(head.grams).max(axis=0) / 127.0 + 1e-12
        arrays[f"{name}_codes"] = np.array(head.codes)
        arrays[f"{name}_grams"] = np.round(head.grams / scale).astype(np.int8)
        arrays[f"{name}_scale"] = scale.astype(np.float32)
        arrays[f"{name}_scores"] = head.scores.astype(np.float32)
        arrays[f"{name}_bias"] = head.bias.astype(np.float32)
        arrays[f"{name}_temperature"] = np.array(head.temperature, dtype=np.float32)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read(data: bytes) -> Model:
    """Read a model as `save` wrote it."""
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        heads = [
            Head(
                codes=tuple(str(code) for code in arrays[f"{name}_codes"]),
                grams=arrays[f"{name}_grams"].astype(np.float32) * arrays[f"{name}_scale"],
                scores=arrays[f"{name}_scores"],
                bias=arrays[f"{name}_bias"],
                temperature=float(arrays[f"{name}_temperature"]),
            )
            for name in ("domain", "conduct")
        ]
        return Model(str(arrays["version"]), *heads)


@cache
def load() -> Model:
    """Read the model that is shipped."""
    return read(files("ingest").joinpath("data", MODEL_FILE).read_bytes())


def _runs(text: str) -> Iterator[tuple[int, str]]:
    """Give the stretches of letters and characters between everything else; digits are one sign."""
    start, run = 0, ""
    for position, character in enumerate(text):
        if is_han(character) or character.isalpha():
            if not run:
                start = position
            run += character
        elif run:
            yield start, run
            run = ""
    if run:
        yield start, run


def _place(gram: str) -> int:
    return zlib.crc32(gram.encode()) % PLACES
