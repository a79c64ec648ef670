"""Train the small models of the normaliser from labelled complaints and short labelled phrases."""

from __future__ import annotations

import csv
import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from ingest.normalise import learning, lexicon, model
from ingest.normalise.labelled import Labelled, text_of
from ingest.normalise.model import KINDS, Floats, Head, Model, Vocabulary, pieces
from ingest.normalise.reading import plain
from ingest.normalise.taught import Taught, lessons
from ingest.normalise.term import TermIndex
from ingest.normalise.weighing import Weights
from models.errors import Invalid
from models.transcript import Frozen

FOLDS = 10
SEED = 7
# found by cross-validation over the training complaints: see `Fitted.accuracy`
STRENGTH = {"domain": 0.3, "conduct": 0.3}
LEXICON_SCALE = {"domain": 0.6, "conduct": 0.6}
PHRASE_WEIGHT = 1.0
LEAST_PRECISION = 0.95  # of what is filled in; a wrong field costs more than an empty one
THRESHOLDS = tuple(round(0.3 + step / 100, 2) for step in range(61))
LEAST_TEXTS = 4  # a piece of one text or two teaches little but those


class Example(Frozen):
    """A text with its two codes. weight : how much it counts against a whole complaint."""

    text: str
    domain: str
    conduct: str
    weight: float = 1.0


@dataclass(frozen=True)
class Fitted:
    """A trained model and how it did on complaints that it had not seen.

    accuracy : of the first choice; precision, recall : of what is filled in at the threshold; each
    by list of codes, over the folds; examples : how many it was trained from
    """

    model: Model
    accuracy: dict[str, float]
    precision: dict[str, float]
    recall: dict[str, float]
    examples: int


def examples(labelled: Sequence[Labelled]) -> tuple[Example, ...]:
    """Take the texts and codes of labelled complaints, or of records that staff accepted."""
    return tuple(Example(text=one.text, domain=one.domain, conduct=one.conduct) for one in labelled)


def choosers(taught: Iterable[Taught], digest: str) -> tuple[Weights, Weights]:
    """Learn which times date what is complained of, and who is to blame for it.

    digest : names what is taught
    """
    dates, guilt = (learning.fit(one) for one in lessons(taught))
    return replace(dates, taught=digest), replace(guilt, taught=digest)


def read_phrases(path: Path) -> tuple[Example, ...]:
    """Read short labelled phrases: a table with tabs, `domain`, `conduct` and `text`."""
    return tuple(_phrases(text_of(path).splitlines(), path))


def _phrases(lines: Iterable[str], path: Path) -> Iterator[Example]:
    known = lexicon.matters()
    for number, row in enumerate(csv.DictReader(lines, delimiter="\t"), 2):
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
    vocabulary = _vocabulary(texts)
    found = _matrix(vocabulary, texts)
    weights = np.array([one.weight for one in every])
    heads: dict[str, Head] = {}
    accuracy: dict[str, float] = {}
    precision: dict[str, float] = {}
    recall: dict[str, float] = {}
    for name in ("domain", "conduct"):
        index = TermIndex(lexicon.matters(), name)
        codes = index.codes
        scores = np.array([model.scores(index.find(text), codes) for text in texts])
        labels = np.array([codes.index(getattr(one, name)) for one in every])
        logits = _held_out(name, found, scores, labels, weights, len(complaints), len(codes))
        temperature = _temperature(logits, labels[: len(complaints)])
        right = logits.argmax(axis=1) == labels[: len(complaints)]
        sure = softmax(logits / temperature, axis=1).max(axis=1)
        threshold = _threshold(sure, right)
        head = _head(name, codes, found, scores, labels, weights)
        heads[name] = replace(head, temperature=temperature, threshold=threshold)
        filled = sure >= threshold
        accuracy[name] = float(right.mean())
        precision[name] = float(right[filled].mean()) if filled.any() else 1.0
        recall[name] = float((right & filled).mean())
    return Fitted(
        Model(version(every), vocabulary, heads["domain"], heads["conduct"]),
        accuracy,
        precision,
        recall,
        len(every),
    )


def _vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Take the pieces of at least LEAST_TEXTS texts, with how rare each is."""
    within = Counter(name for text in texts for name in set(pieces(text)))
    kept = (name for name, number in within.items() if number >= LEAST_TEXTS)
    names = tuple(sorted(kept, key=lambda name: (KINDS.index(name[0]), name)))
    shares = np.array([(1 + len(texts)) / (1 + within[name]) for name in names])
    # rounded as it will be stored, so that training sees what use will see
    rarity = (np.log(shares) + 1).astype(np.float16).astype(np.float32)
    return Vocabulary.of(names, rarity)


def _matrix(vocabulary: Vocabulary, texts: Sequence[str]) -> csr_matrix:
    """Give the features of each text. shape = (n_texts, n_pieces)"""
    every = [vocabulary.features(text) for text in texts]
    counts = [len(one.rows) for one in every]
    rows = np.repeat(np.arange(len(texts)), counts)
    columns = np.concatenate([one.rows for one in every])
    values = np.concatenate([one.values for one in every])
    return csr_matrix((values, (rows, columns)), shape=(len(texts), len(vocabulary.names)))


def _fit(
    name: str,
    found: csr_matrix,
    scores: Floats,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> LinearSVC:
    features = hstack([found, csr_matrix(scores * LEXICON_SCALE[name])]).tocsr()
    classifier = LinearSVC(C=STRENGTH[name], random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(features, labels, sample_weight=weights)
    return classifier


def _logits(
    fitted: LinearSVC, name: str, found: csr_matrix, scores: Floats, codes: int
) -> NDArray[np.float64]:
    """Give the logits over all codes; a code without an example gets a very small one."""
    features = hstack([found, csr_matrix(scores * LEXICON_SCALE[name])]).tocsr()
    logits = np.full((found.shape[0], codes), -30.0)
    logits[:, fitted.classes_] = fitted.decision_function(features)
    return logits


def _held_out(
    name: str,
    found: csr_matrix,
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
        fitted = _fit(name, found[rows], scores[rows], labels[rows], weights[rows])
        logits[unseen] = _logits(fitted, name, found[unseen], scores[unseen], codes)
    return logits


def _threshold(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Give the least probability at which what is filled in is right often enough."""
    for threshold in THRESHOLDS:
        filled = sure >= threshold
        if filled.any() and right[filled].mean() >= LEAST_PRECISION:
            return threshold
    return THRESHOLDS[-1]


def _temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Find the temperature under which the probabilities are most likely (Guo et al. 2017)."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(scaled).sum(axis=1))
        return float((log_sum - scaled[np.arange(len(labels)), labels]).mean())

    return float(minimize_scalar(loss, bounds=(0.05, 10.0), method="bounded").x)


def _head(
    name: str,
    codes: tuple[str, ...],
    found: csr_matrix,
    scores: Floats,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Head:
    fitted = _fit(name, found, scores, labels, weights)
    known = found.shape[1]
    kept = np.zeros((known + len(codes), len(codes)), dtype=np.float32)
    bias = np.full(len(codes), -30.0, dtype=np.float32)
    kept[:, fitted.classes_] = fitted.coef_.T
    bias[fitted.classes_] = fitted.intercept_
    return Head(
        codes=codes,
        pieces=kept[:known],
        scores=(kept[known:] * LEXICON_SCALE[name]).astype(np.float32),
        bias=bias,
        temperature=1.0,
        threshold=0.0,
    )


def version(every: Sequence[Example]) -> str:
    """Name the model after what it was trained from."""
    told = "\n".join(f"{one.domain}\t{one.conduct}\t{one.text}" for one in every)
    return hashlib.sha256(told.encode()).hexdigest()[:8]
