"""Write `pack.toml`, the page on which a pack says what it is."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.packs import PACK_FILE, Pack


def write(pack: Pack) -> None:
    """Write a pack's page into its folder."""
    write_toml(pack.folder / PACK_FILE, pack.model_dump(mode="json", exclude={"folder"}))


def write_toml(path: Path, data: Mapping[str, Any]) -> None:
    """Write tables, lists of tables, texts, numbers and lists of these as TOML."""
    path.write_text("\n".join(_table("", data)).strip() + "\n", encoding="utf-8")


def _table(name: str, data: Mapping[str, Any]) -> list[str]:
    plain = {k: v for k, v in data.items() if not isinstance(v, Mapping) and not _is_rows(v)}
    lines = [f"[{name}]"] if name and plain else []
    lines += [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in data.items():
        inner = f"{name}.{key}" if name else key
        if isinstance(value, Mapping):
            lines += ["", *_table(inner, value)]
        elif _is_rows(value):
            lines += _rows(inner, value)
    return lines


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _rows(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for row in rows:
        lines += ["", f"[[{name}]]"]
        lines += [f"{key} = {_value(value)}" for key, value in row.items()]
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)
