"""Channels on the command line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from models import terminal

app = typer.Typer(no_args_is_help=True, help="Channels: where reports come in.")
_DAY = "%Y-%m-%d"


@app.command("add")
def add(
    code: str,
    name: Annotated[str, typer.Option()],
    jurisdiction: Annotated[str, typer.Option(help="Six digits, for example 510729.")],
    unit: Annotated[str, typer.Option(help="Code of the unit inspected.")] = "",
    languages: Annotated[str, typer.Option(help="BCP-47 tags in the order shown.")] = "",
    inspection: Annotated[str, typer.Option(help="Code of the inspection round.")] = "",
    valid_from: Annotated[datetime | None, typer.Option(formats=[_DAY], help="First day.")] = None,
    valid_until: Annotated[datetime | None, typer.Option(formats=[_DAY], help="Last day.")] = None,
    seconds: Annotated[int | None, typer.Option(help="Longest recording.")] = None,
    help_name: Annotated[str, typer.Option(help="Who helps people with the page.")] = "",
    help_phone: Annotated[str, typer.Option(help="Their telephone.")] = "",
    mask_voice: Annotated[bool, typer.Option(help="Staff hear the voice disguised.")] = False,
    poster: Annotated[Path | None, typer.Option(help="Write the QR code there, as SVG.")] = None,
) -> None:
    """Add a channel and print the addresses of its page and of its poster on A4."""
    from api.citizen.poster import draw
    from models import channels
    from models.channel import Channel
    from models.database import open_database, writing

    settings = terminal.settings()
    engine, _ = open_database(settings)
    tags = terminal.listed(languages) or list(channels.LANGUAGES)
    with writing(engine) as session:
        channels.add(
            session,
            Channel(
                code=code,
                name=name,
                jurisdiction=jurisdiction,
                unit_code=unit or None,
                languages=tags,
                round=inspection,
                valid_from=valid_from.date() if valid_from else None,
                valid_until=valid_until.date() if valid_until else None,
                recording_seconds=seconds,
                help_name=help_name,
                help_phone=help_phone,
                mask_voice=mask_voice,
            ),
        )
    address = channels.address(settings.base_url, code)
    if poster:
        poster.write_bytes(draw(address, name))
    typer.echo(f"{address}\n{address}/poster")


@app.command("units")
def units(file: Annotated[Path, typer.Argument(help="CSV of units.")]) -> None:
    """Import the gazetteer: the units and places that complaints can be about."""
    from models import gazetteer
    from models.database import open_database, writing

    units = gazetteer.read(file)
    engine, _ = open_database(terminal.settings())
    with writing(engine) as session:
        count = gazetteer.store(session, units)
    typer.echo(f"{count} units stored.")
