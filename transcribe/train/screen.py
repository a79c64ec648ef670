"""A training shown on a terminal: how far, how long still, the losses and the error rates."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from transcribe.train.progress import Progress, Watcher


@contextmanager
def shown(console: Console | None = None) -> Iterator[Watcher]:
    """Give a watcher that keeps one line up to date on the terminal."""
    columns = (
        TextColumn("step {task.fields[step]}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]} left  loss {task.fields[loss]}  {task.fields[cer]}"),
    )
    with Bar(*columns, console=console) as bar:
        line = bar.add_task("train", total=1.0, step=0, left="?", loss="?", cer="")

        def watch(progress: Progress) -> None:
            bar.update(
                line,
                completed=progress.share,
                step=progress.step,
                left=str(timedelta(seconds=round(progress.seconds_left))),
                loss=f"{progress.losses.total:.2f}",
                cer=error_rates(progress.cer),
            )

        yield watch


def error_rates(cer: dict[str, float]) -> str:
    """Write error rates by language in per cent."""
    if not cer:
        return ""
    return "CER " + " ".join(f"{tag} {100 * rate:.1f} %" for tag, rate in sorted(cer.items()))
