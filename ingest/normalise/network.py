"""A small network that reads a whole text and tells which of its times and people are looked for.

It reads sign by sign, with every time and everybody found marked, through convolutions with gates
(Dauphin et al., 2017) that skip more signs layer by layer (Yu and Koltun, 2016). A place is then
known by its two ends, by its mean and by the strongest of the whole text. Sums of features
(weighing.py) know more words; this knows their order and the rest of the text. Each finds what the
other misses, so that the mean of the two is what counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ingest.normalise.model import Floats
from ingest.normalise.reading import Span
from ingest.normalise.weighing import in_bytes, shares

MODEL_FILE = "network.npz"
DILATIONS = (1, 2, 4, 8)
TAPS = 3  # signs that a convolution sees at once
KINDS = ("day", "week", "month", "season", "year", "range", "person")
MARKS = 1 + 2 * len(KINDS)  # none, and where each kind begins and goes on
LEAST_VARIANCE = 1e-5  # added to each (Ba et al., 2016), as torch does


@dataclass(frozen=True)
class Place:
    """A time or a person in a text. kind : one of KINDS"""

    span: Span
    kind: str


@dataclass(frozen=True)
class Opinion:
    """How likely each of a text's times dates the act, and each of its people is to blame."""

    times: tuple[float, ...]
    people: tuple[float, ...]


@dataclass(frozen=True)
class Network:
    """The network.

    signs : those it knows; parts : its weights by name, as workers.teaching names them
    taught : names what it learnt from; version : of what was shipped
    """

    signs: str
    parts: dict[str, Floats]
    taught: str = ""
    version: str = ""

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {sign: row for row, sign in enumerate(self.signs, 1)}

    def read(self, text: str, times: Sequence[Place], people: Sequence[Place]) -> Opinion:
        """Read a text; what is left of each sum is for none of the places."""
        if not times and not people:
            return Opinion((), ())
        states = self._states(text, (*people, *times))
        whole = states.max(axis=0)
        return Opinion(
            tuple(self._likely("time", states, whole, times)),
            tuple(self._likely("person", states, whole, people)),
        )

    def rows(self, text: str) -> list[int]:
        """Give the row of each sign; 0 is a sign that it does not know, and any digit is one."""
        return [self._rows.get("0" if sign.isdigit() else sign, 0) for sign in text]

    def _states(self, text: str, places: Sequence[Place]) -> Floats:
        """Give what it has for each sign. shape = (n_signs, n_units)"""
        parts = self.parts
        found = np.hstack(
            [parts["signs"][self.rows(text)], parts["marks"][marks(len(text), places)]]
        )
        states = found @ parts["into"] + parts["into_shift"]
        for layer, dilation in enumerate(DILATIONS):
            value, gate = np.hsplit(self._convolved(states, layer, dilation), 2)
            states += value * (1 + np.tanh(gate / 2)) / 2  # the logistic function, never too large
        return states

    def _convolved(self, states: Floats, layer: int, dilation: int) -> Floats:
        """Give values and gates of a layer side by side. shape = (n_signs, 2 * n_units)"""
        parts, (signs, units) = self.parts, states.shape
        padded = np.zeros((signs + (TAPS - 1) * dilation, units), np.float32)
        even = padded[dilation : dilation + signs]
        np.subtract(states, states.mean(axis=1, keepdims=True), out=even)
        even /= np.sqrt(np.einsum("su,su->s", even, even) / units + LEAST_VARIANCE)[:, None]
        even *= parts[f"gain{layer}"]
        even += parts[f"lift{layer}"]
        taps = np.split(parts[f"taps{layer}"], TAPS)
        seen = [padded[tap * dilation :][:signs] @ taps[tap] for tap in range(TAPS)]
        return np.asarray(sum(seen[1:], seen[0]) + parts[f"shift{layer}"], np.float32)

    def _likely(
        self, what: str, states: Floats, whole: Floats, places: Sequence[Place]
    ) -> list[float]:
        described = [
            np.concatenate(
                [
                    states[one.span.start],
                    states[one.span.end - 1],
                    states[one.span.start : one.span.end].mean(axis=0),
                    whole,
                ]
            )
            for one in places
        ]
        none = self._score(f"no_{what}", whole)
        return shares([self._score(what, one) for one in described], none)

    def _score(self, head: str, described: Floats) -> float:
        parts = self.parts
        hidden = np.maximum(described @ parts[f"{head}_inner"] + parts[f"{head}_shift"], 0)
        return float(hidden @ parts[f"{head}_outer"] + parts[f"{head}_end"][0])


def marks(length: int, places: Sequence[Place]) -> list[int]:
    """Give the mark of each sign: what begins or goes on there. A later place covers others."""
    found = [0] * length
    for place in places:
        begins = 1 + 2 * KINDS.index(place.kind)
        for at in range(place.span.start, place.span.end):
            found[at] = begins if at == place.span.start else begins + 1
    return found


def save(network: Network, path: Path) -> None:
    """Write the network, its tables in a byte each."""
    stored: dict[str, Any] = {}
    for name, part in network.parts.items():
        if part.ndim == 1:
            stored[name] = part.astype(np.float32)
        else:
            stored[name], stored[f"{name}|scale"] = in_bytes(part)
    told = {"known": network.signs, "taught": network.taught}
    stored |= {name: np.frombuffer(said.encode(), np.uint8) for name, said in told.items()}
    with path.open("wb") as file:
        np.savez_compressed(file, **stored)


@cache
def load() -> Network:
    """Read the network that is shipped."""
    data = files("ingest").joinpath("data", MODEL_FILE).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as saved:
        stored = dict(saved.items())
    known, taught = (stored.pop(name).tobytes().decode() for name in ("known", "taught"))
    parts = {
        name: part * stored[f"{name}|scale"] if f"{name}|scale" in stored else part
        for name, part in stored.items()
        if not name.endswith("|scale")
    }
    return Network(known, parts, taught, hashlib.sha256(data).hexdigest()[:8])
