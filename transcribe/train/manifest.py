"""Manifests of recordings: read, checked line by line, and split for training."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import Unplayable
from transcribe.audio import decode
from transcribe.train.grammar import bare

SHORTEST_SECONDS = 0.3
LONGEST_SECONDS = 30.0
# Bare characters a second that people say, from slow and halting to fast.
_PACE = {"syllabic": (0.7, 10.0), "alphabetic": (1.5, 32.0)}
_SYLLABIC = ("CJK", "HANGUL", "YI SYLLABLE", "BOPOMOFO", "HIRAGANA", "KATAKANA")
LEAST_CLIPS = 10
LEAST_MINUTES = 1.0


class ManifestError(ValueError):
    """A manifest from which nothing can be trained, with what is needed instead."""


@dataclass(frozen=True)
class Entry:
    """One recording, or a stretch of one, with what is said in it.

    start, end : seconds in the file; seconds : length of the stretch
    words : text, start and end of each word from the start of the stretch, where they are known
    """

    line: int
    audio: Path
    text: str
    language: str
    speaker: str
    start: float
    end: float
    condition: str = ""
    words: tuple[tuple[str, float, float], ...] = ()

    @property
    def seconds(self) -> float:
        """Return the length of the stretch."""
        return self.end - self.start


@dataclass(frozen=True)
class Refused:
    """A line that is left out, with the reason."""

    line: int
    reason: str


@dataclass(frozen=True)
class Manifest:
    """What of a manifest can be used, and what is left out."""

    entries: tuple[Entry, ...]
    refused: tuple[Refused, ...]

    def minutes(self) -> dict[str, float]:
        """Return minutes of sound by language."""
        total: dict[str, float] = {}
        for entry in self.entries:
            total[entry.language] = total.get(entry.language, 0.0) + entry.seconds / 60
        return total


def read(path: Path, languages: Iterable[str] | None = None) -> Manifest:
    """Read a manifest of JSON lines; a line that cannot be used is reported and left out.

    languages : tags that are allowed, or None for any
    """
    allowed = None if languages is None else frozenset(languages)
    entries: list[Entry] = []
    refused: list[Refused] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entries.append(_entry(path.parent, number, line, allowed))
        except ManifestError as error:
            refused.append(Refused(number, str(error)))
    return Manifest(tuple(entries), tuple(refused))


def _entry(folder: Path, number: int, line: str, allowed: frozenset[str] | None) -> Entry:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ManifestError(f"this is no JSON: {error.msg}") from error
    if not isinstance(row, dict):
        raise ManifestError("a line must be a JSON object")
    text, language = _text(row, "text"), _text(row, "language")
    if not bare(text):
        raise ManifestError("the text is empty")
    if allowed is not None and language not in allowed:
        raise ManifestError(f"the language {language!r} is none of {', '.join(sorted(allowed))}")
    audio = folder / _text(row, "audio")
    if not audio.is_file():
        raise ManifestError(f"there is no file {audio.name}")
    length = _length(audio)
    start, end = _number(row, "start", 0.0), _number(row, "end", length)
    if not 0 <= start < end <= length + 0.1:
        raise ManifestError(f"from {start} to {end} s is not a stretch of its {length:.1f} s")
    _judge(text, end - start)
    return Entry(
        number,
        audio,
        unicodedata.normalize("NFC", " ".join(text.split())),
        language,
        str(row.get("speaker") or ""),
        start,
        min(end, length),
        str(row.get("condition") or ""),
        tuple((str(w), float(s), float(e)) for w, s, e in row.get("words") or ()),
    )


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ManifestError(f"{key} is missing or empty")
    return value


def _number(row: dict[str, Any], key: str, default: float) -> float:
    value = row.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ManifestError(f"{key} must be a number of seconds")
    return float(value)


def _length(audio: Path) -> float:
    try:
        return decode(audio, max_seconds=3600).seconds
    except Unplayable as error:
        raise ManifestError(f"{audio.name} cannot be decoded") from error


def _judge(text: str, seconds: float) -> None:
    if seconds < SHORTEST_SECONDS:
        raise ManifestError(f"{seconds:.2f} s is too short (at least {SHORTEST_SECONDS} s)")
    if seconds > LONGEST_SECONDS:
        raise ManifestError(
            f"{seconds:.1f} s is too long: give stretches of at most {LONGEST_SECONDS:.0f} s"
        )
    letters = bare(text)
    slow, fast = _PACE["syllabic" if _syllabic(letters) else "alphabetic"]
    pace = len(letters) / seconds
    if not slow <= pace <= fast:
        raise ManifestError(
            f"the text cannot belong to its sound: {pace:.1f} characters a second"
            f" (people say {slow} to {fast})"
        )


def _syllabic(letters: str) -> bool:
    """Tell whether most letters stand for a syllable each."""
    names = [unicodedata.name(c, "") for c in letters]
    return sum(name.startswith(_SYLLABIC) for name in names) * 2 > len(names)


@dataclass(frozen=True)
class Split:
    """Entries to train on and entries to check with."""

    training: tuple[Entry, ...]
    check: tuple[Entry, ...]


def split(entries: Sequence[Entry], share: float = 0.1) -> Split:
    """Part entries by speaker where known, else by file; raise ManifestError where too few.

    The same speaker or file falls on the same side every time: its hash decides.
    """
    training: list[Entry] = []
    check: list[Entry] = []
    for language in sorted({entry.language for entry in entries}):
        own = [entry for entry in entries if entry.language == language]
        minutes = sum(entry.seconds for entry in own) / 60
        if len(own) < LEAST_CLIPS or minutes < LEAST_MINUTES:
            raise ManifestError(
                f"{language}: {len(own)} clips of {minutes:.1f} minutes are too little;"
                f" at least {LEAST_CLIPS} clips and {LEAST_MINUTES:.0f} minute are needed"
            )
        groups: dict[str, list[Entry]] = {}
        for entry in own:
            groups.setdefault(entry.speaker or str(entry.audio), []).append(entry)
        if len(groups) < 2:
            raise ManifestError(
                f"{language}: all clips are of one speaker or one file;"
                " clips of a second one are needed to check the result"
            )
        ordered = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest())
        wanted = max(1, round(share * len(own)))
        for position, name in enumerate(ordered):
            taken = sum(entry.language == language for entry in check)
            last = position == len(ordered) - 1
            (check if taken < wanted and not last else training).extend(groups[name])
    return Split(tuple(training), tuple(check))
