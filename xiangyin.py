"""乡音: the command line, and the front door of everything.

Settings are read once for each command and handed down. Exit codes: 0 done, 1 refused or failed
(one sentence on standard error says what to do), 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import audit, channel, user
from models import terminal
from workers.commands import bench, normalise, pack, tagger

if TYPE_CHECKING:
    from transcribe.files import Line

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="乡音 Xiangyin: spoken, typed and photographed complaints become one standard record.",
)
worker_app = typer.Typer(no_args_is_help=True, help="Run one worker.")
for name, group in {
    "worker": worker_app,
    "pack": pack.app,
    "normalise": normalise.app,
    "tagger": tagger.app,
    "user": user.app,
    "channel": channel.app,
    "audit": audit.app,
}.items():
    app.add_typer(group, name=name)
app.command()(bench.bench)

Server = Annotated[str, typer.Option(help="Address of a running server.")]


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("xiangyin"))


@app.command()
def up(
    with_parent: Annotated[
        bool, typer.Option(help="Stop when the process that started this one ends.")
    ] = False,
) -> None:
    """Run everything on this machine: queue, web, workers and sweeper, until Ctrl-C."""
    from workers.family import end_with_parent
    from workers.supervise import run

    if with_parent:
        end_with_parent(os.getppid())
    run(terminal.settings())


@app.command()
def serve() -> None:
    """Run the web process alone."""
    from api.serve import serve as run

    run(terminal.settings())


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Use a fresh data folder, check the outcome, stop.")
    ] = False,
) -> None:
    """Start everything, submit the samples as citizens would, and show what came out."""
    from api.demo import run

    raise typer.Exit(run(terminal.settings(), once=once))


@app.command()
def submit(
    files: Annotated[list[Path], typer.Argument(help="Recordings, photographs, .txt files.")],
    channel: Annotated[str, typer.Option(help="The channel's code.")] = "",
    language: Annotated[str, typer.Option(help="BCP-47 tag that the speaker declares.")] = "",
    server: Server = "",
    wait: Annotated[bool, typer.Option(help="Wait until the report is processed.")] = False,
    as_json: terminal.Json = False,
) -> None:
    """Submit files as one report and print its receipt."""
    from api.client import Client, trusting

    settings = terminal.settings()
    trusted = trusting(settings.tls_certificate)
    with Client(server or settings.base_url, verify=trusted) as client:
        size = sum(path.stat().st_size for path in files if path.is_file())
        with terminal.progress("Sending", total=size) as tell:
            reply = client.submit(files, channel=channel, language=language, tell=tell)
        state = None
        if wait:
            with terminal.progress(f"Receipt {reply.receipt}: waiting until it is processed"):
                state = client.wait(reply.receipt)
    if as_json:
        terminal.print_json({"receipt": reply.receipt, "state": state})
    else:
        typer.echo(reply.receipt + (f"  {state['status']}  {state['zh']}" if state else ""))


@app.command()
def sweep() -> None:
    """Look once for work that a crash left behind, and hand it to the queue again."""
    from workers.sweep import sweep_once

    with terminal.progress("Looking for work left behind"):
        count = sweep_once(terminal.settings())
    typer.echo(f"{count} handed to the queue again")


@app.command()
def repeats() -> None:
    """Look through every report for repeats, say after an upgrade; proposes and never merges."""
    from ingest.repeats import look_through
    from models.database import open_database

    engine, _ = open_database(terminal.settings())
    filed, proposed = look_through(engine, lambda done: typer.echo(f"{done:,}", err=True))
    typer.echo(f"{filed} reports looked through, {proposed} repeats newly proposed.")


@app.command()
def transcribe(
    files: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    folder: Annotated[
        Path | None, typer.Option("--pack", help="Folder of a language pack.")
    ] = None,
    language: Annotated[str, typer.Option(help="BCP-47 tag that the speaker declares.")] = "",
    as_json: terminal.Json = False,
) -> None:
    """Transcribe files here and now; needs neither queue nor database."""
    from transcribe.engine import load
    from transcribe.files import find, recognise

    settings = terminal.settings()
    found = find(files)
    with terminal.progress("Loading the pack"):
        engine = load(
            pack.chosen(settings, folder),
            device=settings.device,
            compute_type=settings.compute_type,
            threads=settings.threads,
            batch=settings.batch,
        )
    limit = settings.limits.recording_seconds
    with terminal.progress("Transcribing", total=len(found)) as tell:
        for line in recognise(engine, found, declared=language, max_seconds=limit):
            typer.echo(line.model_dump_json() if as_json else _plain(line))
            tell(1)


def _plain(line: Line) -> str:
    tag = f"{line.language.tag} {line.language.confidence:.2f}"
    # What may not have been said is not shown as if it had; --json has it, with its flags.
    shown = line.error or ("" if line.reason else line.text)
    return f"{line.file}  {tag}  {line.reason or line.status}  {shown}".rstrip()


@app.command()
def seed(
    rows: Annotated[int, typer.Argument(help="How many invented complaints to add.")],
) -> None:
    """Add invented complaints to a database, for measuring how it fares when it is full."""
    from models import codes
    from models import seed as seeding
    from models.database import open_database

    engine, _ = open_database(terminal.settings())
    done = 0
    with terminal.progress("Adding", total=rows) as tell:

        def told(so_far: int) -> None:
            nonlocal done
            tell(so_far - done)
            done = so_far

        made = seeding.fill(engine, rows, codes.load(), progress=told)
    typer.echo(f"{made:,} complaints added")


@worker_app.command("prepare")
def worker_prepare(
    burst: Annotated[bool, typer.Option(help="Stop when the queue is empty.")] = False,
) -> None:
    """Decode what comes in, each medium in a child process of its own."""
    from workers.keep import main as run

    run(terminal.settings(), "prepare", burst=burst)


@worker_app.command("transcribe")
def worker_transcribe(
    burst: Annotated[bool, typer.Option(help="Stop when the queue is empty.")] = False,
) -> None:
    """Transcribe what is prepared, with the model loaded once."""
    from workers.keep import main as run

    run(terminal.settings(), "transcribe", burst=burst)


def main() -> None:
    """Run the command line; an error of ours becomes one sentence in both languages."""
    from models import logs
    from models.errors import XiangyinError

    # Unset, structlog would show an error with its variables, and so with what somebody said.
    logs.configure("WARNING", "xiangyin")
    try:
        app()
    except XiangyinError as error:
        typer.echo(f"{error.zh}\n{error.en}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
