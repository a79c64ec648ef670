"""What kind of matter it is: domain and conduct, by a weighted lexicon and a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ingest.matter import Choice
from ingest.normalise.model import Features, Head, Model, Vocabulary, pieces, scores
from ingest.normalise.reading import Span
from ingest.normalise.sound import is_han
from ingest.normalise.term import TermIndex, clauses

TOP = 3
EVIDENCE = 3
LEAST_TEXT = 5  # different characters; less says nothing
LIKELY = 0.5  # a code as likely as this says how other words are meant, filled in or not


@dataclass(frozen=True)
class Judged:
    """The codes of one list for a text, best first, with where the best one was read.

    by : rule where the lexicon and the model agree, else model
    """

    choices: tuple[Choice, ...]
    spans: tuple[Span, ...]
    by: Literal["rule", "model"]

    def best(self, threshold: float) -> str:
        """Give the best code, or "" where it is too uncertain."""
        if not self.choices or self.choices[0].confidence < threshold:
            return ""
        return self.choices[0].code

    @property
    def likely(self) -> str:
        """Give the best code if it is likely enough to say how other words are meant, else ""."""
        return self.best(LIKELY)


NOTHING = Judged((), (), "model")


def judge(
    text: str,
    features: Features,
    model: Model,
    which: Literal["domain", "conduct"],
    index: TermIndex,
) -> Judged:
    """Weigh a text for one list of codes. features : of the text, as the model sees it"""
    if sum(map(is_han, set(text))) < LEAST_TEXT:
        return NOTHING
    head = model.domain if which == "domain" else model.conduct
    hits = index.find(text)
    probabilities = head.probabilities(features, scores(hits, head.codes))
    order = sorted(range(len(head.codes)), key=lambda place: -probabilities[place])[:TOP]
    choices = tuple(
        Choice(code=head.codes[place], confidence=round(float(probabilities[place]), 3))
        for place in order
    )
    best = choices[0].code
    own = [hit for hit in hits if hit.code == best]
    if own:
        strongest = sorted(own, key=lambda hit: (-hit.weight, hit.span.start))[:EVIDENCE]
        spans = tuple(sorted((hit.span for hit in strongest), key=lambda span: span.start))
        return Judged(choices, spans, "rule")
    return Judged(choices, (_telling_clause(text, model.vocabulary, head, order[0]),), "model")


def by_terms(text: str, index: TermIndex) -> Judged:
    """Judge by a language's own terms alone: the code with the most of them, if one leads."""
    totals: dict[str, int] = {}
    hits = index.find(text)
    for hit in hits:
        totals[hit.code] = totals.get(hit.code, 0) + hit.weight
    if not totals:
        return NOTHING
    order = sorted(totals, key=lambda code: (-totals[code], index.codes.index(code)))[:TOP]
    whole = sum(totals.values())
    choices = tuple(
        Choice(code=one, confidence=round(totals[one] / (whole + 1), 3)) for one in order
    )
    own = tuple(hit.span for hit in hits if hit.code == order[0])[:EVIDENCE]
    return Judged(choices, own, "rule")


def _telling_clause(text: str, vocabulary: Vocabulary, head: Head, place: int) -> Span:
    """Give the clause whose pieces speak most for a code."""

    weights = head.pieces[:, place]

    def speaks(part: Span) -> float:
        rows = map(vocabulary.rows.get, pieces(text[part.start : part.end]))
        known = [row for row in rows if row is not None]
        return float(weights[known].sum(dtype=np.float64)) if known else 0.0

    return max(clauses(text), key=lambda part: (speaks(part), -part.start))
