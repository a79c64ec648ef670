"""Whether a text may be shown as what was said: gates that flag with a figure, and never delete.

No single figure tells an invented text. A doubt about sound (no speech) counts only together with
a doubt about the text (a low log-probability), as in Whisper; loops, impossible speed, known
sign-offs and two decodings that disagree count by themselves.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from faster_whisper.transcribe import get_compression_ratio
from rapidfuzz.distance import Levenshtein

from models.packs import Thresholds
from models.transcript import Flag, Frozen
from transcribe.tidy import CHINESE, simplify
from transcribe.whisper import Written

# A text says so little for so long that most of what was said is missing. Characters a second.
LEAST_CHARACTERS_A_SECOND = 0.7
SPARSE_FROM_SECONDS = 2.0
# A unit said over and over: from this many times on, over this share of the text.
REPEATS = 4
REPEATED_SHARE = 0.5
SHORTEST_LOOP = 8
LONGEST_UNIT = 40
# A known sign-off taking this share of a text; less is only noted.
PHRASE_SHARE = 0.3
# Two decodings of one sound that share less than this.
LEAST_AGREEMENT = 0.6
# Whisper's ratio means something only once a text has some length. Bytes.
COMPRESSIBLE_BYTES = 60

NOTED_ONLY = frozenset({"phrase_noted"})


@dataclass(frozen=True)
class Scores:
    """What is known about a text besides the text.

    average_logprob, no_speech : of the decoding
    seconds : of speech that it is the text of
    agreement : of two decodings, 0..1, or None if there was one
    """

    average_logprob: float
    no_speech: float
    seconds: float
    agreement: float | None = None
    cut_off: bool = False


class PhraseLists(Frozen):
    """The phrase list as data. phrases : by language, `any` for all"""

    version: int
    phrases: dict[str, tuple[str, ...]]


def judge(
    text: str, tag: str, scores: Scores, thresholds: Thresholds
) -> tuple[tuple[Flag, ...], bool]:
    """Flag every doubt about a text, and tell whether it can be trusted."""
    flags = tuple(_flags(text, tag, scores, thresholds))
    return flags, not any(flag.name not in NOTED_ONLY for flag in flags)


def poor(written: Written, seconds: float, thresholds: Thresholds) -> bool:
    """Tell whether a text should be decoded again with more care."""
    scores = Scores(written.average_logprob, written.no_speech, seconds, cut_off=written.cut_off)
    return bool(tuple(_figures(written.text, scores, thresholds)))


def _flags(text: str, tag: str, scores: Scores, thresholds: Thresholds) -> list[Flag]:
    flags = list(_figures(text, scores, thresholds))
    covered = phrase_share(text, tag)
    if covered:
        name = "phrase" if covered >= PHRASE_SHARE else "phrase_noted"
        flags.append(Flag(name=name, value=round(covered, 3)))
    if scores.agreement is not None and scores.agreement < LEAST_AGREEMENT:
        flags.append(Flag(name="disagreement", value=round(scores.agreement, 3)))
    return flags


def _figures(text: str, scores: Scores, thresholds: Thresholds) -> list[Flag]:
    """Flag what the figures alone say."""
    flags: list[Flag] = []

    def flag(name: str, value: float) -> None:
        flags.append(Flag(name=name, value=round(value, 3)))

    low = scores.average_logprob < thresholds.average_logprob
    if low:
        flag("average_logprob", scores.average_logprob)
    if low and scores.no_speech > thresholds.no_speech:
        flag("no_speech", scores.no_speech)
    ratio = compression(text)
    if ratio > thresholds.compression_ratio:
        flag("compression_ratio", ratio)
    repeated = repetition(text)
    if repeated >= REPEATED_SHARE:
        flag("repetition", repeated)
    speed = len(_bare(text)) / max(scores.seconds, 0.1)
    if speed > thresholds.characters_per_second or (
        speed < LEAST_CHARACTERS_A_SECOND and scores.seconds >= SPARSE_FROM_SECONDS
    ):
        flag("characters_per_second", speed)
    if scores.cut_off:
        flag("cut_off", 1.0)
    return flags


def compression(text: str) -> float:
    """Give how far a text can be compressed, or 0 where it is too short to tell."""
    long_enough = len(text.encode()) >= COMPRESSIBLE_BYTES
    return float(get_compression_ratio(text)) if long_enough else 0.0


def repetition(text: str) -> float:
    """Give the largest share of a text that is one unit said REPEATS times or more in a row."""
    bare = _bare(text)
    if len(bare) < SHORTEST_LOOP:
        return 0.0
    longest = 0
    for unit in range(1, min(LONGEST_UNIT, len(bare) // REPEATS) + 1):
        run = 0
        for place in range(unit, len(bare)):
            run = run + 1 if bare[place] == bare[place - unit] else 0
            if run >= unit * (REPEATS - 1):
                longest = max(longest, run + unit)
    return longest / len(bare)


def phrase_share(text: str, tag: str) -> float:
    """Give the share of a text that known sign-offs and credits make up."""
    bare = _bare(text)
    if not bare:
        return 0.0
    covered = bytearray(len(bare))
    for phrase in _phrases(tag.split("-")[0]):
        place = bare.find(phrase)
        while place >= 0:
            covered[place : place + len(phrase)] = b"\x01" * len(phrase)
            place = bare.find(phrase, place + 1)
    return sum(covered) / len(bare)


def agreement(first: str, second: str) -> float:
    """Give how far two texts are the same, 0..1, by edits over the longer one."""
    return float(Levenshtein.normalized_similarity(_bare(first), _bare(second)))


def _bare(text: str) -> str:
    """Drop case, spaces, punctuation and signs, and simplify Chinese."""
    kept = (
        character
        for character in unicodedata.normalize("NFKC", text).casefold()
        if unicodedata.category(character)[0] in "LNM"
    )
    return simplify("".join(kept))


@lru_cache
def _phrases(tag: str) -> Sequence[str]:
    """Give the bare phrases for a language and those for all, longest first."""
    lists = _lists().phrases
    kin = (*CHINESE, "any") if tag in CHINESE else (tag, "any")
    bare = {_bare(phrase) for name in kin for phrase in lists.get(name, ())}
    return sorted(bare, key=len, reverse=True)


@lru_cache(maxsize=1)
def _lists() -> PhraseLists:
    content = files("transcribe").joinpath("data/phrases.toml").read_text("utf-8")
    return PhraseLists.model_validate(tomllib.loads(content))
