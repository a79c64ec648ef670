"""Measure packs on recordings whose texts are known: one alone, or two on the same ones."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from models import packs
from transcribe.train import card, evaluate, manifest
from transcribe.train.manifest import LeftOut

# How many clips of how many are done.
Watch = Callable[[int, int], None]


def _unwatched(done: int, of: int) -> None:
    """Watch without a word."""


@dataclass(frozen=True)
class Report:
    """What an exam found: rows of the card, on what, and the lines that could not be used."""

    rows: tuple[card.Row, ...]
    on: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    def as_card(self) -> dict[str, Any]:
        """Give the rows as `pack.toml` keeps them."""
        return {"on": ", ".join(self.on), "rows": [row.as_dict() for row in self.rows]}


def heldout() -> Path:
    """Give the recordings that ship with the program and that no pack of ours was trained on."""
    return Path(str(files("samples").joinpath("heldout"))) / manifest.NAME


def require_apart(training: Sequence[Path], held: Sequence[Path]) -> None:
    """Raise Invalid where a recording is both trained on and measured with, under any name."""
    kept = {one: path for path in held for one in manifest.audio(manifest.of(path))}
    sizes = {one.stat().st_size for one in kept}
    seen = {_digest(one): path for one, path in kept.items()}
    for path in training:
        for one in manifest.audio(manifest.of(path)):
            if one.stat().st_size in sizes and _digest(one) in seen:
                measured = seen[_digest(one)]
                raise manifest.bad(
                    f"{path} 里的 {one.name} 也在 {measured} 里：用来衡量的录音不能用来训练。",
                    f"{one.name} of {path} is in {measured} too: what packs are measured with must "
                    "not be trained on.",
                )


def _digest(audio: Path) -> bytes:
    return hashlib.sha256(audio.read_bytes()).digest()


def check(
    folder: Path, data: Sequence[Path], threads: int = 2, watch: Watch = _unwatched
) -> Report:
    """Measure a pack on manifests, or folders with one; lines it cannot use are told.

    Raise Invalid where no line is left.
    """
    report = _examined(folder, data, threads, watch)
    if not report.rows:
        pack = packs.read(folder)
        on, tags = ", ".join(report.on), ", ".join(pack.tags)
        first = report.left_out[0] if report.left_out else None
        raise manifest.bad(
            f"{on} 里没有语言包 {pack.name} 能识别的录音（{tags}）。"
            + (f"第 {first.line} 行：{first.zh}" if first else ""),
            f"{on} has no clip in a language of the pack {pack.name}: {tags}."
            + (f" Line {first.line}: {first.en}" if first else ""),
        )
    return report


def rates(
    folder: Path, data: Sequence[Path], threads: int = 2, watch: Watch = _unwatched
) -> dict[str, float]:
    """Give the error rate of each language over all its clips, as shares; none where none is."""
    rows = _examined(folder, data, threads, watch).rows
    return {row.language: row.cer.value for row in rows if row.condition == "all"}


def _examined(folder: Path, data: Sequence[Path], threads: int, watch: Watch) -> Report:
    recogniser = evaluate.Recogniser(folder, threads)
    paths = [manifest.of(path) for path in data]
    read = [manifest.read(path, recogniser.pack.tags) for path in paths]
    entries = [entry for one in read for entry in one.entries]
    scores = evaluate.measure(
        recogniser, evaluate.known(entries), lambda done: watch(done, len(entries))
    )
    return Report(
        tuple(card.rows(scores)),
        tuple(path.parent.name if path.name == manifest.NAME else path.name for path in paths),
        tuple(line for one in read for line in one.left_out),
    )
