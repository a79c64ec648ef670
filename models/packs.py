"""Language packs: what a folder with a `pack.toml` says. Nothing here loads a model."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from models.errors import Conflict, Misconfigured
from models.transcript import Frozen

PACK_FILE = "pack.toml"
DEMO_PACK = "packs/demo"
# What a pack writes wrongly of a language that it does not know: everything.
LOST = 1.0

# Character error rates by language, as shares, of the pack in a folder on recordings held out.
Measure = Callable[[Path], dict[str, float]]


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
    sure : confidence in its language under which a text is not trusted
    logprob, no_speech, compression, characters_per_second : gates on a segment
    beams : of the first writing; more than one where the model is so small that they cost little
    """

    window_floor_seconds: float = 10.0
    window_margin_seconds: float = 2.0
    language: float = 0.8
    sure: float = 0.95
    average_logprob: float = -1.0
    no_speech: float = 0.6
    compression_ratio: float = 2.4
    characters_per_second: float = 25.0
    beams: int = Field(1, ge=1, le=10)


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


def demo_pack() -> Path:
    """Give the folder of the pack that ships with the program."""
    return Path(str(files("samples").joinpath(DEMO_PACK)))


def choose(folder: Path, name: str = "", demo: Path | None = None) -> Pack:
    """Choose the pack to use: the named one, else the one installed last, else the demo pack.

    Raise Misconfigured if there is none.
    """
    found = installed(folder)
    if name:
        wanted = [pack for pack in found if name in (pack.name, pack.label)]
        if wanted:
            return wanted[-1]
        shipped = read(demo or demo_pack())
        if name == shipped.name:
            return shipped
        raise Misconfigured(
            f"没有安装名为 {name} 的语言包，请用 xiangyin pack list 查看。",
            f"No language pack called {name} is installed: see `xiangyin pack list`.",
            code="no_such_pack",
        )
    if found:
        return max(found, key=lambda pack: (installed_at(pack), pack.name, pack.version))
    return read(demo or demo_pack())


def installed_at(pack: Pack) -> int:
    """Tell when a pack was put where it is, in nanoseconds."""
    return (pack.folder / PACK_FILE).stat().st_mtime_ns


@dataclass(frozen=True)
class Verdict:
    """How a new pack does beside the one in use, by language: error rates as shares.

    A language that one of them does not know counts as lost for it.
    """

    new: dict[str, float]
    old: dict[str, float]

    @property
    def tags(self) -> tuple[str, ...]:
        """Give the languages that either knows, of those that were measured."""
        return tuple(sorted(self.new.keys() | self.old.keys()))

    def mean(self, rates: dict[str, float]) -> float:
        """Give the mean error rate over all these languages."""
        return sum(rates.get(tag, LOST) for tag in self.tags) / len(self.tags)

    @property
    def worse(self) -> bool:
        """Tell whether the new pack writes more wrongly than the old one."""
        return self.mean(self.new) > self.mean(self.old)


def install(
    folder: Path,
    into: Path,
    *,
    instead_of: Pack | None = None,
    measure: Measure | None = None,
    force: bool = False,
) -> tuple[Pack, Verdict | None]:
    """Copy a pack's folder to where workers look, whole or not at all; older ones stay.

    instead_of : the pack in use, which the new one must not be worse than
    measure : hears the same held-out recordings with each of the two; `force` skips that
    Raise Conflict if it is worse, has no report card, or the same version is there already.
    """
    pack = read(folder)
    target = into / f"{pack.name}-{pack.version}"
    if target.exists():
        raise Conflict(
            f"语言包 {pack.label} 已经安装，请先换一个版本号。",
            f"The pack {pack.label} is installed already: give the new one another version.",
            code="pack_installed",
        )
    verdict = None
    if not force:
        _require_card(pack)
        if instead_of is not None and measure is not None:
            verdict = _judged(pack, instead_of, measure)
    into.mkdir(parents=True, exist_ok=True)
    # A worker may look at any moment: it must see the whole pack or nothing.
    with tempfile.TemporaryDirectory(dir=into, prefix=".coming-") as coming:
        copied = Path(coming) / "pack"
        shutil.copytree(folder, copied)
        # The newest is the one used, and copying keeps the original's times.
        (copied / PACK_FILE).touch()
        copied.rename(target)
    return read(target), verdict


def error_rates(pack: Pack) -> dict[str, float]:
    """Give the character error rate, per cent, of each language on the card over all its clips."""
    rows = pack.card.get("rows", ())
    return {row["language"]: float(row["cer"]) for row in rows if row["condition"] == "all"}


def _require_card(pack: Pack) -> None:
    if not error_rates(pack):
        raise Conflict(
            f"语言包 {pack.label} 没有成绩单，请先用 xiangyin pack evaluate --write 测一遍，"
            "或加 --force。",
            f"The pack {pack.label} has no report card: measure it with `xiangyin pack evaluate "
            "--write`, or use --force.",
            code="pack_unmeasured",
        )


def _judged(new: Pack, old: Pack, measure: Measure) -> Verdict:
    verdict = Verdict(measure(new.folder), measure(old.folder))
    if not verdict.tags:
        raise Conflict(
            f"留出的录音里没有 {new.label} 或 {old.label} 的语言，无法比较。请用 --heldout "
            "另给录音，或加 --force。",
            f"None of the held-out recordings is in a language of {new.label} or {old.label}: give "
            "others with --heldout, or use --force.",
            code="pack_not_comparable",
        )
    if verdict.worse:
        rates = [100 * verdict.mean(found) for found in (verdict.new, verdict.old)]
        raise Conflict(
            f"语言包 {new.label} 比在用的 {old.label} 差：字错率 {rates[0]:.2f}% 对 {rates[1]:.2f}%"
            f"（{' '.join(verdict.tags)}，不会的语言按全错计）。确要安装请加 --force。",
            f"The pack {new.label} is worse than {old.label}: character error rate {rates[0]:.2f} "
            f"% against {rates[1]:.2f} % over {' '.join(verdict.tags)}, a language that a pack "
            "lacks counting as all wrong. Use --force to install it anyway.",
            code="pack_worse",
        )
    return verdict
