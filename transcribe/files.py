"""Recognise files from the command line: no queue, no database, one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from models.errors import Invalid, XiangyinError
from models.transcript import (
    UNKNOWN_LANGUAGE,
    Evidence,
    Frozen,
    ListenerReason,
    Recognition,
    Segment,
)
from transcribe.audio import Audio, decode
from transcribe.engine import Engine, Request

MAX_SECONDS = 1_800.0
AT_ONCE = 16


class Tag(Frozen):
    """The language of a file with its confidence, `und` when unsure."""

    tag: str = UNKNOWN_LANGUAGE
    confidence: float = 0.0


class Line(Frozen):
    """What became of one file.

    status : done, or needs_listener with its reason
    error : what a person should do, if the file could not be decoded or recognised
    """

    file: str
    status: Literal["done", "needs_listener"]
    reason: ListenerReason | None
    language: Tag = Tag()
    text: str = ""
    segments: tuple[Segment, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    seconds: float = 0.0
    speech_seconds: float = 0.0
    truncated: bool = False
    error: str = ""


def find(paths: Iterable[Path]) -> tuple[Path, ...]:
    """List files, folders by what lies in them; raise Invalid where there is nothing."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise Invalid(
                f"没有 {path} 这个文件。",
                f"There is no file {path}.",
                code="no_file",
            )
    return tuple(found)


def recognise(
    engine: Engine,
    paths: Sequence[Path],
    *,
    declared: str = "",
    max_seconds: float = MAX_SECONDS,
) -> Iterator[Line]:
    """Decode and recognise files, some at a time, and yield a line each in their order."""
    for start in range(0, len(paths), AT_ONCE):
        part = [(path, _decoded(path, max_seconds)) for path in paths[start : start + AT_ONCE]]
        sounds = [audio for _, audio in part if isinstance(audio, Audio)]
        outcomes = iter(engine.recognise([Request(one.samples, declared) for one in sounds]))
        for path, audio in part:
            if isinstance(audio, Audio):
                yield _line(path, audio, next(outcomes))
            else:
                yield _failed(path, ListenerReason.POOR_AUDIO, audio)


def _decoded(path: Path, max_seconds: float) -> Audio | XiangyinError:
    try:
        return decode(path, max_seconds=max_seconds)
    except XiangyinError as error:
        return error


def _line(path: Path, audio: Audio, outcome: Recognition | XiangyinError) -> Line:
    if isinstance(outcome, XiangyinError):
        return _failed(path, ListenerReason.PROCESSING_FAILED, outcome)
    language = outcome.language
    return Line(
        file=str(path),
        status="needs_listener" if outcome.reason else "done",
        reason=outcome.reason,
        language=Tag(tag=language.tag, confidence=round(language.confidence, 4)),
        text=outcome.text,
        segments=outcome.segments,
        evidence=outcome.evidence,
        seconds=round(outcome.seconds, 3),
        speech_seconds=round(outcome.speech_seconds, 3),
        truncated=audio.truncated,
    )


def _failed(path: Path, reason: ListenerReason, error: XiangyinError) -> Line:
    return Line(
        file=str(path),
        status="needs_listener",
        reason=reason,
        error=f"{error.zh} {error.en}",
    )
