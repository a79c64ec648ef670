"""Curves of a training, and of what more recordings bring, as PNG."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

LOG = "log.jsonl"
_SMOOTHED = 5


def keep(log: Path, folder: Path) -> None:
    """Put a training's log and its curves into a folder, where there is a log."""
    if log.exists():
        lines = log.read_text(encoding="utf-8").splitlines()
        rows = lasting([json.loads(line) for line in lines])
        written = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "training.jsonl").write_text(written, encoding="utf-8")
        training(rows, folder / "training.png")


def lasting(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what a kill undid: rows of steps that were done again from a checkpoint."""
    kept: list[dict[str, Any]] = []
    for row in reversed(rows):
        following = kept[-1] if kept else None
        again = following is not None and (
            row["step"] > following["step"]
            or (row["step"] == following["step"] and row.keys() == following.keys())
        )
        if not again:
            kept.append(row)
    return kept[::-1]


def training(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw losses and character error rates over time from the rows of a training's log."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    steps = [row for row in rows if "total" in row]
    for name in ("tokens", "sounds", "attention"):
        values = [row[name] for row in steps]
        smooth = [
            sum(values[max(0, i - _SMOOTHED) : i + 1]) / len(values[max(0, i - _SMOOTHED) : i + 1])
            for i in range(len(values))
        ]
        left.plot([row["seconds"] / 60 for row in steps], smooth, label=name)
    left.set(xlabel="minutes", ylabel="loss", ylim=(0, None))
    checks = [row for row in rows if "cer" in row]
    for tag in sorted({tag for row in checks for tag in row["cer"]}):
        own = [row for row in checks if tag in row["cer"]]
        right.plot(
            [row["seconds"] / 60 for row in own],
            [100 * row["cer"][tag] for row in own],
            marker="o",
            label=tag,
        )
    right.set(xlabel="minutes", ylabel="character error rate, %", ylim=(0, 100))
    for axes in (left, right):
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def curve(points: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw minutes of speech against the error rate, of the new language and of the old ones."""
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    minutes = [point["minutes"] for point in points]
    axes.plot(minutes, [100 * p["cer"] for p in points], marker="o", label="the new language")
    axes.fill_between(
        minutes, [100 * p["low"] for p in points], [100 * p["high"] for p in points], alpha=0.2
    )
    axes.plot(
        minutes, [100 * p["old_cer"] for p in points], marker="s", label="the pack's own languages"
    )
    axes.set(xlabel="minutes of speech", ylabel="character error rate, %", ylim=(0, None))
    axes.set_xscale("log")
    axes.set_xticks(minutes, [f"{m:g}" for m in minutes])
    axes.minorticks_off()
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
