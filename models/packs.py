"""Language packs: what a folder with a `pack.toml` says. Nothing here loads a model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from models.errors import Misconfigured
from models.transcript import Frozen

PACK_FILE = "pack.toml"


class PackLanguage(Frozen):
    """One language of a pack.

    tag : BCP-47; token : the Whisper language code that the model was trained with, which a
    language that Whisper lacks borrows; lexicon : file in the pack for the normaliser, or ""
    """

    tag: str
    name: str
    autonym: str
    token: str
    borrowed: bool = False
    lexicon: str = ""
    hotwords: str = ""


class Thresholds(Frozen):
    """Where doubt begins, and how the engine may cut its work.

    window_floor_seconds, window_margin_seconds : an encoder window is never shorter than the floor
    nor than the speech plus the margin
    language : confidence under which a recording is `und`
    logprob, no_speech, compression, characters_per_second : gates on a segment
    """

    window_floor_seconds: float = 10.0
    window_margin_seconds: float = 2.0
    language: float = 0.8
    average_logprob: float = -1.0
    no_speech: float = 0.6
    compression_ratio: float = 2.4
    characters_per_second: float = 25.0


class Pack(Frozen):
    """A folder with a CTranslate2 Whisper model and what is known about it.

    card : the report card as measured: scores with counts, intervals and on what
    """

    name: str
    version: str
    licence: str
    notes: str = ""
    languages: tuple[PackLanguage, ...]
    thresholds: Thresholds = Thresholds()
    card: dict[str, Any] = Field(default_factory=dict)
    folder: Path

    @property
    def tags(self) -> tuple[str, ...]:
        """Give the languages that the pack recognises."""
        return tuple(language.tag for language in self.languages)

    def language(self, tag: str) -> PackLanguage | None:
        """Find a language by its tag, or by its first part (`zh` for `zh-u-sd-cnsc`)."""
        by_tag = {language.tag: language for language in self.languages}
        return by_tag.get(tag) or by_tag.get(tag.split("-")[0])

    def by_token(self, token: str) -> PackLanguage | None:
        """Find the language that uses a Whisper token."""
        return next((one for one in self.languages if one.token == token), None)

    @property
    def label(self) -> str:
        """Name the pack with its version, as transcripts remember it."""
        return f"{self.name} {self.version}"


def read(folder: Path) -> Pack:
    """Read a pack's folder; raise Misconfigured if its file is missing or not of the form."""
    path = folder / PACK_FILE
    try:
        return Pack.model_validate({**tomllib.loads(path.read_text("utf-8")), "folder": folder})
    except OSError as error:
        raise Misconfigured(
            f"{folder} 不是语言包：没有可读的 {PACK_FILE}。",
            f"{folder} is no language pack: it has no readable {PACK_FILE}.",
            code="no_pack",
        ) from error
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise Misconfigured(
            f"{path} 格式不对：{error}",
            f"{path} does not follow the form of a language pack: {error}",
            code="bad_pack",
        ) from error


def installed(folder: Path) -> tuple[Pack, ...]:
    """List the packs in a folder, newest version of a name last."""
    if not folder.is_dir():
        return ()
    found = [read(path.parent) for path in sorted(folder.glob(f"*/{PACK_FILE}"))]
    return tuple(sorted(found, key=lambda pack: (pack.name, pack.version)))
