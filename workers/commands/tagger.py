"""The tagger on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models import terminal
from workers.commands.pack import chosen

if TYPE_CHECKING:
    from models.settings import Settings
    from transcribe.lessons import Recording

app = typer.Typer(no_args_is_help=True, help="The classifier that tells languages.")


@app.command("train")
def train(
    data: Annotated[
        Path | None, typer.Argument(help="Manifest of recordings; without it, confirmed reports.")
    ] = None,
    pack: Annotated[Path | None, typer.Option(help="Folder of the pack it belongs to.")] = None,
) -> None:
    """Teach the tagger of a pack the languages of confirmed recordings."""
    from transcribe import lessons, tagger
    from transcribe.whisper import Whisper

    settings = terminal.settings()
    used = chosen(settings, pack)
    # Decoded before the model is loaded, which no child would survive.
    heard = tuple(lessons.read(data) if data else _confirmed(settings))
    taught = lessons.train(Whisper(used), heard, tagger.load(used.folder))
    typer.echo(f"Wrote {tagger.save(taught, used.folder)}: {' '.join(taught.tags)}")


def _confirmed(settings: Settings) -> Iterator[Recording]:
    from workers.confirmed import recordings
    from workers.stores import open_stores

    return recordings(open_stores(settings))


@app.command("evaluate")
def evaluate(
    data: Annotated[Path, typer.Argument(help="Manifest; languages the pack lacks count as und.")],
    pack: Annotated[Path | None, typer.Option(help="Folder of a language pack.")] = None,
) -> None:
    """Measure the language tags: accuracy, unknown languages, calibration; prints JSON."""
    from transcribe import evaluate, lessons
    from transcribe.engine import load

    engine = load(chosen(terminal.settings(), pack))
    judged = evaluate.judge(engine, lessons.read(data), engine.pack.tags)
    typer.echo(evaluate.figures(judged).model_dump_json(indent=1))
