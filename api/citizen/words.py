"""What the page says and shows in each language, and what stands in where a language has nothing.

A text is never invented: where a language lacks one, the page shows Chinese and says so by its
`lang`, and a spoken prompt is Chinese too. The texts of ug, kk, ko and yue were not checked by
native speakers.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

FALLBACK = "zh"
# Languages whose letters a cheap phone may lack: their names are drawn (templates/autonyms.svg).
OUTLINES = {"ug": "ug", "bo": "bo", "ii": "ii", "kk": "kk-Arab"}
DOOR = Path(str(files("api.citizen")))
PROMPT_MIME = "audio/mpeg"
_SYMBOL = re.compile(r'id="autonym-([\w-]+)" viewBox="([^"]+)"')


@dataclass(frozen=True)
class Words:
    """One language's texts, complete. borrowed : names of those taken from the Chinese."""

    tag: str
    autonym: str
    chinese: str
    direction: str
    spoken: dict[str, str]
    label: dict[str, str]
    own: frozenset[str]

    def as_json(self) -> dict[str, Any]:
        """Give what the page loads."""
        return {
            "tag": self.tag if self.own else FALLBACK,
            "direction": self.direction if self.own else "ltr",
            "spoken": self.spoken,
            "label": self.label,
        }


@dataclass(frozen=True)
class Shown:
    """A language as a button shows it. outline : id of its drawn name, or ""."""

    tag: str
    autonym: str
    chinese: str
    picture: str
    outline: str
    outline_box: str


@cache
def load() -> dict[str, Words]:
    """Read every language's file, once a process."""
    read = {}
    for file in sorted((DOOR / "strings").glob("*.toml")):
        written = tomllib.loads(file.read_text("utf-8"))
        read[written["tag"]] = written
    base = read[FALLBACK]
    return {
        tag: Words(
            tag=tag,
            autonym=written["autonym"],
            chinese=written["chinese"],
            direction=written["direction"],
            spoken=base["spoken"] | {"name": written["autonym"]} | written.get("spoken", {}),
            label=base["label"] | written.get("label", {}),
            own=frozenset(written.get("spoken", {})),
        )
        for tag, written in read.items()
    }


def known() -> tuple[str, ...]:
    """Give the tags of all languages that have a name here."""
    return tuple(load())


@cache
def shown(tag: str) -> Shown:
    """Give what the button of a language shows."""
    boxes = dict(_SYMBOL.findall((DOOR / "templates" / "autonyms.svg").read_text("utf-8")))
    words = load()[tag]
    outline = OUTLINES.get(tag, "")
    return Shown(tag, words.autonym, words.chinese, tag, outline, boxes.get(outline, ""))


def packaged(tag: str) -> tuple[str, ...]:
    """Give the names of the prompts that ship for a language."""
    return tuple(sorted(path.stem for path in (DOOR / "prompts" / tag).glob("*.mp3")))


def packaged_prompt(tag: str, name: str) -> Path | None:
    """Find the prompt that ships, or what stands in for it; None where silence is right.

    A language's name is never said by another language's; it is given in Chinese instead.
    """
    if tag not in load() or name not in load()[FALLBACK].spoken:
        return None
    folder = DOOR / "prompts"
    own = folder / tag / f"{name}.mp3"
    if own.is_file():
        return own
    if name == "name":
        in_chinese = folder / FALLBACK / f"name-{tag}.mp3"
        return in_chinese if in_chinese.is_file() else None
    # Who reads texts in a language without a voice is not helped by a Chinese one.
    return None if load()[tag].own else folder / FALLBACK / f"{name}.mp3"


def template(name: str) -> Traversable:
    """Give a file of the templates' folder."""
    return files("api.citizen").joinpath("templates", name)
