"""The command line: texts in, one JSON record a text out."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from xiangyin import app

SAID = "村支书去年收了三百块\n\n去年冬天停水，找水厂没人管\n"


def run(*args: str, said: str = SAID) -> list[dict[str, object]]:
    done = CliRunner().invoke(app, ["normalise", "--json", "--received", "2026-05-12", *args], said)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_record_a_call_with_the_words_that_each_value_came_from() -> None:
    (record,) = run("--channel", "qx-shiqiao")
    assert record["description"] == SAID
    sources = record["provenance"]
    assert isinstance(sources, dict)
    assert sources["amounts.0"][0]["text"] == "三百块"
    assert sources["subject.unit"][0]["text"] == "村支书"


def test_one_record_a_line() -> None:
    assert [one["description"] for one in run("--lines")] == SAID.replace("\n\n", "\n").split("\n")[
        :2
    ]


def test_a_gazetteer_of_ones_own_is_used(tmp_path: Path) -> None:
    table = tmp_path / "units.csv"
    table.write_text("code,name,kind,parent,division\nw,大湾水厂,company,,510729\n", "utf-8")
    (record,) = run("--gazetteer", str(table), said="大湾水厂停水三天没人管，自来水是黄的")
    subject = record["subject"]
    assert isinstance(subject, dict)
    assert subject["unit_code"] == "w"


def test_a_day_that_is_none_is_refused_with_how_to_write_it() -> None:
    done = CliRunner().invoke(app, ["normalise", "--received", "gestern"], "路烂了")
    assert done.exit_code == 1
    assert "2026-05-12" in done.output
