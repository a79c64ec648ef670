"""Teach a tagger the languages of a pack and what is none of them, from examples with tags.

The temperature comes from held-back recordings (Guo et al., 2017); how far a well written text
speaks for an installed language from a logistic regression on its log-probability and its spelling
that corrects what the tagger already says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.errors import Invalid
from models.transcript import NO_LANGUAGE, UNKNOWN_LANGUAGE
from transcribe import discriminant, newcomers
from transcribe.example import Example, groups_of, tags_of
from transcribe.sounds import Vector
from transcribe.tagger import NOTHING_TO_SAY, Belief, Tagger, Usual, embed, unusual

LEAST_RECORDINGS = 5
LEAST_LANGUAGES = 2
HELD_BACK = 4  # every fourth example of a group calibrates
# Beyond this share of the held-back distances a sound is far from every prototype.
FAR_QUANTILE = 0.995
TEMPERATURES = np.geomspace(0.5, 20, 60)
PENALTY = 1e-4
BORROWED = 10  # examples that the spread of all languages counts for in one language's
LEAST_SPREAD = 0.02
NORMAL = 1.4826  # standard deviations of a normal distribution in its median deviation
# What was heard counts so much at most beside what was written: it is sure of near languages too.
HEARD_MOST = 0.3


def teach(examples: Sequence[Example]) -> Tagger:
    """Train a tagger; raise Invalid where there is too little to learn from."""
    _enough(examples)
    fitted, kept = _split(examples)
    groups, tags = groups_of(fitted), tags_of(fitted)
    embedded = _matrix(fitted)
    centre, projection = discriminant.directions(embedded, groups)
    plain = Tagger(
        labels=tuple(tags.values()),
        centre=centre,
        projection=projection,
        prototypes=_prototypes((embedded - centre) @ projection, groups),
        limit=np.inf,
        temperature=1.0,
        newcomers=newcomers.learn(fitted, kept),
    )
    far = _far(plain, kept)
    temperature = _temperature(plain.with_(limit=far), kept)
    cooled = plain.with_(limit=far, temperature=temperature)
    usual = cooled.with_(
        usual=_usual(kept, lambda one: one.average_logprob),
        usual_spelling=_usual(kept, lambda one: one.spelling),
    )
    return usual.with_(
        written=_belief(usual, [one for one in kept if one.spelling is None]),
        spelt=_belief(usual, [one for one in kept if one.spelling is not None]),
    )


def add(tagger: Tagger, examples: Sequence[Example]) -> Tagger:
    """Add languages; raise Invalid where there is too little to learn from."""
    _enough(examples, languages=1)
    return tagger.with_(newcomers=tagger.newcomers.add(examples))


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
    return np.stack([embed(example.states) for example in examples])


def _prototypes(places: NDArray[np.floating], groups: NDArray[np.str_]) -> Vector:
    return discriminant.middles(places, groups).astype(np.float32)


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
            masses = {one.tag: one.probability for one in cooled.hear(example.states)}
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


def _log_odds(tagger: Tagger, example: Example) -> float:
    """Give the tagger's own log-odds that a language is installed."""
    outside = sum(
        one.probability
        for one in tagger.hear(example.states)
        if one.tag in (UNKNOWN_LANGUAGE, NO_LANGUAGE)
    )
    outside = min(max(outside, 1e-3), 1 - 1e-3)
    return float(np.log((1 - outside) / outside))
