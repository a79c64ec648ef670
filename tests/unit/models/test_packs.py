"""A worse pack is not installed by mistake, and what was there stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from models import packs
from models.errors import Conflict, Misconfigured


def make(folder: Path, version: str = "1", cer: float | None = None) -> Path:
    rows = [] if cer is None else [{"language": "zh", "condition": "all", "cer": cer}]
    page: dict[str, Any] = {
        "name": "home",
        "version": version,
        "licence": "Apache-2.0",
        "languages": [{"tag": "zh", "name": "Chinese", "autonym": "中文", "token": "zh"}],
        "card": {"rows": rows},
    }
    folder.mkdir(parents=True)
    (folder / packs.PACK_FILE).write_text(tomli_w.dumps(page))
    (folder / "model.bin").write_bytes(b"weights")
    return folder


def test_an_installed_pack_is_whole_and_the_older_one_stays(tmp_path: Path) -> None:
    into = tmp_path / "packs"
    old = packs.install(make(tmp_path / "a", "1", 9.0), into, instead_of=None)
    new = packs.install(make(tmp_path / "b", "2", 8.0), into, instead_of=old)
    assert [pack.version for pack in packs.installed(into)] == ["1", "2"]
    assert (new.folder / "model.bin").read_bytes() == b"weights"


def test_a_worse_pack_is_refused_unless_forced(tmp_path: Path) -> None:
    into = tmp_path / "packs"
    old = packs.install(make(tmp_path / "a", "1", 8.0), into, instead_of=None)
    worse = make(tmp_path / "b", "2", 8.1)
    with pytest.raises(Conflict, match="worse"):
        packs.install(worse, into, instead_of=old)
    assert packs.install(worse, into, instead_of=old, force=True).version == "2"


def test_a_pack_without_a_card_does_not_replace_a_measured_one(tmp_path: Path) -> None:
    old = packs.read(make(tmp_path / "a", "1", 8.0))
    with pytest.raises(Conflict, match="no report card"):
        packs.install(make(tmp_path / "b", "2"), tmp_path / "packs", instead_of=old)


def test_a_version_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    into = tmp_path / "packs"
    packs.install(make(tmp_path / "a"), into, instead_of=None)
    with pytest.raises(Conflict, match="another version"):
        packs.install(make(tmp_path / "b"), into, instead_of=None)


def test_a_folder_without_a_page_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        packs.read(tmp_path)
    (tmp_path / packs.PACK_FILE).write_text("name = 3")
    with pytest.raises(Misconfigured):
        packs.read(tmp_path)
