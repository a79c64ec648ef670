"""The commands on packs, with the pack that ships and some recordings that it never heard."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from typer.testing import CliRunner, Result

import xiangyin
from models import packs
from models.errors import Conflict
from transcribe.train import exam, manifest

CLIPS = ("kk-01.opus", "ko-01.opus", "zh-01.opus")


@pytest.fixture
def heldout(tmp_path: Path) -> Path:
    """A manifest of three of the samples' recordings, and a line that cannot be used."""
    folder = exam.heldout().parent
    lines = []
    for line in exam.heldout().read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["audio"] in CLIPS:
            row["audio"] = str(folder / row["audio"])
            lines.append(json.dumps(row, ensure_ascii=False))
    path = tmp_path / manifest.NAME
    path.write_text("\n".join([*lines, "{}"]), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIANGYIN_DATA", str(tmp_path / "data"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(xiangyin.app, ["pack", *map(str, arguments)])


def printed(*arguments: object) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def copy(folder: Path, **changes: Any) -> Path:
    shutil.copytree(packs.demo_pack(), folder)
    page = tomllib.loads((folder / packs.PACK_FILE).read_text(encoding="utf-8"))
    (folder / packs.PACK_FILE).write_text(tomli_w.dumps({**page, **changes}), encoding="utf-8")
    return folder


def test_what_a_pack_says_of_itself_is_shown_with_its_card() -> None:
    shown = printed("info", packs.demo_pack())
    demo = packs.read(packs.demo_pack())
    assert shown.startswith(f"{demo.label}  ({demo.licence})\n{demo.notes}\n")
    assert "ug       Uyghur ئۇيغۇرچە  [borrows uz]" in shown
    assert sum(line.split()[:1] == ["zh"] for line in shown.splitlines()) >= 2


def test_a_measurement_is_the_card_that_a_pack_keeps(tmp_path: Path, heldout: Path) -> None:
    done = run("evaluate", packs.demo_pack(), heldout, "--threads", 1, "--json")
    assert "line 4 left out: text is missing" in done.stderr
    found = json.loads(done.stdout)
    assert found.pop("left_out") == 1
    assert {row["language"] for row in found["rows"]} == {"kk", "ko", "zh"}
    own = copy(tmp_path / "own")
    table = printed("evaluate", own, heldout, "--threads", 1, "--write")
    kept = packs.read(own).card
    assert {"on": kept["on"], "rows": kept["rows"]} == found
    assert kept["made"] == packs.read(packs.demo_pack()).card["made"]
    assert len(table.splitlines()) == 1 + len(found["rows"])


def test_a_pack_as_good_is_installed_and_used(tmp_path: Path, heldout: Path) -> None:
    told = printed("install", copy(tmp_path / "new", version="2"), "--heldout", heldout)
    assert told.splitlines()[-1].startswith("Installed demo 2 in ")
    assert [line.split()[0] for line in told.splitlines()[:-1]] == ["kk", "ko", "zh"]
    assert "* demo 2 " in printed("list")


def test_a_pack_that_lost_a_language_is_refused_and_the_old_one_stays(
    tmp_path: Path, heldout: Path
) -> None:
    page = tomllib.loads((packs.demo_pack() / packs.PACK_FILE).read_text(encoding="utf-8"))
    fewer = [one for one in page["languages"] if one["tag"] != "zh"]
    folder = copy(tmp_path / "new", version="2", languages=fewer)
    done = run("install", folder, "--heldout", heldout)
    assert isinstance(done.exception, Conflict)
    assert done.exception.code == "pack_worse"
    assert "  demo 2 " not in printed("list")
    printed("install", folder, "--force")
    assert "* demo 2 " in printed("list")
