"""A small judge of languages on what the encoder computes anyway, with a class for all others.

The mean and the deviation of a window's encoder states are projected to where languages differ and
speakers do not (discriminant.py), and compared with a prototype of each language. Those of
languages that the pack does not know, and of sounds that are no speech, together make the
background, `und`; what is far from every prototype counts to it as well. Some twenty recordings
suffice for a further language (newcomers.py). What is saved holds directions and prototypes of
whole languages, and nothing of one speaker; embeddings exist only while a function here runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.errors import Misconfigured
from models.transcript import NO_LANGUAGE, UNKNOWN_LANGUAGE, Likely
from transcribe import newcomers
from transcribe.newcomers import Newcomers
from transcribe.sounds import States, Vector
from transcribe.whisper import Encoded

FILE = "tagger.npz"
VERSION = 6
# Beyond these no text is unusually bad or good: scores have long tails.
WORST, BEST = -12.0, 1.0

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
    limit : squared distance from which a sound is likelier none of the prototypes'
    temperature : what scores are divided by, so that probabilities are honest
    usual : middle and spread of average_logprob by language; "" for one that is not listed
    usual_spelling : the same of spelling.Spelling.usual, for languages with letters
    written, spelt : what a text says, without and with a figure for its spelling
    newcomers : languages that were added later
    """

    labels: tuple[str, ...]
    centre: Vector
    projection: Vector
    prototypes: Vector
    limit: float
    temperature: float
    newcomers: Newcomers
    written: Belief = NOTHING_TO_SAY
    spelt: Belief = NOTHING_TO_SAY
    usual: Usual = field(default_factory=dict)
    usual_spelling: Usual = field(default_factory=dict)

    @property
    def tags(self) -> tuple[str, ...]:
        """Give the languages that it knows by name, be they of the pack or not."""
        labels = (*self.labels, *self.newcomers.tags)
        named = (label for label in labels if label not in (UNKNOWN_LANGUAGE, NO_LANGUAGE))
        return tuple(dict.fromkeys(named))

    def with_(self, **changes: Any) -> Tagger:
        """Give a copy with some parts changed."""
        return replace(self, **changes)

    def hear(self, states: States) -> tuple[Likely, ...]:
        """Give a probability for each language and for `und`, the best first.

        states : of the encoder, shape = (n_states, width)
        """
        added = self.newcomers.hear(states)
        rest = 1 - sum(added.values())
        summed = {label: rest * share for label, share in self._taught(states).items()}
        for label, share in added.items():
            summed[label] = summed.get(label, 0.0) + share
        likely = (Likely(tag=tag, probability=min(1.0, share)) for tag, share in summed.items())
        return tuple(sorted(likely, key=lambda one: -one.probability))

    def _taught(self, states: States) -> dict[str, float]:
        """Share a probability of 1 among the languages taught together and `und`."""
        place = self.place(embed(states))
        scores = place @ self.prototypes.T - 0.5 * np.square(self.prototypes).sum(axis=1)
        far = 0.5 * (float(place @ place) - self.limit)
        shares = softmax(np.append(scores, far) / self.temperature)
        summed: dict[str, float] = {}
        for label, share in zip((*self.labels, UNKNOWN_LANGUAGE), shares, strict=True):
            summed[label] = summed.get(label, 0.0) + float(share)
        return summed

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


def embed(states: States) -> Vector:
    """Give the mean and the logarithm of the deviation over time; shape = (2 * width,)."""
    long = np.asarray(states, np.float32)
    deviation = np.log(long.std(axis=0) + 1e-4)
    return np.concatenate([long.mean(axis=0), deviation]).astype(np.float32)


def sounding(window: Encoded) -> States:
    """Give the states of a window that are sound and no padding."""
    return window.states[: max(1, window.content)]


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
                limit=float(saved["limit"]),
                temperature=float(saved["temperature"]),
                newcomers=newcomers.read(saved),
                written=Belief(*map(float, saved["beliefs"][0])),
                spelt=Belief(*map(float, saved["beliefs"][1])),
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
        limit=tagger.limit,
        temperature=tagger.temperature,
        beliefs=np.array([astuple(tagger.written), astuple(tagger.spelt)]),
        **_rows(tagger.newcomers, usual=tagger.usual, usual_spelling=tagger.usual_spelling),
    )
    return path


def _rows(added: Newcomers, **usual: Usual) -> dict[str, Any]:
    found: dict[str, Any] = added.arrays()
    for name, by_tag in usual.items():
        found[f"{name}_tags"] = np.array(list(by_tag), np.str_)
        found[name] = np.array(list(by_tag.values()), np.float32).reshape(-1, 2)
    return found
