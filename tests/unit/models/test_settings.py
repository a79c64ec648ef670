from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import Misconfigured
from models.settings import Settings, read


@pytest.mark.parametrize(
    "name", ["XIANGYIN_PORT", "XIANGYIN_LIMIT_FILES", "XIANGYIN_SWEEP_SECONDS"]
)
def test_a_setting_that_does_not_fit_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "marked")
    with pytest.raises(Misconfigured) as caught:
        read()
    assert name in caught.value.zh and name in caught.value.en
    assert "marked" not in caught.value.en


def test_a_deployment_s_own_lists_are_found_in_its_folder(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    assert (settings.holidays, settings.codes) == (None, None)
    for name in ("holidays.toml", "codes.toml"):
        (tmp_path / name).write_text("")
    assert settings.holidays == tmp_path / "holidays.toml"
    assert settings.codes == tmp_path / "codes.toml"
