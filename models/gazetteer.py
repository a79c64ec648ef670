"""The gazetteer: the units and places that complaints can be about, imported from CSV."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from models import division
from models.channel import Unit
from models.database import reading
from models.errors import Invalid
from models.event import Deployment

COLUMNS = "code", "name", "kind", "parent", "division", "aliases", "rank"
REQUIRED = "code", "name", "division"
ALIAS_SEPARATOR = "|"
VERSION = "gazetteer"


def read(path: Path) -> list[Unit]:
    """Read units from a CSV file with a header; raise Invalid naming the first wrong line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in REQUIRED if name not in (rows.fieldnames or ())]
            if missing:
                raise _wrong(path, 1, f"缺少列 {missing[0]}", f"the column {missing[0]} is missing")
            units = [_unit(path, number, row) for number, row in enumerate(rows, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Invalid(
            f"名录 {path} 读不出来，请存成 UTF-8 的 CSV。",
            f"The gazetteer {path} cannot be read: save it as CSV in UTF-8.",
            code="gazetteer_unreadable",
        ) from error
    _check_parents(path, units)
    return units


def _unit(path: Path, number: int, row: dict[str, str]) -> Unit:
    value = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name in REQUIRED:
        if not value[name]:
            raise _wrong(path, number, f"{name} 是空的", f"{name} is empty")
    try:
        code = division.check(value["division"])
    except Invalid as error:
        raise _wrong(path, number, error.zh, error.en) from error
    return Unit(
        code=value["code"],
        name=value["name"],
        kind=value["kind"],
        parent=value["parent"] or None,
        division=code,
        aliases=[one.strip() for one in value["aliases"].split(ALIAS_SEPARATOR) if one.strip()],
        rank=value["rank"],
    )


def _check_parents(path: Path, units: Iterable[Unit]) -> None:
    known: set[str] = set()
    for number, unit in enumerate(units, start=2):
        if unit.code in known:
            raise _wrong(path, number, f"代码 {unit.code} 重复", f"the code {unit.code} repeats")
        known.add(unit.code)
    for number, unit in enumerate(units, start=2):
        if unit.parent is not None and unit.parent not in known:
            raise _wrong(
                path, number, f"没有上级 {unit.parent}", f"there is no parent {unit.parent}"
            )


def store(session: Session, units: Iterable[Unit]) -> int:
    """Add units or replace those of the same code; give how many."""
    count = 0
    for unit in units:
        session.merge(unit)
        count += 1
    session.merge(Deployment(name=VERSION, value=secrets.token_hex(8)))
    return count


def version(engine: Engine) -> str:
    """Tell which state of the gazetteer is stored; it differs after every import."""
    with reading(engine) as session:
        known = session.get(Deployment, VERSION)
        return known.value if known else ""


def units(engine: Engine) -> list[Unit]:
    """Give all units."""
    with reading(engine) as session:
        return list(session.exec(select(Unit)).all())


def _wrong(path: Path, number: int, zh: str, en: str) -> Invalid:
    return Invalid(
        f"{path.name} 第 {number} 行：{zh}",
        f"{path.name}, line {number}: {en}",
        code="gazetteer_line",
    )
