"""The audit log on the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from models import terminal

app = typer.Typer(no_args_is_help=True, help="The audit log.")


@app.command("head")
def head() -> None:
    """Print the head of the log, to be kept where nobody who could change the log can change it."""
    from models import audit
    from models.database import open_database, reading

    engine, _ = open_database(terminal.settings())
    with reading(engine) as session:
        typer.echo(str(audit.head(session)))


@app.command("verify")
def verify(
    head: Annotated[
        str, typer.Option(help="A head that was kept: without one, what was cut off is not missed.")
    ] = "",
    as_json: terminal.Json = False,
) -> None:
    """Check that no event was changed, removed, reordered or cut off; exit 1 if one was."""
    from models import audit
    from models.database import open_database, reading

    engine, keys = open_database(terminal.settings())
    kept = audit.Head.parse(head) if head.strip() else None
    with reading(engine) as session, terminal.progress("Checking every event"):
        verdict = audit.verify(session, keys, kept)
    if as_json:
        terminal.print_json(asdict(verdict))
    else:
        typer.echo("The log is whole." if verdict.fault is None else f"Damaged: {verdict.fault}")
    raise typer.Exit(0 if verdict.fault is None else 1)
