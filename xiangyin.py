"""乡音: the command line, and the front door of everything.

Settings are read here once for each command and handed down. Exit codes: 0 done, 1 refused or
failed (one sentence on standard error says what to do), 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from models.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="乡音 Xiangyin: spoken, typed and photographed complaints become one standard record.",
)
worker_app = typer.Typer(no_args_is_help=True, help="Run one worker.")
pack_app = typer.Typer(no_args_is_help=True, help="Language packs: see, install, train, measure.")
app.add_typer(worker_app, name="worker")
app.add_typer(pack_app, name="pack")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Server = Annotated[str, typer.Option(help="Address of a running server.")]


class Stage(StrEnum):
    """The two kinds of worker."""

    PREPARE = "prepare"
    TRANSCRIBE = "transcribe"


def _settings() -> Settings:
    from models.settings import Settings

    return Settings()


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("xiangyin"))


@app.command()
def up() -> None:
    """Run everything on this machine: queue, web, workers and sweeper, until Ctrl-C."""
    from workers.supervise import run

    run(_settings())


@app.command()
def serve() -> None:
    """Run the web process alone."""
    from api.serve import serve as run

    run(_settings())


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Use a fresh data folder, check the outcome, stop.")
    ] = False,
) -> None:
    """Start everything, submit the samples as citizens would, and show what came out."""
    from api.demo import run

    raise typer.Exit(run(_settings(), once=once))


@app.command()
def submit(
    files: Annotated[list[Path], typer.Argument(help="Recordings, photographs, .txt files.")],
    channel: Annotated[str, typer.Option(help="The channel's code.")] = "",
    language: Annotated[str, typer.Option(help="BCP-47 tag that the speaker declares.")] = "",
    server: Server = "",
    wait: Annotated[bool, typer.Option(help="Wait until the report is processed.")] = False,
    as_json: Json = False,
) -> None:
    """Submit files as one report and print its receipt."""
    from api.client import Client

    with Client(server or _settings().base_url) as client:
        reply = client.submit(files, channel=channel, language=language)
        state = client.wait(reply.receipt) if wait else None
    if as_json:
        _print_json({"receipt": reply.receipt, "state": state})
    else:
        typer.echo(reply.receipt + (f"  {state}" if state else ""))


@app.command()
def sweep() -> None:
    """Look once for work that a crash left behind, and hand it to the queue again."""
    from workers.sweep import sweep_once

    typer.echo(f"{sweep_once(_settings())} handed to the queue again")


@worker_app.command("prepare")
def worker_prepare(
    burst: Annotated[bool, typer.Option(help="Stop when the queue is empty.")] = False,
) -> None:
    """Decode what comes in, each medium in a child process of its own."""
    from workers.prepare import main as run

    run(_settings(), burst=burst)


@worker_app.command("transcribe")
def worker_transcribe(
    burst: Annotated[bool, typer.Option(help="Stop when the queue is empty.")] = False,
) -> None:
    """Transcribe what is prepared, with the model loaded once."""
    from workers.transcribe import main as run

    run(_settings(), burst=burst)


def main() -> None:
    """Run the command line; an error of ours becomes one sentence in both languages."""
    from models.errors import XiangyinError

    try:
        app()
    except XiangyinError as error:
        typer.echo(f"{error.zh}\n{error.en}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
