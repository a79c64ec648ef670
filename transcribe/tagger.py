"""A small judge of languages on what the encoder computes anyway, with a class for all others.

The mean and the deviation of a window's encoder states are projected to where languages differ and
speakers do not (linear discriminant analysis over many languages), and compared with a prototype
of each language. Those of languages that the pack does not know, and of sounds that are no speech,
together make the background, `und`; what is far from every prototype counts to it as well. Some
twenty recordings suffice for a further language, which is then weighed against all others by what
so few can tell (plda.py). What is saved holds directions and prototypes of
whole languages, and nothing of one speaker; embeddings exist only while a function here runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from models.errors import Misconfigured
from models.transcript import NO_LANGUAGE, UNKNOWN_LANGUAGE, Likely
from transcribe import plda
from transcribe.plda import Densities
from transcribe.whisper import Encoded

FILE = "tagger.npz"
VERSION = 5
# Squared distance up to which two prototypes are of one language: the spread within a language is 1
# in each direction, and those of the nearest two languages are 60 and more apart.
SAME = 40.0
# Where there were too few languages to learn from how few examples tell one: rather `und`.
ADDED_BIAS, ADDED_SLOPE = 0.0, 0.05
# Beyond these no text is unusually bad or good: scores have long tails.
WORST, BEST = -12.0, 1.0

Vector = NDArray[np.float32]
Usual = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Belief:
    """What the text of a window says of whether its language is installed: weights of log-odds.

    slope, spelling : of how many spreads average_logprob, and the text's spelling, lie beside what
    is usual in the language; heard : of the log-odds from prototypes beside these
    """

    bias: float = 0.0
    slope: float = 0.0
    spelling: float = 0.0
    heard: float = 1.0


NOTHING_TO_SAY = Belief()


@dataclass(frozen=True)
class Tagger:
    """Directions and prototypes.

    labels : tag of each prototype; several may share `und`, and NO_LANGUAGE stands for no speech
    centre : shape = (n_features,); projection : shape = (n_features, n_directions)
    prototypes : shape = (n_prototypes, n_directions), in units of the spread within a language
    counts : examples behind each prototype, shape = (n_prototypes,)
    taught : how many of the prototypes were taught together; later ones are added languages
    limit : squared distance from which a sound is likelier none of the prototypes'
    temperature : what scores are divided by, so that probabilities are honest
    usual : middle and spread of average_logprob by language; "" for one that is not listed
    usual_spelling : the same of spelling.Spelling.usual, for languages with letters
    written, spelt : what a text says, without and with a figure for its spelling
    added_bias, added_slope : of the log-odds of an added language, by how much it is favoured
    """

    labels: tuple[str, ...]
    centre: Vector
    projection: Vector
    prototypes: Vector
    counts: Vector
    taught: int
    limit: float
    temperature: float
    written: Belief = NOTHING_TO_SAY
    spelt: Belief = NOTHING_TO_SAY
    usual: Usual = field(default_factory=dict)
    usual_spelling: Usual = field(default_factory=dict)
    added_bias: float = ADDED_BIAS
    added_slope: float = ADDED_SLOPE

    @cached_property
    def densities(self) -> Densities:
        """Say where examples of each prototype's language are to be expected."""
        taught = slice(self.taught)
        between = plda.spread(self.prototypes[taught], self.counts[taught])
        return plda.densities(self.prototypes, self.counts, between)

    @property
    def tags(self) -> tuple[str, ...]:
        """Give the languages that it knows by name, be they of the pack or not."""
        named = (label for label in self.labels if label not in (UNKNOWN_LANGUAGE, NO_LANGUAGE))
        return tuple(dict.fromkeys(named))

    def with_(self, **changes: Any) -> Tagger:
        """Give a copy with some parts changed."""
        return replace(self, **changes)

    def hear(self, embedding: Vector) -> tuple[Likely, ...]:
        """Give a probability for each language and for `und`, the best first."""
        place = self.place(embedding)
        added = self._added(place)
        rest = 1 - sum(added.values())
        summed = {label: rest * share for label, share in self._taught(place).items()}
        for label, share in added.items():
            summed[label] = summed.get(label, 0.0) + share
        likely = (Likely(tag=tag, probability=min(1.0, share)) for tag, share in summed.items())
        return tuple(sorted(likely, key=lambda one: -one.probability))

    def _taught(self, place: Vector) -> dict[str, float]:
        """Share a probability of 1 among the languages taught together and `und`."""
        prototypes = self.prototypes[: self.taught]
        scores = place @ prototypes.T - 0.5 * np.square(prototypes).sum(axis=1)
        far = 0.5 * (float(place @ place) - self.limit)
        shares = softmax(np.append(scores, far) / self.temperature)
        summed: dict[str, float] = {}
        labels = (*self.labels[: self.taught], UNKNOWN_LANGUAGE)
        for label, share in zip(labels, shares, strict=True):
            summed[label] = summed.get(label, 0.0) + float(share)
        return summed

    def _added(self, place: Vector) -> dict[str, float]:
        """Give the probability of each added language against all others."""
        if len(self.labels) == self.taught:
            return {}
        logs = self.densities.of(place[None])
        found = {}
        for number in range(self.taught, len(self.labels)):
            favour = plda.favour(logs, number, *self._same(number))[0]
            found[self.labels[number]] = float(expit(self.added_bias + self.added_slope * favour))
        total = max(1.0, sum(found.values()))
        return {label: share / total for label, share in found.items()}

    def _same(self, number: int) -> list[int]:
        """List prototypes of the background that are an added language under another name."""
        apart = np.square(self.prototypes[: self.taught] - self.prototypes[number]).sum(axis=1)
        return [int(i) for i in np.flatnonzero(apart < SAME) if self.labels[i] == UNKNOWN_LANGUAGE]

    def place(self, embedding: Vector) -> Vector:
        """Project an embedding to where languages differ."""
        return np.asarray((embedding - self.centre) @ self.projection, np.float32)

    def known(
        self, tag: str, average_logprob: float, spelling: float | None = None
    ) -> tuple[float, float]:
        """Give the log-odds that a language is installed by how a window was written in it.

        With them the weight of what was heard beside it. spelling : as from Spelling.usual
        """
        belief = self.written if spelling is None else self.spelt
        odds = belief.bias + belief.slope * unusual(self.usual, tag, average_logprob)
        if spelling is not None:
            odds += belief.spelling * unusual(self.usual_spelling, tag, spelling)
        return odds, belief.heard


def unusual(usual: Usual, tag: str, score: float) -> float:
    """Give by how many spreads a score is better than is usual in a language."""
    mean, spread = usual.get(tag) or usual.get("", (0.0, 1.0))
    return float(np.clip((score - mean) / spread, WORST, BEST))


def embed(states: NDArray[np.floating]) -> Vector:
    """Give the mean and the logarithm of the deviation over time; shape = (2 * width,)."""
    long = np.asarray(states, np.float32)
    deviation = np.log(long.std(axis=0) + 1e-4)
    return np.concatenate([long.mean(axis=0), deviation]).astype(np.float32)


def embed_window(window: Encoded) -> Vector:
    """Embed what is sound in a window."""
    return embed(window.states[: max(1, window.content)])


def load(folder: Path) -> Tagger | None:
    """Read the tagger beside a pack, if there is one."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            if int(saved["version"]) != VERSION:
                raise ValueError(f"version {int(saved['version'])}")
            return Tagger(
                labels=tuple(str(label) for label in saved["labels"]),
                centre=saved["centre"].astype(np.float32),
                projection=saved["projection"].astype(np.float32),
                prototypes=saved["prototypes"].astype(np.float32),
                counts=saved["counts"].astype(np.float32),
                taught=int(saved["taught"]),
                limit=float(saved["limit"]),
                temperature=float(saved["temperature"]),
                written=Belief(*map(float, saved["beliefs"][0])),
                spelt=Belief(*map(float, saved["beliefs"][1])),
                added_bias=float(saved["added_bias"]),
                added_slope=float(saved["added_slope"]),
                usual=_usual(saved, "usual"),
                usual_spelling=_usual(saved, "usual_spelling"),
            )
    except (KeyError, ValueError, OSError, AttributeError, EOFError, BadZipFile) as error:
        raise Misconfigured(
            f"{path} 不是可用的语言判别文件：{error}。请重新训练或删除它。",
            f"{path} is no usable tagger ({error}): train it again or remove it.",
            code="bad_tagger",
        ) from error


def _usual(saved: Mapping[str, NDArray[Any]], name: str) -> Usual:
    return {
        str(tag): (float(mean), float(spread))
        for tag, (mean, spread) in zip(saved[f"{name}_tags"], saved[name], strict=True)
    }


def save(tagger: Tagger, folder: Path) -> Path:
    """Write a tagger beside its pack; the arrays in half precision, since they are estimates."""
    path = folder / FILE
    np.savez_compressed(
        path,
        version=VERSION,
        labels=np.array(tagger.labels),
        centre=tagger.centre.astype(np.float16),
        projection=tagger.projection.astype(np.float16),
        prototypes=tagger.prototypes.astype(np.float16),
        counts=tagger.counts.astype(np.float32),
        taught=tagger.taught,
        limit=tagger.limit,
        temperature=tagger.temperature,
        beliefs=np.array([astuple(tagger.written), astuple(tagger.spelt)]),
        added_bias=tagger.added_bias,
        added_slope=tagger.added_slope,
        **_rows(usual=tagger.usual, usual_spelling=tagger.usual_spelling),
    )
    return path


def _rows(**usual: Usual) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, by_tag in usual.items():
        found[f"{name}_tags"] = np.array(list(by_tag), np.str_)
        found[name] = np.array(list(by_tag.values()), np.float32).reshape(-1, 2)
    return found
