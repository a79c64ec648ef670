"""The client waits for the report, and says what to do when nothing answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.client import Client
from models.errors import Invalid, Unavailable


def test_waiting_ends_when_the_report_is_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([{"status": "received"}, {"status": "received"}, {"status": "ready"}])

    def state(_: Client, receipt: str) -> dict[str, Any]:
        assert receipt == "1234"
        return next(states)

    monkeypatch.setattr(Client, "state", state)
    monkeypatch.setattr("api.client.POLL_SECONDS", 0.0)
    with Client("http://127.0.0.1:9") as client:
        assert client.wait("1234")["status"] == "ready"


def test_waiting_ends_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "state", lambda *_: {"status": "received"})
    monkeypatch.setattr("api.client.POLL_SECONDS", 0.0)
    with Client("http://127.0.0.1:9") as client, pytest.raises(Unavailable):
        client.wait("1234", seconds=0.05)


def test_no_server_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"RIFF")
    with Client("http://127.0.0.1:9") as client, pytest.raises(Unavailable, match="xiangyin up"):
        client.submit([clip])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(Invalid, match="missing"):
        client.submit([tmp_path / "missing.wav"])
