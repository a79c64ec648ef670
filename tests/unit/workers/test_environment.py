from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from models.settings import Limits, Settings
from workers.environment import as_environment


def test_a_started_process_reads_the_very_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings(
        data=Path("elsewhere"),
        port=9_000,
        tls_key=Path("key.pem"),
        metrics_token=SecretStr("a secret"),
        limits=Limits(files=3),
        batch_wait_ms=7,
    )
    for name, value in as_environment(given).items():
        monkeypatch.setenv(name, value)
    assert Settings() == given
    assert Settings().metrics_token.get_secret_value() == "a secret"


def test_what_is_not_set_is_left_out() -> None:
    assert "XIANGYIN_TLS_KEY" not in as_environment(Settings())
