"""The lists of domains and conducts: data with names in Chinese and English, not an enum."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from models.errors import Misconfigured
from models.transcript import Frozen


class Name(Frozen):
    """The name of a code in the two languages of the console."""

    zh: str
    en: str


class Codes(Frozen):
    """One version of the two lists, each from code to name, in the order they are shown."""

    version: int
    domain: dict[str, Name]
    conduct: dict[str, Name]


@lru_cache
def load(extension: Path | None = None) -> Codes:
    """Read the shipped lists, extended by a deployment's own file of the same form."""
    base = Codes.model_validate(
        tomllib.loads(files("models").joinpath("data/codes.toml").read_text("utf-8"))
    )
    if extension is None:
        return base
    try:
        added = Codes.model_validate(tomllib.loads(extension.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"代码表 {extension} 读不出来，请检查格式。",
            f"The code list {extension} cannot be read: check its form.",
            code="codes_unreadable",
        ) from error
    return Codes(
        version=added.version,
        domain=added.domain | base.domain,
        conduct=added.conduct | base.conduct,
    )
