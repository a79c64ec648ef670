"""乡音: the command line, and the front door of everything."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="乡音: spoken complaints become one standard record.")


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("xiangyin"))


def main() -> None:
    """Run the command line."""
    app()
