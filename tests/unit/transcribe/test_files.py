"""Recognising files from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from models.errors import Invalid, Permanent, XiangyinError
from models.packs import Pack
from models.transcript import Language, ListenerReason, Recognition, Segment
from tests.unit.transcribe.conftest import FORMS, encode, melody
from transcribe import files
from transcribe.engine import Request
from transcribe.turns import Tell


class Echo:
    """An engine that finds one segment in what is long, and fails on what is declared bad."""

    pack = Pack(name="echo", version="0", licence="none", languages=(), folder=Path())

    def recognise(
        self, requests: Sequence[Request], tell: Tell = lambda _: None
    ) -> list[Recognition | XiangyinError]:
        """Give one outcome a request."""
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Recognition | XiangyinError:
        if request.declared == "bad":
            return Permanent("坏了", "Broken.")
        seconds = len(request.samples) / 16_000
        return Recognition(
            segments=(Segment(start=0, end=seconds, text="好", trusted=True),),
            languages=(Language(tag="zh", confidence=0.9, by="tagger"),),
            evidence=(),
            reason=None,
            model="echo 0",
            seconds=seconds,
            speech_seconds=seconds,
        )


def test_each_file_has_one_line_in_its_order(
    written: Callable[[bytes, str], Path], tmp_path: Path
) -> None:
    written(encode(melody(2), FORMS["wav"]), "a.wav")
    written(b"no sound at all", "b.wav")
    written(encode(melody(1), FORMS["ogg/opus"]), "c.ogg")
    lines = list(files.recognise(Echo(), files.find([tmp_path])))
    assert [Path(line.file).name for line in lines] == ["a.wav", "b.wav", "c.ogg"]
    assert [line.status for line in lines] == ["done", "needs_listener", "done"]
    assert lines[1].reason is ListenerReason.POOR_AUDIO
    assert lines[1].language.tag == "und"
    shown = json.loads(lines[0].model_dump_json())
    assert {"file", "status", "reason", "language", "segments"} <= shown.keys()
    assert shown["language"] == {"tag": "zh", "confidence": 0.9}


def test_a_failure_of_the_engine_needs_a_listener(
    written: Callable[[bytes, str], Path],
) -> None:
    path = written(encode(melody(1), FORMS["wav"]), "a.wav")
    (line,) = files.recognise(Echo(), [path], declared="bad")
    assert line.reason is ListenerReason.PROCESSING_FAILED
    assert line.error


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="nowhere"):
        files.find([tmp_path / "nowhere.wav"])
