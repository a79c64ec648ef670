"""Language packs: what a folder with a `pack.toml` says. Nothing here loads a model."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from models.errors import Conflict, Misconfigured
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


def install(folder: Path, into: Path, *, instead_of: Pack | None, force: bool = False) -> Pack:
    """Copy a pack's folder to where workers look, whole or not at all; older ones stay.

    instead_of : the pack in use, which the new one must not be worse than on the languages that
    both know, by their report cards; `force` skips that.
    Raise Conflict if it is worse, has no card, or the same version is there already.
    """
    pack = read(folder)
    if instead_of is not None and not force:
        _require_no_worse(pack, instead_of)
    target = into / f"{pack.name}-{pack.version}"
    if target.exists():
        raise Conflict(
            f"语言包 {pack.label} 已经安装，请先换一个版本号。",
            f"The pack {pack.label} is installed already: give the new one another version.",
            code="pack_installed",
        )
    into.mkdir(parents=True, exist_ok=True)
    # A worker may look at any moment: it must see the whole pack or nothing.
    with tempfile.TemporaryDirectory(dir=into, prefix=".coming-") as coming:
        copied = Path(coming) / "pack"
        shutil.copytree(folder, copied)
        copied.rename(target)
    # The newest is the one used, and copying keeps the original's times.
    (target / PACK_FILE).touch()
    return read(target)


def error_rates(pack: Pack) -> dict[str, float]:
    """Give the character error rate, per cent, of each language on the card over all its clips."""
    rows = pack.card.get("rows", ())
    return {row["language"]: float(row["cer"]) for row in rows if row["condition"] == "all"}


def _require_no_worse(new: Pack, old: Pack) -> None:
    mine, known = error_rates(new), error_rates(old)
    if known and not mine:
        raise Conflict(
            f"语言包 {new.label} 没有成绩单，请先用 xiangyin pack evaluate 测一遍，或加 --force。",
            f"The pack {new.label} has no report card: measure it with `xiangyin pack evaluate`, "
            "or use --force.",
            code="pack_unmeasured",
        )
    shared = sorted(mine.keys() & known.keys())
    if not shared:
        return
    before = sum(known[tag] for tag in shared) / len(shared)
    after = sum(mine[tag] for tag in shared) / len(shared)
    if after > before:
        raise Conflict(
            f"语言包 {new.label} 比在用的 {old.label} 差：字错率 {after:.2f}% 对 {before:.2f}%"
            f"（{' '.join(shared)}）。确要安装请加 --force。",
            f"The pack {new.label} is worse than {old.label}: character error rate {after:.2f} % "
            f"against {before:.2f} % on {' '.join(shared)}. Use --force to install it anyway.",
            code="pack_worse",
        )
