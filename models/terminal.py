"""What every command prints with, and reads its settings by."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from models.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def settings() -> Settings:
    """Read the settings of this installation; each command does so once."""
    from models.settings import read

    return read()


def fail(sentence: str) -> NoReturn:
    """End the command with one sentence that says what to do."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


@contextmanager
def progress(words: str, total: float | None = None) -> Iterator[Callable[[float], object]]:
    """Show a bar, or without a total a moving sign, while standard error is a terminal.

    Give what moves it on.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        # What is printed meanwhile stands above the bar, unless it goes elsewhere.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(words, total=total)
        yield lambda done: bar.advance(task, done)


def print_json(value: Any) -> None:
    """Print a value for a program to read."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Put rows under their heads, the first column to the left and the others to the right."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]

    def align(at: int, text: str) -> str:
        return text.ljust(widths[at]) if at == 0 else text.rjust(widths[at])

    return "\n".join(
        "  ".join(align(at, cell) for at, cell in enumerate(row)) for row in (head, *rows)
    )


def told(line: str) -> None:
    """Tell how far something is, beside what is printed."""
    typer.echo(line, err=True)


def listed(text: str) -> list[str]:
    """Read a list that is separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def require_train_extra() -> None:
    """End with a word on what to install where torch is missing."""
    if find_spec("torch") is None:
        fail(
            "训练需要附加组件：见 README 的“Grow a language”。\n"
            "Training needs the extra `train`: see “Grow a language” in the README."
        )
