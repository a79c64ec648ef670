"""Manifests of recordings: read, checked line by line, and split for training."""

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import Invalid, Unplayable, XiangyinError
from transcribe.audio import decode
from transcribe.train.grammar import bare

NAME = "manifest.jsonl"
SHORTEST_SECONDS = 0.3
LONGEST_SECONDS = 30.0
LONGEST_FILE_SECONDS = 3600.0
# Bare characters a second that people say, from slow and halting to fast.
_PACE = {"syllabic": (0.7, 10.0), "alphabetic": (1.5, 32.0)}
_SYLLABIC = ("CJK", "HANGUL", "YI SYLLABLE", "BOPOMOFO", "HIRAGANA", "KATAKANA")
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
LEAST_CLIPS = 10
LEAST_MINUTES = 1.0


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
class LeftOut:
    """A line of a manifest that is left out, with the reason."""

    manifest: str
    line: int
    zh: str
    en: str

    def __str__(self) -> str:
        return (
            f"{self.manifest}: 第 {self.line} 行略去：{self.zh} / line {self.line} left out: "
            f"{self.en}"
        )


@dataclass(frozen=True)
class Manifest:
    """What of a manifest can be used, and what is left out."""

    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]

    def minutes(self) -> dict[str, float]:
        """Return minutes of sound by language."""
        total: dict[str, float] = {}
        for entry in self.entries:
            total[entry.language] = total.get(entry.language, 0.0) + entry.seconds / 60
        return total


def bad(zh: str, en: str) -> Invalid:
    """Make the error of a manifest, or of a line of one, that cannot be used."""
    return Invalid(zh, en, code="bad_manifest")


def of(path: Path) -> Path:
    """Give a manifest, or that of a folder."""
    return path / NAME if path.is_dir() else path


def read(
    path: Path,
    languages: Iterable[str] | None = None,
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Manifest:
    """Read a manifest of JSON lines; a line that cannot be used is reported and left out.

    languages : tags that are allowed, or None for any
    watch : told after each line how many of how many are read
    Raise Invalid where there is no such file.
    """
    allowed = None if languages is None else frozenset(languages)
    entries: list[Entry] = []
    left_out: list[LeftOut] = []
    lengths = _Lengths()
    lines = _lines(path)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                entries.append(_entry(path.parent, number, line, allowed, lengths))
            except XiangyinError as error:
                left_out.append(LeftOut(path.name, number, error.zh, error.en))
        watch(number, len(lines))
    return Manifest(tuple(entries), tuple(left_out))


def _lines(path: Path) -> list[str]:
    try:
        # Not splitlines(), which cuts at signs that a JSON text may hold.
        return path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise bad(
            f"读不到清单 {path}：需要 UTF-8 的 JSON 行文件。",
            f"The manifest {path} cannot be read: give a file of JSON lines in UTF-8.",
        ) from error


def audio(path: Path) -> frozenset[Path]:
    """List the files that a manifest names and that are there, without reading them."""
    found = set()
    for line in _lines(path):
        try:
            named = path.parent / _text(_row(line), "audio")
        except XiangyinError:
            continue
        if named.is_file():
            found.add(named)
    return frozenset(found)


class _Lengths:
    """The lengths of recordings, each decoded once however many lines point into it."""

    def __init__(self) -> None:
        self._known: dict[Path, float] = {}

    def of(self, audio: Path) -> float:
        if audio not in self._known:
            try:
                self._known[audio] = decode(audio, max_seconds=LONGEST_FILE_SECONDS).seconds
            except Unplayable as error:
                raise bad(f"{audio.name} 无法解码。", f"{audio.name} cannot be decoded.") from error
        return self._known[audio]


def _entry(
    folder: Path, number: int, line: str, allowed: frozenset[str] | None, lengths: _Lengths
) -> Entry:
    row = _row(line)
    text, language = _text(row, "text"), _text(row, "language")
    if not bare(text):
        raise bad("文字是空的。", "The text is empty.")
    if not _TAG.fullmatch(language):
        raise bad(f"{language!r} 不是语言标签。", f"{language!r} is no tag of a language (BCP-47).")
    if allowed is not None and language not in allowed:
        every = ", ".join(sorted(allowed))
        raise bad(
            f"语言 {language} 不在 {every} 之中。", f"The language {language} is none of {every}."
        )
    audio = folder / _text(row, "audio")
    if not audio.is_file():
        raise bad(f"没有文件 {audio.name}。", f"There is no file {audio.name}.")
    length = lengths.of(audio)
    start, end = _number(row, "start", 0.0), _number(row, "end", length)
    if end - start == 0:
        raise bad("长度为 0 秒。", "It is 0 s long.")
    if not 0 <= start < end <= length + 0.1:
        raise bad(
            f"{start:g} 到 {end:g} 秒不在 {length:.1f} 秒的录音之内。",
            f"From {start:g} to {end:g} s is no stretch of its {length:.1f} s.",
        )
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
        _words(row),
    )


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise bad("这不是 JSON。", "This is no JSON.") from error
    if not isinstance(row, dict):
        raise bad("一行应是一个 JSON 对象。", "A line must be a JSON object.")
    return row


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise bad(f"缺少 {key}，或为空。", f"{key} is missing or empty.")
    return value


def _number(row: dict[str, Any], key: str, default: float) -> float:
    value = row.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise bad(f"{key} 应是秒数。", f"{key} must be a number of seconds.")
    return float(value)


def _words(row: dict[str, Any]) -> tuple[tuple[str, float, float], ...]:
    try:
        return tuple((str(w), float(s), float(e)) for w, s, e in row.get("words") or ())
    except (TypeError, ValueError) as error:
        raise bad(
            "words 应是 [词, 起, 止] 的列表。", "words must be a list of [word, start, end]."
        ) from error


def _judge(text: str, seconds: float) -> None:
    if seconds < SHORTEST_SECONDS:
        raise bad(
            f"{seconds:.2f} 秒太短（至少 {SHORTEST_SECONDS} 秒）。",
            f"{seconds:.2f} s is too short (at least {SHORTEST_SECONDS} s).",
        )
    if seconds > LONGEST_SECONDS:
        raise bad(
            f"{seconds:.1f} 秒太长：请切成最多 {LONGEST_SECONDS:.0f} 秒的片段。",
            f"{seconds:.1f} s is too long: give stretches of at most {LONGEST_SECONDS:.0f} s.",
        )
    letters = bare(text)
    slow, fast = _PACE["syllabic" if _syllabic(letters) else "alphabetic"]
    pace = len(letters) / seconds
    if not slow <= pace <= fast:
        raise bad(
            f"文字与声音对不上：每秒 {pace:.1f} 个字（人说话是 {slow} 到 {fast}）。",
            f"The text cannot belong to its sound: {pace:.1f} characters a second (people say "
            f"{slow} to {fast}).",
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
    """Part entries by speaker where known, else by file; raise Invalid where too few.

    The same speaker or file falls on the same side every time: its hash decides.
    """
    training: list[Entry] = []
    check: list[Entry] = []
    for language in sorted({entry.language for entry in entries}):
        own = [entry for entry in entries if entry.language == language]
        minutes = sum(entry.seconds for entry in own) / 60
        if len(own) < LEAST_CLIPS or minutes < LEAST_MINUTES:
            raise bad(
                f"{language}：只有 {len(own)} 段、{minutes:.1f} 分钟，太少；"
                f"至少需要 {LEAST_CLIPS} 段、{LEAST_MINUTES:.0f} 分钟。",
                f"{language}: {len(own)} clips of {minutes:.1f} minutes are too little; at least "
                f"{LEAST_CLIPS} clips and {LEAST_MINUTES:.0f} minute are needed.",
            )
        groups: dict[str, list[Entry]] = {}
        for entry in own:
            groups.setdefault(entry.speaker or str(entry.audio), []).append(entry)
        if len(groups) < 2:
            raise bad(
                f"{language}：所有片段都来自同一个人或同一个文件；还需要另一个人的片段来检验结果。",
                f"{language}: all clips are of one speaker or one file; clips of a second one are "
                "needed to check the result.",
            )
        ordered = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest())
        wanted = max(1, round(share * len(own)))
        for position, name in enumerate(ordered):
            taken = sum(entry.language == language for entry in check)
            last = position == len(ordered) - 1
            (check if taken < wanted and not last else training).extend(groups[name])
    return Split(tuple(training), tuple(check))
