"""The report card of a pack: scores with counts and 95 % intervals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np

from models.packs import Pack
from transcribe.train.evaluate import Score, median_word_error

_RESAMPLES = 1000
_NORMAL_95 = 1.96
_DURATIONS = ((0.0, 3.0), (3.0, 6.0), (6.0, 30.1))


@dataclass(frozen=True)
class Rate:
    """A rate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One line of the card: a slice of the clips."""

    language: str
    condition: str  # "clean", "amr", "noise", or a span of durations; "all" for every clip
    clips: int
    minutes: float
    cer: Rate
    tagged: Rate
    toned: Rate | None  # toned-syllable errors, Mandarin only
    word_seconds: float | None  # median error of word times

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain data, rates in per cent, without what was not measured."""
        row = {k: v for k, v in asdict(self).items() if v is not None}
        for name in ("cer", "tagged", "toned"):
            if name in row:
                rate = row.pop(name)
                row[name] = round(100 * rate["value"], 2)
                row[f"{name}_95"] = [round(100 * rate[end], 2) for end in ("low", "high")]
        row["minutes"] = round(self.minutes, 1)
        if self.word_seconds is not None:
            row["word_seconds"] = round(self.word_seconds, 3)
        return row


def rows(scores: Sequence[Score]) -> list[Row]:
    """Cut scores by language, and each language by condition and by duration."""
    found = []
    for language in sorted({score.language for score in scores}):
        own = [score for score in scores if score.language == language]
        found.append(_row(language, "all", own))
        for condition in sorted({score.condition for score in own} - {""}):
            found.append(_row(language, condition, [s for s in own if s.condition == condition]))
        for low, high in _DURATIONS:
            cut = [s for s in own if low <= s.seconds < high]
            if cut and len(cut) < len(own):
                found.append(_row(language, f"{low:.0f}-{high:.0f} s", cut))
    return found


def _row(language: str, condition: str, scores: Sequence[Score]) -> Row:
    toned = None
    if any(s.syllables for s in scores):
        toned = _resampled(scores, lambda s: s.wrong_syllables, lambda s: s.syllables)
    return Row(
        language=language,
        condition=condition,
        clips=len(scores),
        minutes=sum(s.seconds for s in scores) / 60,
        cer=_resampled(scores, lambda s: s.wrong, lambda s: s.letters),
        tagged=wilson(sum(s.tagged for s in scores), len(scores)),
        toned=toned,
        word_seconds=median_word_error(scores),
    )


def _resampled(
    scores: Sequence[Score], wrong: Callable[[Score], int], total: Callable[[Score], int]
) -> Rate:
    """Return an error rate with its bootstrap interval over clips (Bisani and Ney, 2004)."""
    errors = np.array([wrong(s) for s in scores], float)
    letters = np.array([total(s) for s in scores], float)
    draws = np.random.default_rng(0).integers(0, len(scores), (_RESAMPLES, len(scores)))
    sums = np.maximum(letters[draws].sum(1), 1)
    low, high = np.percentile(errors[draws].sum(1) / sums, [2.5, 97.5])
    return Rate(float(errors.sum() / max(1.0, letters.sum())), float(low), float(high))


def wilson(right: int, count: int) -> Rate:
    """Return a share with Wilson's interval."""
    share = right / count
    spread = _NORMAL_95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _NORMAL_95 / (1 + spread) * sqrt(share * (1 - share) / count + spread / count / 4)
    return Rate(share, middle - half, min(1.0, middle + half))


def mean_cer(found: Iterable[Row]) -> float:
    """Return the mean over languages of the error rate of all clips."""
    rates = [row.cer.value for row in found if row.condition == "all"]
    return sum(rates) / len(rates)


def table(found: Sequence[Row]) -> str:
    """Write the card as lines for people."""
    return lines([row.as_dict() for row in found])


def page(pack: Pack) -> str:
    """Write what a pack says of itself, and its card, as lines for people."""
    written = [f"{pack.label}  ({pack.licence})", pack.notes, ""]
    for one in pack.languages:
        token = f"borrows {one.token}" if one.borrowed else one.token
        written.append(f"{one.tag:8} {one.name} {one.autonym}  [{token}]")
    for name, value in pack.card.items():
        if isinstance(value, Mapping):
            written += ["", f"{name.replace('_', ' ')}:"]
            written += [f"  {key.replace('_', ' ')}: {text}" for key, text in value.items()]
        elif name != "rows":
            written += ["", f"{name}: {value}"]
    rows = pack.card.get("rows", ())
    written += ["", lines(rows) if rows else "not measured"]
    return "\n".join(written)


def lines(found: Sequence[Mapping[str, Any]]) -> str:
    """Write rows of a card, as `pack.toml` keeps them, as lines for people."""
    written = [
        "language condition   clips    min   CER %  (95 %)         tag %  (95 %)        "
        " toned %  word s"
    ]
    for row in found:
        word = row.get("word_seconds")
        toned = row.get("toned")
        written.append(
            f"{row['language']:8} {row['condition']:10} {row['clips']:6} {row['minutes']:6.1f}"
            f"  {_rate(row, 'cer')}  {_rate(row, 'tagged')}"
            f"  {'' if toned is None else f'{toned:.2f}':>7}"
            f"  {'' if word is None else f'{word:.3f}':>6}".rstrip()
        )
    return "\n".join(written)


def _rate(row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        return " " * 22
    low, high = row.get(f"{name}_95", (row[name], row[name]))
    return f"{row[name]:6.2f} {f'({low:.2f}-{high:.2f})':15}"
