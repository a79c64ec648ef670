"""A worse pack is not installed by mistake, and what was there stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from models import packs
from models.errors import Conflict, Misconfigured


def make(folder: Path, version: str = "1", cer: float | None = None, name: str = "home") -> Path:
    rows = [] if cer is None else [{"language": "zh", "condition": "all", "cer": cer}]
    page: dict[str, Any] = {
        "name": name,
        "version": version,
        "licence": "Apache-2.0",
        "languages": [{"tag": "zh", "name": "Chinese", "autonym": "中文", "token": "zh"}],
        "card": {"rows": rows},
    }
    folder.mkdir(parents=True)
    (folder / packs.PACK_FILE).write_text(tomli_w.dumps(page))
    (folder / "model.bin").write_bytes(b"weights")
    return folder


def hears(**rates: dict[str, float]) -> packs.Measure:
    """Give a measurement that finds these rates by the last part of a folder's name."""
    return lambda folder: rates[folder.name.replace("-", "_")]


def test_an_installed_pack_is_whole_and_the_older_one_stays(tmp_path: Path) -> None:
    into = tmp_path / "packs"
    packs.install(make(tmp_path / "a", "1", 9.0), into)
    new, _ = packs.install(make(tmp_path / "b", "2", 8.0), into)
    assert [pack.version for pack in packs.installed(into)] == ["1", "2"]
    assert (new.folder / "model.bin").read_bytes() == b"weights"


def test_a_worse_pack_is_refused_unless_forced(tmp_path: Path) -> None:
    into = tmp_path / "packs"
    old, _ = packs.install(make(tmp_path / "a", "1", 8.0), into)
    # What their cards say was measured on other recordings, and does not count.
    worse = make(tmp_path / "b", "2", 1.0)
    measure = hears(home_1={"zh": 0.08}, b={"zh": 0.081})
    with pytest.raises(Conflict, match=r"worse .* 8\.10 % against 8\.00 %") as refused:
        packs.install(worse, into, instead_of=old, measure=measure)
    assert "比在用的" in refused.value.zh
    assert packs.installed(into) == (old,)
    forced, verdict = packs.install(worse, into, instead_of=old, measure=measure, force=True)
    assert (forced.version, verdict) == ("2", None)


def test_a_pack_as_good_takes_the_place_and_says_how_both_did(tmp_path: Path) -> None:
    old, _ = packs.install(make(tmp_path / "a", "1", 8.0), tmp_path / "packs")
    measure = hears(home_1={"zh": 0.08}, b={"zh": 0.08})
    new, verdict = packs.install(
        make(tmp_path / "b", "2", 9.0), tmp_path / "packs", instead_of=old, measure=measure
    )
    assert new.version == "2"
    assert verdict == packs.Verdict({"zh": 0.08}, {"zh": 0.08})


@pytest.mark.parametrize(
    ("new", "old", "worse"),
    [
        ({"zh": 0.09, "ii": 0.2}, {"zh": 0.08}, False),
        ({"ii": 0.01}, {"zh": 0.08, "ug": 0.05}, True),
        ({"zh": 0.05}, {"zh": 0.08, "ug": 0.05}, True),
        ({"zh": 0.07, "ug": 0.06}, {"zh": 0.08, "ug": 0.05}, False),
    ],
)
def test_a_language_that_a_pack_lacks_is_lost(
    new: dict[str, float], old: dict[str, float], worse: bool
) -> None:
    assert packs.Verdict(new, old).worse is worse


def test_packs_that_no_recording_can_compare_are_refused(tmp_path: Path) -> None:
    old, _ = packs.install(make(tmp_path / "a", "1", 8.0), tmp_path / "packs")
    with pytest.raises(Conflict, match="--heldout"):
        packs.install(
            make(tmp_path / "b", "2", 8.0),
            tmp_path / "packs",
            instead_of=old,
            measure=hears(home_1={}, b={}),
        )


def test_a_pack_without_a_card_is_refused_unless_forced(tmp_path: Path) -> None:
    bare = make(tmp_path / "b", "2")
    with pytest.raises(Conflict, match="no report card"):
        packs.install(bare, tmp_path / "packs")
    assert packs.install(bare, tmp_path / "packs", force=True)[0].version == "2"


def test_a_version_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    into = tmp_path / "packs"
    packs.install(make(tmp_path / "a", cer=1.0), into)
    with pytest.raises(Conflict, match="another version"):
        packs.install(make(tmp_path / "b", cer=1.0), into, force=True)


def test_a_folder_without_a_page_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        packs.read(tmp_path)
    (tmp_path / packs.PACK_FILE).write_text("name = 3")
    with pytest.raises(Misconfigured):
        packs.read(tmp_path)


def put(folder: Path, name: str, version: str, at: int) -> Path:
    """Put a pack into a folder as if it had been installed at a moment."""
    made = make(folder / f"{name}-{version}", version, name=name)
    os.utime(made / packs.PACK_FILE, ns=(at * 10**9, at * 10**9))
    return made


def test_the_demo_pack_serves_until_one_is_installed(tmp_path: Path) -> None:
    demo = put(tmp_path / "shipped", "demo", "1", 1)
    assert packs.choose(tmp_path / "packs", demo=demo).name == "demo"
    put(tmp_path / "packs", "county", "1", 100)
    assert packs.choose(tmp_path / "packs", demo=demo).name == "county"


def test_the_pack_installed_last_is_used_unless_one_is_named(tmp_path: Path) -> None:
    demo, into = put(tmp_path / "shipped", "demo", "1", 1), tmp_path / "packs"
    put(into, "county", "2", 100)
    put(into, "village", "1", 200)
    assert packs.choose(into, demo=demo).name == "village"
    assert packs.choose(into, "county", demo).label == "county 2"
    assert packs.choose(into, "county 2", demo).label == "county 2"
    assert packs.choose(into, "demo", demo).name == "demo"
    with pytest.raises(Misconfigured):
        packs.choose(into, "nowhere", demo)
