"""Teach a tagger the languages of a pack and what is none of them, from examples with tags.

Directions come from linear discriminant analysis with a shrunk spread (Ledoit and Wolf, 2004), as
in speaker and language recognition on i-vectors; temperature from held-back recordings (Guo et al.,
2017); how far a well written text speaks for an installed language from a logistic regression on
its log-probability and its spelling that corrects what the tagger already says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.errors import Invalid
from models.transcript import NO_LANGUAGE, UNKNOWN_LANGUAGE
from transcribe import plda
from transcribe.tagger import (
    ADDED_BIAS,
    ADDED_SLOPE,
    NOTHING_TO_SAY,
    Belief,
    Tagger,
    Usual,
    Vector,
    unusual,
)

LEAST_RECORDINGS = 5
LEAST_LANGUAGES = 2
LEAST_BACKGROUND = 10  # languages that teach how well few examples tell one
HELD_BACK = 4  # every fourth example of a group calibrates
MOST_DIRECTIONS = 96
# Beyond this share of the held-back distances a sound is far from every prototype.
FAR_QUANTILE = 0.995
TEMPERATURES = np.geomspace(0.5, 20, 60)
PENALTY = 1e-4
BORROWED = 10  # examples that the spread of all languages counts for in one language's
LEAST_SPREAD = 0.02
NORMAL = 1.4826  # standard deviations of a normal distribution in its median deviation
# What was heard counts so much at most beside what was written: it is sure of near languages too.
HEARD_MOST = 0.3


@dataclass(frozen=True)
class Example:
    """One window of it as the tagger sees it.

    tag : a language, of the pack or not, `und` or NO_LANGUAGE; group : the language proper
    average_logprob : of the text written about it, or None; spelling : as from Spelling.usual
    written_in : the likeliest language of the pack
    """

    embedding: Vector
    tag: str
    group: str
    average_logprob: float | None
    written_in: str = ""
    unseen: bool = False
    spelling: float | None = None


def teach(examples: Sequence[Example]) -> Tagger:
    """Train a tagger; raise Invalid where there is too little to learn from."""
    _enough(examples)
    fitted, kept = _split(examples)
    centre, projection = _directions(fitted)
    places = (_matrix(fitted) - centre) @ projection
    labels, prototypes, counts = _prototypes(fitted, places)
    plain = Tagger(
        labels, centre, projection, prototypes, counts, len(labels), limit=np.inf, temperature=1.0
    )
    far = _far(plain, kept)
    temperature = _temperature(plain.with_(limit=far), kept)
    cooled = plain.with_(limit=far, temperature=temperature)
    usual = cooled.with_(
        usual=_usual(kept, lambda one: one.average_logprob),
        usual_spelling=_usual(kept, lambda one: one.spelling),
    )
    whole = usual.with_(
        written=_belief(usual, [one for one in kept if one.spelling is None]),
        spelt=_belief(usual, [one for one in kept if one.spelling is not None]),
    )
    bias, slope = _added(whole, sorted({example.group for example in fitted}), kept)
    return whole.with_(added_bias=bias, added_slope=slope)


def add(tagger: Tagger, examples: Sequence[Example]) -> Tagger:
    """Add prototypes of further languages, in the directions that are there.

    A language that was part of the background under another name keeps its prototypes there.
    """
    _enough(examples, languages=1)
    places = (_matrix(examples) - tagger.centre) @ tagger.projection
    labels, prototypes, counts = _prototypes(examples, np.asarray(places, np.float32))
    return tagger.with_(
        labels=tagger.labels + labels,
        prototypes=np.concatenate([tagger.prototypes, prototypes]),
        counts=np.concatenate([tagger.counts, counts]),
    )


def _enough(examples: Sequence[Example], languages: int = LEAST_LANGUAGES) -> None:
    """Refuse what is too little, saying what is needed."""
    counts = Counter(
        example.tag for example in examples if example.tag not in (UNKNOWN_LANGUAGE, NO_LANGUAGE)
    )
    few = [tag for tag, count in counts.items() if count < LEAST_RECORDINGS]
    if few or len(counts) < languages:
        names = ", ".join(few) or "-"
        raise Invalid(
            f"录音太少（{names}）：每种语言至少 {LEAST_RECORDINGS} 段，至少 {languages} 种语言。",
            f"Too few recordings ({names}): at least {LEAST_RECORDINGS} a language are needed, "
            f"and {languages} languages.",
            code="too_little_data",
        )


def _split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Hold back for calibration what is unseen, of other groups every few examples."""
    marked = {example.group for example in examples if example.unseen}
    seen: Counter[str] = Counter()
    fitted: list[Example] = []
    kept: list[Example] = []
    for example in examples:
        seen[example.group] += 1
        back = example.unseen if example.group in marked else seen[example.group] % HELD_BACK == 0
        (kept if back else fitted).append(example)
    return fitted, kept or fitted


def _matrix(examples: Sequence[Example]) -> NDArray[np.float32]:
    return np.stack([example.embedding for example in examples])


def _directions(examples: Sequence[Example]) -> tuple[Vector, Vector]:
    """Find where groups differ most against the spread within them.

    Give the centre, shape = (n_features,), and the projection, shape = (n_features, n_directions),
    in which the spread within a group is 1 in every direction.
    """
    from sklearn.covariance import ledoit_wolf

    features = _matrix(examples).astype(np.float64)
    groups = np.array([example.group for example in examples])
    names = sorted(set(groups))
    means = np.stack([features[groups == name].mean(axis=0) for name in names])
    within = features - means[np.searchsorted(names, groups)]
    scale = within.std(axis=0) + 1e-6
    spread, _ = ledoit_wolf(within / scale)
    values, vectors = np.linalg.eigh(spread)
    white = (vectors / np.sqrt(np.maximum(values, 1e-9))) / scale[:, None]
    centre = means.mean(axis=0)
    between = (means - centre) @ white
    _, _, turned = np.linalg.svd(between, full_matrices=False)
    count = min(MOST_DIRECTIONS, len(names) - 1)
    return centre.astype(np.float32), (white @ turned[:count].T).astype(np.float32)


def _prototypes(
    examples: Sequence[Example], places: NDArray[np.floating]
) -> tuple[tuple[str, ...], Vector, Vector]:
    """Average the places of each group; give tags, means and how many examples each is made of."""
    groups = np.array([example.group for example in examples])
    tag_of = {example.group: example.tag for example in examples}
    names = sorted(tag_of)
    means = np.stack([places[groups == name].mean(axis=0) for name in names])
    counts = np.array([(groups == name).sum() for name in names])
    tags = tuple(tag_of[name] for name in names)
    return tags, means.astype(np.float32), counts.astype(np.float32)


def _far(tagger: Tagger, examples: Sequence[Example]) -> float:
    """Find the squared distance to the nearest prototype that hardly any example exceeds."""
    places = (_matrix(examples) - tagger.centre) @ tagger.projection
    distances = np.square(places[:, None] - tagger.prototypes[None]).sum(axis=2).min(axis=1)
    return float(np.quantile(distances, FAR_QUANTILE))


def _temperature(tagger: Tagger, examples: Sequence[Example]) -> float:
    """Choose the temperature at which the held-back tags are likeliest."""

    def surprise(temperature: float) -> float:
        cooled = tagger.with_(temperature=float(temperature))
        total = 0.0
        for example in examples:
            masses = {one.tag: one.probability for one in cooled.hear(example.embedding)}
            total -= np.log(max(masses.get(example.tag, 0.0), 1e-6))
        return total / len(examples)

    return float(min(TEMPERATURES, key=surprise))


def _usual(examples: Sequence[Example], score_of: Callable[[Example], float | None]) -> Usual:
    """Give middle and spread of a score by language, and "" for all together.

    Some languages have many ways to write one sound and others one, so what is a poor score in
    one is usual in another. A language with few examples borrows from the spread of all. Medians,
    since some recordings are too damaged to be usual (Rousseeuw and Croux, 1993).
    """
    scores: dict[str, list[float]] = {}
    for one in examples:
        score = score_of(one)
        if score is not None and one.tag not in (UNKNOWN_LANGUAGE, NO_LANGUAGE):
            scores.setdefault(one.tag, []).append(score)
    if not scores:
        return {}
    middles = {tag: float(np.median(own)) for tag, own in scores.items()}
    off = {tag: [abs(score - middles[tag]) for score in own] for tag, own in scores.items()}
    shared = float(np.median([one for own in off.values() for one in own]))
    usual = {}
    for tag, own in off.items():
        middle = (len(own) * float(np.median(own)) + BORROWED * shared) / (len(own) + BORROWED)
        usual[tag] = (middles[tag], max(LEAST_SPREAD, NORMAL * middle))
    every = [score for own in scores.values() for score in own]
    return {**usual, "": (float(np.median(every)), max(LEAST_SPREAD, NORMAL * shared))}


def _belief(tagger: Tagger, examples: Sequence[Example]) -> Belief:
    """Fit what a text says of whether its language is installed.

    Both classes weigh alike, so that bias and slopes give a ratio of likelihoods. A pack that
    writes its own languages so well that the classes part altogether would want endless
    coefficients, which a penalty bounds. What lies near a language of the pack without being one is
    told by the text, so the weight of what was heard is bounded too.
    """
    told = [one for one in examples if one.average_logprob is not None]
    inside = np.array([one.tag not in (UNKNOWN_LANGUAGE, NO_LANGUAGE) for one in told])
    if inside.all() or not inside.any():
        return NOTHING_TO_SAY
    figures = np.array([_figures(tagger, one) for one in told])
    weights = np.where(inside, 0.5 / inside.mean(), 0.5 / (1 - inside.mean())) / len(told)
    spreads = figures[:, :2].std(axis=0)

    def loss(found: NDArray[np.float64]) -> float:
        odds = found[0] + figures @ found[1:]
        missed = np.logaddexp(0, np.where(inside, -odds, odds))
        return float(weights @ missed + PENALTY * np.square(found[1:3] * spreads).sum())

    bounds = [(None, None), (0.0, None), (0.0, None), (0.0, HEARD_MOST)]
    return Belief(*map(float, minimize(loss, (0.0, 0.0, 0.0, HEARD_MOST), bounds=bounds).x))


def _figures(tagger: Tagger, one: Example) -> tuple[float, float, float]:
    """Give what is told of a text: by its score, by its spelling, and by what was heard."""
    score, spelt = one.average_logprob or 0.0, one.spelling
    return (
        unusual(tagger.usual, one.written_in, score),
        0.0 if spelt is None else unusual(tagger.usual_spelling, one.written_in, spelt),
        _log_odds(tagger, one),
    )


def _added(
    tagger: Tagger, groups: Sequence[str], examples: Sequence[Example]
) -> tuple[float, float]:
    """Fit bias and slope in the log-odds of a language that is added from few examples.

    Each language of the background in turn is taken for one, with its held-back examples against
    those of all others. Both classes weigh alike.

    groups : of the tagger's prototypes
    """
    logs = tagger.densities.of(tagger.place(_matrix(examples)))
    own = np.array([example.group for example in examples])
    tried = [
        (number, own == name)
        for number, (name, label) in enumerate(zip(groups, tagger.labels, strict=True))
        if label == UNKNOWN_LANGUAGE and (own == name).any()
    ]
    if len(tried) < LEAST_BACKGROUND:
        return ADDED_BIAS, ADDED_SLOPE
    favours = [(plda.favour(logs, number), inside) for number, inside in tried]
    right = np.concatenate([favour[inside] for favour, inside in favours])
    wrong = np.concatenate([favour[~inside] for favour, inside in favours])

    def loss(found: NDArray[np.float64]) -> float:
        missed = np.logaddexp(0, -(found[0] + found[1] * right)).mean()
        return float(missed + np.logaddexp(0, found[0] + found[1] * wrong).mean())

    bias, slope = minimize(loss, (ADDED_BIAS, ADDED_SLOPE), bounds=[(None, None), (0.0, None)]).x
    return float(bias), float(slope)


def _log_odds(tagger: Tagger, example: Example) -> float:
    """Give the tagger's own log-odds that a language is installed."""
    outside = sum(
        one.probability
        for one in tagger.hear(example.embedding)
        if one.tag in (UNKNOWN_LANGUAGE, NO_LANGUAGE)
    )
    outside = min(max(outside, 1e-3), 1 - 1e-3)
    return float(np.log((1 - outside) / outside))
