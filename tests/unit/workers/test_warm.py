from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.packs import Pack
from tests.fakes import FakeEngine
from transcribe.engine import Engine
from workers import warm
from workers.warm import Warm

WRITTEN = """
name = "{name}"
version = "{version}"
licence = "none"
[[languages]]
tag = "zh"
name = "Chinese"
autonym = "中文"
token = "zh"
"""


def install(folder: Path, name: str, version: str, at: int) -> Path:
    place = folder / f"{name}-{version}"
    place.mkdir(parents=True)
    written = place / "pack.toml"
    written.write_text(WRITTEN.format(name=name, version=version))
    os.utime(written, ns=(at * 10**9, at * 10**9))
    return place


class Loaded(FakeEngine):
    def __init__(self, pack: Pack) -> None:
        super().__init__()
        self.pack = pack


def load(pack: Pack) -> Engine:
    if pack.version == "broken":
        raise RuntimeError("no model")
    return Loaded(pack)


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(warm, "LOOK_SECONDS", 0.0)
    return tmp_path / "packs"


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return install(tmp_path / "shipped", "demo", "1", 1)


def test_a_new_pack_is_taken_over_between_batches(packs: Path, demo: Path) -> None:
    held = Warm(load, packs, demo=demo)
    first = held.engine()
    assert first.pack.name == "demo"
    assert held.engine() is first
    install(packs, "county", "1", 100)
    assert held.engine().pack.name == "county"
    install(packs, "county", "2", 200)
    assert held.engine().pack.label == "county 2"


def test_a_pack_that_does_not_load_leaves_the_old_one_at_work(packs: Path, demo: Path) -> None:
    held = Warm(load, packs, demo=demo)
    install(packs, "county", "broken", 100)
    assert held.engine().pack.name == "demo"
    (packs / "half").mkdir()
    (packs / "half" / "pack.toml").write_text("name = ")
    assert held.engine().pack.name == "demo"


def test_a_named_pack_is_not_replaced_by_another(packs: Path, demo: Path) -> None:
    install(packs, "county", "1", 100)
    held = Warm(load, packs, "county", demo)
    install(packs, "village", "1", 200)
    assert held.engine().pack.name == "county"
