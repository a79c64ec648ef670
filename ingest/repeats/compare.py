"""Whether two reports seem to be about the same thing, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

import numpy as np

from ingest import fingerprint
from ingest.repeats.trace import Entry
from models.record import GIVEN_NAME_UNSAID
from models.transcript import Frozen

ROUND_FIGURES = 1
SHORTEST = 16  # runs; a shorter text is like every other
SAME_TEXT = 0.75  # alike whatever else was read
BARE_TEXT = 0.6  # alike, nothing speaks against it, and nothing but the text for it
ALIKE_TEXT = 0.45  # alike, facts agree, and nothing speaks against it
ECHO_TEXT = 0.18  # somewhat alike, and body, matter and a fact agree


class Reason(Frozen):
    """Why two reports may be about the same thing, with what agrees."""

    kind: Literal["same_recording", "same_sound", "same_matter"]
    score: float
    agree: tuple[str, ...] = ()


class Proposal(Frozen):
    """That one report may repeat another; a person decides."""

    id: UUID
    other: UUID
    score: float
    reasons: tuple[Reason, ...]


def compare(later: Entry, earlier: Entry, *, by_sound: bool = True) -> Proposal | None:
    """Compare two reports; None if they seem to be about different things.

    by_sound : False where their recordings are known to have too few marks in common
    """
    if later.jurisdiction != earlier.jurisdiction:
        return None
    reasons = (
        *_same_recording(later, earlier),
        *(_same_sound(later, earlier) if by_sound else ()),
        *_same_matter(later, earlier),
    )
    if not reasons:
        return None
    score = max(reason.score for reason in reasons)
    return Proposal(id=later.id, other=earlier.id, score=round(score, 3), reasons=reasons)


def _same_recording(one: Entry, other: Entry) -> Iterator[Reason]:
    if one.hashes & other.hashes:
        yield Reason(kind="same_recording", score=1.0, agree=("content_hash",))


def _same_sound(one: Entry, other: Entry) -> Iterator[Reason]:
    best = max((fingerprint.alike(a, b) for a in one.marks for b in other.marks), default=0.0)
    if best > 0:
        # any alignment that `alike` accepts is beyond chance; the share says how much was kept
        yield Reason(kind="same_sound", score=round(0.9 + 0.1 * best, 3), agree=("fingerprint",))


def _same_matter(one: Entry, other: Entry) -> Iterator[Reason]:
    """Weigh text, body, kind, person, time and amounts; a clear difference speaks against it."""
    text = similarity(one, other)
    agree, differ = _facts(one, other)
    facts = sum(name in agree for name in ("person", "occurred", "amounts"))
    matter = {"unit", "domain"} <= set(agree)
    enough = (
        (text >= SAME_TEXT and differ <= 1)
        or (text >= (ALIKE_TEXT if _says_much(agree) else BARE_TEXT) and not differ)
        or (text >= ECHO_TEXT and matter and facts > differ)
        # without a word in common two facts are chance in a busy office, unless one is telling
        or (matter and facts >= 2 and not differ and (facts > 2 or _is_telling(one, other)))
    )
    if enough:
        score = min(0.95, 0.5 + 0.35 * text + 0.05 * len(agree) - 0.05 * differ)
        said = (*agree, "text") if text >= ECHO_TEXT else agree
        yield Reason(kind="same_matter", score=round(score, 3), agree=said)


def _says_much(agree: tuple[str, ...]) -> bool:
    """Tell whether what agrees is more than a kind of matter or a time, which many share."""
    return len(agree) > 1 or bool({"unit", "person", "amounts"} & set(agree))


def _is_telling(one: Entry, other: Entry) -> bool:
    """Tell whether two reports have a full name or a sum in common that is not round."""
    name = one.facts.person
    named = len(name) > 1 and not name.endswith(GIVEN_NAME_UNSAID) and name == other.facts.person
    return named or any(not _is_round(value) for value, _ in one.counted & other.counted)


def _is_round(value: float) -> bool:
    """Tell a sum that many reports speak of: one figure and noughts."""
    return len(f"{value:.2f}".replace(".", "").strip("0")) <= ROUND_FIGURES


def _facts(one: Entry, other: Entry) -> tuple[tuple[str, ...], int]:
    """Give the facts that agree, and how many of those said by both do not."""
    mine, theirs = one.facts, other.facts
    agree = [
        name
        for name in ("unit", "domain", "person")
        if getattr(mine, name) and getattr(mine, name) == getattr(theirs, name)
    ]
    differ = sum(
        bool(a and b and a != b)
        for a, b in ((mine.unit, theirs.unit), (mine.person, theirs.person))
    )
    if mine.start and mine.end and theirs.start and theirs.end:
        if mine.start <= theirs.end and theirs.start <= mine.end:
            agree.append("occurred")
        else:
            differ += 1
    if one.counted & other.counted:
        agree.append("amounts")
    elif one.counted and other.counted:
        differ += 1
    return tuple(agree), differ


def similarity(one: Entry, other: Entry) -> float:
    """Estimate the share of the shorter text's runs that the other has too, from the sketches.

    Below the last key of a full sketch every run of a text has its key in it, so what lies below
    both is a random sample of all runs of either text (A. Broder, "On the resemblance and
    containment of documents", 1997).
    """
    if one.runs < SHORTEST or other.runs < SHORTEST:
        return 0.0
    common = one.keys & other.keys
    if not common:
        return 0.0
    last = min(_known_until(one), _known_until(other))
    both = sum(key <= last for key in common)
    mine, theirs = (int(np.searchsorted(each.sketch, last, "right")) for each in (one, other))
    resemblance = both / (mine + theirs - both)
    shared = resemblance / (1 + resemblance) * (one.runs + other.runs)
    return min(1.0, shared / min(one.runs, other.runs))


def _known_until(one: Entry) -> int:
    """Give the key up to which a sketch holds all of its text."""
    return int(one.sketch[-1]) if one.runs > len(one.sketch) else int(np.iinfo(np.uint32).max)
