"""乡音: the command line, and the front door of everything.

Settings are read here once for each command and handed down. Exit codes: 0 done, 1 refused or
failed (one sentence on standard error says what to do), 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from models.account import Role

if TYPE_CHECKING:
    from models.packs import Pack
    from models.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="乡音 Xiangyin: spoken, typed and photographed complaints become one standard record.",
)
worker_app = typer.Typer(no_args_is_help=True, help="Run one worker.")
pack_app = typer.Typer(no_args_is_help=True, help="Language packs: see, install, train, measure.")
user_app = typer.Typer(no_args_is_help=True, help="Staff accounts and tokens for programs.")
channel_app = typer.Typer(no_args_is_help=True, help="Channels: where reports come in.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit log.")
for name, group in {
    "worker": worker_app,
    "pack": pack_app,
    "user": user_app,
    "channel": channel_app,
    "audit": audit_app,
}.items():
    app.add_typer(group, name=name)

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


@app.command()
def transcribe(
    files: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them.")],
    pack: Annotated[Path | None, typer.Option(help="Folder of a language pack.")] = None,
    language: Annotated[str, typer.Option(help="BCP-47 tag that the speaker declares.")] = "",
    as_json: Json = False,
) -> None:
    """Transcribe files here and now; needs neither queue nor database."""
    from transcribe.engine import load
    from transcribe.files import find, recognise

    settings = _settings()
    engine = load(
        _pack(settings, pack),
        device=settings.device,
        compute_type=settings.compute_type,
        threads=settings.threads,
        batch=settings.batch,
    )
    for line in recognise(
        engine, find(files), declared=language, max_seconds=settings.limits.recording_seconds
    ):
        if as_json:
            typer.echo(line.model_dump_json())
        else:
            state = line.reason or line.status
            tag = f"{line.language.tag} {line.language.confidence:.2f}"
            typer.echo(f"{line.file}  {tag}  {state}  {line.text or line.error}")


def _pack(settings: Settings, folder: Path | None) -> Pack:
    from models import packs
    from workers.warm import choose

    return packs.read(folder) if folder else choose(settings.pack_folder, settings.pack)


@pack_app.command("list")
def pack_list(as_json: Json = False) -> None:
    """List the packs that are installed; the one that workers use is marked."""
    from models import packs
    from workers.warm import choose, demo_pack

    settings = _settings()
    used = choose(settings.pack_folder, settings.pack)
    found = (packs.read(demo_pack()), *packs.installed(settings.pack_folder))
    if as_json:
        _print_json(
            [
                {
                    "name": one.name,
                    "version": one.version,
                    "languages": one.tags,
                    "used": one == used,
                }
                for one in found
            ]
        )
        return
    for one in found:
        typer.echo(f"{'*' if one == used else ' '} {one.label}  {' '.join(one.tags)}")


@pack_app.command("info")
def pack_info(folder: Annotated[Path, typer.Argument()], as_json: Json = False) -> None:
    """Show what a pack's folder says, with its report card."""
    from rich.console import Console
    from rich.pretty import Pretty

    from models import packs

    found = packs.read(folder)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        Console().print(Pretty(found.model_dump(mode="json"), expand_all=False))


@pack_app.command("install")
def pack_install(
    source: Annotated[str, typer.Argument(help="A pack's folder, or the name of a stock Whisper.")],
    force: Annotated[bool, typer.Option(help="Even if it is worse than the one in use.")] = False,
) -> None:
    """Install a pack; running workers take it over between two batches."""
    from models import packs
    from workers.warm import choose

    settings = _settings()
    folder = Path(source)
    if not folder.is_dir():
        from transcribe.stock import download

        folder = download(source, settings.pack_folder / ".stock")
    used = choose(settings.pack_folder, settings.pack)
    installed = packs.install(folder, settings.pack_folder, instead_of=used, force=force)
    typer.echo(f"Installed {installed.label} in {installed.folder}.")


@user_app.command("add")
def user_add(
    username: str,
    role: Annotated[Role, typer.Option()],
    division: Annotated[str, typer.Option(help="Six digits, for example 510729.")],
    name: Annotated[str, typer.Option()] = "",
    languages: Annotated[str, typer.Option(help="BCP-47 tags, separated by commas.")] = "",
    permissions: Annotated[
        str, typer.Option(help="Of identity, originals, export; separated by commas.")
    ] = "",
    unit: Annotated[str, typer.Option(help="Code of the unit whose staff they are.")] = "",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)
    ] = "",
) -> None:
    """Add a member of staff; the password is asked for."""
    from models import accounts
    from models.account import Permission
    from models.database import open_database, writing

    engine, keys = open_database(_settings())
    with writing(engine) as session:
        accounts.add(
            session,
            keys,
            username=username,
            password=password,
            role=role,
            division_code=division,
            name=name,
            unit_code=unit or None,
            languages=_listed(languages),
            permissions=[Permission(one) for one in _listed(permissions)],
        )
    typer.echo(f"Added {username}.")


@user_app.command("token")
def user_token(
    username: str, label: Annotated[str, typer.Option(help="What it is for.")] = ""
) -> None:
    """Make a bearer token for a program that acts for an account; it is shown once."""
    from models import accounts, tokens
    from models.database import open_database, writing

    engine, keys = open_database(_settings())
    with writing(engine) as session:
        account = accounts.by_name(session, username)
        typer.echo(tokens.issue(session, keys, account, name=label))


@channel_app.command("add")
def channel_add(
    code: str,
    name: Annotated[str, typer.Option()],
    jurisdiction: Annotated[str, typer.Option(help="Six digits, for example 510729.")],
    unit: Annotated[str, typer.Option(help="Code of the unit inspected.")] = "",
    languages: Annotated[str, typer.Option(help="BCP-47 tags in the order shown.")] = "",
    inspection: Annotated[str, typer.Option(help="Code of the inspection round.")] = "",
) -> None:
    """Add a channel and print the address for its QR code."""
    from models import channels
    from models.channel import Channel
    from models.database import open_database, writing

    settings = _settings()
    engine, _ = open_database(settings)
    tags = _listed(languages) or list(channels.LANGUAGES)
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
            ),
        )
    typer.echo(channels.address(settings.base_url, code))


@channel_app.command("units")
def channel_units(file: Annotated[Path, typer.Argument(help="CSV of units.")]) -> None:
    """Import the gazetteer: the units and places that complaints can be about."""
    from models import gazetteer
    from models.database import open_database, writing

    units = gazetteer.read(file)
    engine, _ = open_database(_settings())
    with writing(engine) as session:
        count = gazetteer.store(session, units)
    typer.echo(f"{count} units stored.")


@audit_app.command("verify")
def audit_verify(as_json: Json = False) -> None:
    """Check that no event was changed, removed or reordered; exit 1 if one was."""
    from models import audit
    from models.database import open_database, reading

    engine, keys = open_database(_settings())
    with reading(engine) as session:
        verdict = audit.verify(session, keys)
    if as_json:
        _print_json(asdict(verdict))
    else:
        typer.echo("The log is whole." if verdict.fault is None else f"Damaged: {verdict.fault}")
    raise typer.Exit(0 if verdict.fault is None else 1)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


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
    from workers.keep import main as run

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
