"""How many minutes of speech bring which error rate: what a county needs to record."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from models.errors import Invalid
from transcribe.train import card, exam, manifest, plots, recipe
from transcribe.train.clips import Stored
from transcribe.train.manifest import Entry
from transcribe.train.wish import Language, Say, Watch, Wish, rehearsal

MINUTES = (5.0, 15.0, 30.0, 60.0, 120.0)
_NEARLY = 0.95


@dataclass(frozen=True)
class Question:
    """What the curve is drawn of.

    data : recordings of the new language; heldout : others of it, by other voices
    old : held-out recordings of the base pack's own languages
    """

    tag: str
    shown: Language
    data: Path
    heldout: Path
    old: Path
    base: Path
    work: Path
    minutes: tuple[float, ...] = MINUTES
    hours: float = 0.25  # training time of each point
    steps: int = 10**9
    threads: int = 2
    device: str = "cpu"
    rehearse: tuple[Path, ...] = ()
    rehearsal: tuple[Stored, ...] = ()


@dataclass(frozen=True)
class Point:
    """One size of the training set: error rates as shares, time in seconds."""

    minutes: float
    cer: float
    low: float
    high: float
    old_cer: float
    old_cer_before: float
    seconds: float


def points(written: str) -> tuple[float, ...]:
    """Read minutes parted by commas; raise Invalid where they are no rising numbers."""
    try:
        minutes = tuple(float(one) for one in written.split(","))
    except ValueError:
        minutes = ()
    if not minutes or minutes[0] < manifest.LEAST_MINUTES or list(minutes) != sorted(set(minutes)):
        raise Invalid(
            f"{written} 应是由小到大、以逗号分开的分钟数，至少 {manifest.LEAST_MINUTES:g}。",
            f"{written}: give rising minutes parted by commas, at least "
            f"{manifest.LEAST_MINUTES:g}.",
            code="bad_minutes",
        )
    return minutes


def draw(question: Question, say: Say, watch: Watch | None = None) -> list[Point]:
    """Train a pack for each size, measure it, and write curve.json, curve.md and curve.png.

    Points that were measured before are kept; one that was stopped goes on.
    """
    exam.require_apart([question.data, *question.rehearse], [question.heldout, question.old])
    question.work.mkdir(parents=True, exist_ok=True)
    entries = manifest.read(question.data, [question.tag]).entries
    have = sum(entry.seconds for entry in entries) / 60
    for minutes in question.minutes:
        if have < _NEARLY * minutes:
            raise manifest.bad(
                f"{question.data.name} 只有 {have:.0f} 分钟 {question.tag}，"
                f"而要求 {minutes:.0f} 分钟。",
                f"{question.data.name} has {have:.0f} minutes of {question.tag}, and "
                f"{minutes:.0f} are asked for.",
            )
    # Made once, for every point.
    old = rehearsal(_wish(question, question.data, question.work))
    question = replace(question, rehearse=(), rehearsal=tuple(old))
    before = _mean_cer(question.base, question.old, question.threads)
    points = []
    for minutes in question.minutes:
        chosen = _subset(entries, minutes)
        points.append(_point(question, minutes, chosen, before, say, watch))
        _write(question.work, points)
    return points


def _subset(entries: Sequence[Entry], minutes: float) -> list[Entry]:
    """Take entries in the order of their hashes, so that each set holds the smaller ones."""
    ordered = sorted(
        entries, key=lambda e: hashlib.sha256(f"{e.audio.name}|{e.start}".encode()).digest()
    )
    chosen, seconds = [], 0.0
    for entry in ordered:
        if seconds >= 60 * minutes:
            break
        chosen.append(entry)
        seconds += entry.seconds
    return chosen


def _point(
    question: Question,
    minutes: float,
    chosen: Sequence[Entry],
    before: float,
    say: Say,
    watch: Watch | None,
) -> Point:
    folder = question.work / f"{minutes:g}-minutes"
    result = folder / "point.json"
    if result.exists():
        return Point(**json.loads(result.read_text(encoding="utf-8")))
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "manifest.jsonl"
    data.write_text("".join(_line(entry) for entry in chosen), encoding="utf-8")
    began, spent = time.monotonic(), _spent(folder)
    recipe.train(_wish(question, data, folder), say, watch)
    seconds = spent + time.monotonic() - began
    report = exam.check(folder / "pack", [question.heldout], question.threads)
    (whole,) = (
        row for row in report.rows if (row.language, row.condition) == (question.tag, "all")
    )
    point = Point(
        minutes=minutes,
        cer=whole.cer.value,
        low=whole.cer.low,
        high=whole.cer.high,
        old_cer=_mean_cer(folder / "pack", question.old, question.threads),
        old_cer_before=before,
        seconds=seconds,
    )
    result.write_text(json.dumps(asdict(point)), encoding="utf-8")
    return point


def _wish(question: Question, data: Path, folder: Path) -> Wish:
    return Wish(
        data=(data,),
        out=folder / "pack",
        work=folder / "work",
        base=str(question.base),
        hours=question.hours,
        steps=question.steps,
        threads=question.threads,
        device=question.device,
        rehearse=question.rehearse,
        rehearsal=question.rehearsal,
        languages=((question.tag, question.shown),),
    )


def _spent(folder: Path) -> float:
    """Return the seconds that a point was trained for before it was stopped."""
    log = folder / "work" / plots.LOG
    rows = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return float(json.loads(rows[-1])["seconds"]) if rows else 0.0


def _line(entry: Entry) -> str:
    row = {
        "audio": str(entry.audio.resolve()),
        "text": entry.text,
        "language": entry.language,
        "speaker": entry.speaker,
        "start": entry.start,
        "end": entry.end,
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def _mean_cer(pack: Path, data: Path, threads: int) -> float:
    return card.mean_cer(exam.check(pack, [data], threads).rows)


def table(points: Sequence[Point]) -> str:
    """Write the points as a table in Markdown."""
    lines = [
        "| minutes of speech | CER, % (95 %) | old languages, % (before) | training took, min |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {p.minutes:g} | {100 * p.cer:.1f} ({100 * p.low:.1f} to {100 * p.high:.1f})"
        f" | {100 * p.old_cer:.1f} ({100 * p.old_cer_before:.1f}) | {p.seconds / 60:.1f} |"
        for p in points
    ]
    return "\n".join(lines) + "\n"


def _write(work: Path, points: Sequence[Point]) -> None:
    rows = [asdict(point) for point in points]
    (work / "curve.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (work / "curve.md").write_text(table(points), encoding="utf-8")
    plots.curve(rows, work / "curve.png")
