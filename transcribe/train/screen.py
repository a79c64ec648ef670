"""A training or a measurement as people see it: one line that moves on a terminal, lines elsewhere.

Everything here goes to standard error, so that a result on standard output stays whole.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from transcribe.train.progress import Progress, Watcher

LINE_STEPS = 20  # of training, from one plain line to the next

Count = Callable[[int, int], None]


@contextmanager
def training(console: Console | None = None) -> Iterator[Watcher]:
    """Give the watcher of a training that suits where its lines go."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield lambda progress: _line(console, progress)
        return
    with _bar(
        console,
        TextColumn("step {task.fields[step]}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]} left  loss {task.fields[loss]}  {task.fields[cer]}"),
    ) as bar:
        line = bar.add_task("train", total=1.0, step=0, left="?", loss="?", cer="")

        def watch(progress: Progress) -> None:
            bar.update(
                line,
                completed=progress.share,
                step=progress.step,
                left=_time(progress.seconds_left),
                loss=f"{progress.losses.total:.3f}",
                cer=error_rates(progress.cer),
            )

        yield watch


@contextmanager
def counting(title: str, console: Console | None = None) -> Iterator[Count]:
    """Give a watcher of things done one after the other, which is silent but on a terminal."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, of: None
        return
    with _bar(console, TextColumn(title), BarColumn(), MofNCompleteColumn()) as bar:
        line = bar.add_task(title, total=None)
        yield lambda done, of: bar.update(line, completed=done, total=of)


def error_rates(cer: dict[str, float]) -> str:
    """Write error rates by language in per cent."""
    if not cer:
        return "CER not yet"
    return "CER " + " ".join(f"{tag} {100 * rate:.1f} %" for tag, rate in sorted(cer.items()))


def _bar(console: Console, *columns: BarColumn | TextColumn | MofNCompleteColumn) -> Bar:
    # What else is printed goes above the moving line; standard output only where that is a
    # terminal too, or it would end up on standard error.
    return Bar(*columns, console=console, redirect_stdout=sys.stdout.isatty())


def _line(console: Console, progress: Progress) -> None:
    if progress.step % LINE_STEPS and progress.share < 1:
        return
    print(
        f"{progress.share:6.1%}  step {progress.step}  loss {progress.losses.total:.3f}  "
        f"{progress.clips_a_second:.0f} clips/s  {_time(progress.seconds_left)} left  "
        f"{error_rates(progress.cer)}",
        file=console.file,
        flush=True,
    )


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
