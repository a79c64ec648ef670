"""Train the model of domains and conducts from labelled complaints and short labelled phrases."""

from __future__ import annotations

import csv
import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from ingest.normalise import lexicon, model
from ingest.normalise.labelled import Labelled
from ingest.normalise.model import PLACES, Floats, Head, Model
from ingest.normalise.reading import plain
from ingest.normalise.term import TermIndex
from models.errors import Invalid
from models.transcript import Frozen

FOLDS = 10
SEED = 7
# found by cross-validation over the training complaints: see `Fitted.accuracy`
STRENGTH = {"domain": 60.0, "conduct": 60.0}
LEXICON_SCALE = {"domain": 1.0, "conduct": 1.0}
PHRASE_WEIGHT = 0.7


class Example(Frozen):
    """A text with its two codes. weight : how much it counts against a whole complaint."""

    text: str
    domain: str
    conduct: str
    weight: float = 1.0


@dataclass(frozen=True)
class Fitted:
    """A trained model and how it did on complaints that it had not seen.

    accuracy : by list of codes, over the folds; examples : how many it was trained from
    """

    model: Model
    accuracy: dict[str, float]
    examples: int


def examples(labelled: Sequence[Labelled]) -> tuple[Example, ...]:
    """Take the texts and codes of labelled complaints, or of records that staff accepted."""
    return tuple(Example(text=one.text, domain=one.domain, conduct=one.conduct) for one in labelled)


def read_phrases(path: Path) -> tuple[Example, ...]:
    """Read short labelled phrases: a table with tabs, `domain`, `conduct` and `text`."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_phrases(file, path))


def _phrases(file: Iterator[str], path: Path) -> Iterator[Example]:
    known = lexicon.matters()
    for number, row in enumerate(csv.DictReader(file, delimiter="\t"), 2):
        domain, conduct, text = row.get("domain"), row.get("conduct"), row.get("text")
        if domain not in known.domain or conduct not in known.conduct or not text:
            raise Invalid(
                f"{path.name} 第 {number} 行要有 domain、conduct 和 text 三列。",
                f"{path.name}, line {number}: give a known domain and conduct and a text.",
                code="bad_phrases",
            )
        yield Example(text=text, domain=domain, conduct=conduct, weight=PHRASE_WEIGHT)


def train(complaints: Sequence[Example], phrases: Sequence[Example] = ()) -> Fitted:
    """Fit both heads; complaints are also held out in turn to calibrate them."""
    every = (*complaints, *phrases)
    texts = [plain(one.text) for one in every]
    grams = _gram_matrix(texts)
    weights = np.array([one.weight for one in every])
    heads, accuracy = {}, {}
    for name in ("domain", "conduct"):
        index = TermIndex(lexicon.matters(), name)
        codes = index.codes
        scores = np.array([model.scores(index.find(text), codes) for text in texts])
        labels = np.array([codes.index(getattr(one, name)) for one in every])
        logits = _held_out(name, grams, scores, labels, weights, len(complaints), len(codes))
        temperature = _temperature(logits, labels[: len(complaints)])
        heads[name] = _head(name, codes, grams, scores, labels, weights, temperature)
        right = logits.argmax(axis=1) == labels[: len(complaints)]
        accuracy[name] = float(right.mean())
    return Fitted(
        Model(_version(every), heads["domain"], heads["conduct"]), accuracy, len(every)
    )


def _gram_matrix(texts: Sequence[str]) -> csr_matrix:
    """Give the n-grams present in each text. shape = (n_texts, PLACES)"""
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        places = model.present(text)
        rows += [row] * len(places)
        columns += places.tolist()
        values += [1.0 / np.sqrt(max(1, len(places)))] * len(places)
    return csr_matrix((values, (rows, columns)), shape=(len(texts), PLACES))


def _fit(
    name: str,
    grams: csr_matrix,
    scores: Floats,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> LogisticRegression:
    features = hstack([grams, csr_matrix(scores * LEXICON_SCALE[name])]).tocsr()
    regression = LogisticRegression(C=STRENGTH[name], max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit(features, labels, sample_weight=weights)
    return regression


def _logits(
    fitted: LogisticRegression, name: str, grams: csr_matrix, scores: Floats, codes: int
) -> NDArray[np.float64]:
    """Give the logits over all codes; a code without an example gets a very small one."""
    features = hstack([grams, csr_matrix(scores * LEXICON_SCALE[name])]).tocsr()
    logits = np.full((grams.shape[0], codes), -30.0)
    logits[:, fitted.classes_] = fitted.decision_function(features)
    return logits


def _held_out(
    name: str,
    grams: csr_matrix,
    scores: Floats,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    complaints: int,
    codes: int,
) -> NDArray[np.float64]:
    """Give each complaint's logits from a model that has not seen it."""
    logits = np.zeros((complaints, codes))
    phrases = np.arange(complaints, len(labels))
    smallest = int(np.bincount(labels[:complaints]).max())
    folds = StratifiedKFold(min(FOLDS, smallest), shuffle=True, random_state=SEED)
    with warnings.catch_warnings():
        # a code with fewer complaints than folds is left out of some of them
        warnings.simplefilter("ignore", UserWarning)
        splits = list(folds.split(np.zeros(complaints), labels[:complaints]))
    for seen, unseen in splits:
        rows = np.concatenate([seen, phrases])
        fitted = _fit(name, grams[rows], scores[rows], labels[rows], weights[rows])
        logits[unseen] = _logits(fitted, name, grams[unseen], scores[unseen], codes)
    return logits


def _temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Find the temperature under which the probabilities are most likely (Guo et al. 2017)."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(scaled).sum(axis=1))
        return float((log_sum - scaled[np.arange(len(labels)), labels]).mean())

    return float(minimize_scalar(loss, bounds=(0.3, 10.0), method="bounded").x)


def _head(
    name: str,
    codes: tuple[str, ...],
    grams: csr_matrix,
    scores: Floats,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    temperature: float,
) -> Head:
    fitted = _fit(name, grams, scores, labels, weights)
    kept = np.zeros((PLACES + len(codes), len(codes)), dtype=np.float32)
    bias = np.full(len(codes), -30.0, dtype=np.float32)
    kept[:, fitted.classes_] = fitted.coef_.T
    bias[fitted.classes_] = fitted.intercept_
    return Head(
        codes=codes,
        grams=kept[:PLACES],
        scores=kept[PLACES:] * LEXICON_SCALE[name],
        bias=bias,
        temperature=temperature,
    )


def _version(every: Sequence[Example]) -> str:
    """Name the model after what it was trained from."""
    told = "\n".join(f"{one.domain}\t{one.conduct}\t{one.text}" for one in every)
    return hashlib.sha256(told.encode()).hexdigest()[:8]
