"""乡音: the command line, and the front door of everything.

Settings are read here once for each command and handed down. Exit codes: 0 done, 1 refused or
failed (one sentence on standard error says what to do), 2 wrong usage.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from models.account import Role

if TYPE_CHECKING:
    from ingest.matter import Normalised
    from models.packs import Pack
    from models.settings import Settings
    from transcribe.files import Line
    from transcribe.lessons import Recording

_DAY = "%Y-%m-%d"


class _Texts(TyperGroup):
    """A group whose plain use, without the name of a subcommand, reads a text."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["text", *args])


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="乡音 Xiangyin: spoken, typed and photographed complaints become one standard record.",
)
worker_app = typer.Typer(no_args_is_help=True, help="Run one worker.")
pack_app = typer.Typer(no_args_is_help=True, help="Language packs: see, install, train, measure.")
normalise_app = typer.Typer(
    cls=_Texts, help="Read the fields of the standard complaint out of a text."
)
tagger_app = typer.Typer(no_args_is_help=True, help="The classifier that tells languages.")
user_app = typer.Typer(no_args_is_help=True, help="Staff accounts and tokens for programs.")
channel_app = typer.Typer(no_args_is_help=True, help="Channels: where reports come in.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit log.")
for name, group in {
    "worker": worker_app,
    "pack": pack_app,
    "normalise": normalise_app,
    "tagger": tagger_app,
    "user": user_app,
    "channel": channel_app,
    "audit": audit_app,
}.items():
    app.add_typer(group, name=name)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Server = Annotated[str, typer.Option(help="Address of a running server.")]


def _settings() -> Settings:
    from models.settings import read

    return read()


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


@contextmanager
def _progress(words: str, total: float | None = None) -> Iterator[Callable[[float], object]]:
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


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


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
    from api.client import Client, trusting

    settings = _settings()
    trusted = trusting(settings.tls_certificate)
    with Client(server or settings.base_url, verify=trusted) as client:
        size = sum(path.stat().st_size for path in files if path.is_file())
        with _progress("Sending", total=size) as tell:
            reply = client.submit(files, channel=channel, language=language, tell=tell)
        state = None
        if wait:
            with _progress(f"Receipt {reply.receipt}: waiting until it is processed"):
                state = client.wait(reply.receipt)
    if as_json:
        _print_json({"receipt": reply.receipt, "state": state})
    else:
        typer.echo(reply.receipt + (f"  {state['status']}  {state['zh']}" if state else ""))


@app.command()
def sweep() -> None:
    """Look once for work that a crash left behind, and hand it to the queue again."""
    from workers.sweep import sweep_once

    with _progress("Looking for work left behind"):
        count = sweep_once(_settings())
    typer.echo(f"{count} handed to the queue again")


@app.command()
def repeats() -> None:
    """Look through every report for repeats, say after an upgrade; proposes and never merges."""
    from ingest.repeats import look_through
    from models.database import open_database

    engine, _ = open_database(_settings())
    filed, proposed = look_through(engine, lambda done: typer.echo(f"{done:,}", err=True))
    typer.echo(f"{filed} reports looked through, {proposed} repeats newly proposed.")


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
    found = find(files)
    with _progress("Loading the pack"):
        engine = load(
            _pack(settings, pack),
            device=settings.device,
            compute_type=settings.compute_type,
            threads=settings.threads,
            batch=settings.batch,
        )
    limit = settings.limits.recording_seconds
    with _progress("Transcribing", total=len(found)) as tell:
        for line in recognise(engine, found, declared=language, max_seconds=limit):
            typer.echo(line.model_dump_json() if as_json else _plain(line))
            tell(1)


def _plain(line: Line) -> str:
    tag = f"{line.language.tag} {line.language.confidence:.2f}"
    return f"{line.file}  {tag}  {line.reason or line.status}  {line.text or line.error}"


def _pack(settings: Settings, folder: Path | None) -> Pack:
    from models import packs

    return packs.read(folder) if folder else packs.choose(settings.pack_folder, settings.pack)


@pack_app.command("list")
def pack_list(as_json: Json = False) -> None:
    """List the packs that are installed; the one that workers use is marked."""
    from models import packs

    settings = _settings()
    used = packs.choose(settings.pack_folder, settings.pack)
    found = (packs.read(packs.demo_pack()), *packs.installed(settings.pack_folder))
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
    from models import packs

    found = packs.read(folder)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    from transcribe.train import card

    typer.echo(card.page(found))


Heldout = Annotated[
    list[Path] | None,
    typer.Option(help="Recordings held out, manifest or folder; default: those of the samples."),
]


@pack_app.command("install")
def pack_install(
    source: Annotated[str, typer.Argument(help="A pack's folder, or the name of a stock Whisper.")],
    heldout: Heldout = None,
    force: Annotated[bool, typer.Option(help="Without a card, even if it is worse.")] = False,
) -> None:
    """Install a pack that is no worse than the one in use; running workers take it over."""
    from models import packs
    from transcribe.train import exam, screen

    settings = _settings()
    folder = Path(source)
    if not folder.is_dir():
        from transcribe.stock import download

        folder = download(source, settings.pack_folder / ".stock")
    data = heldout or [exam.heldout()]

    def measure(one: Path) -> dict[str, float]:
        with screen.counting(packs.read(one).label) as count:
            return exam.rates(one, data, watch=count)

    used = packs.choose(settings.pack_folder, settings.pack)
    installed, verdict = packs.install(
        folder, settings.pack_folder, instead_of=used, measure=measure, force=force
    )
    if verdict is not None:
        for tag in verdict.tags:
            typer.echo(f"{tag:8} {_percent(verdict.old, tag)} -> {_percent(verdict.new, tag)}")
    typer.echo(f"Installed {installed.label} in {installed.folder}.")


def _percent(rates: dict[str, float], tag: str) -> str:
    return f"{rates[tag]:.1%}" if tag in rates else "not known"


@pack_app.command("data")
def pack_data(
    out: Annotated[Path, typer.Option(help="New folder for the recordings.")],
    username: Annotated[str, typer.Option("--as", help="Whose permissions count.")],
    languages: Annotated[str, typer.Option(help="BCP-47 tags, separated by commas.")] = "",
    dry: Annotated[bool, typer.Option("--dry", help="Only say how much there is.")] = False,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True)] = "",
    code: Annotated[str, typer.Option(help="Of the second factor, if there is one.")] = "",
) -> None:
    """Write what staff accepted, of reporters who agreed, into a folder to train from."""
    from ingest.blobs import open_blobs
    from models import accounts, corpus
    from models.database import open_database, reading, writing
    from transcribe.train import screen
    from workers import corpus as folders

    settings = _settings()
    engine, keys = open_database(settings)
    account = accounts.authenticate(engine, keys, username, password, code)
    folders.require_new(out)
    with reading(engine) as session:
        found = corpus.gather(session, keys, account, _listed(languages))
    typer.echo(corpus.summary(found))
    if dry or not found.lessons:
        return
    with writing(engine) as session:
        corpus.record(session, keys, account, found)
    blobs = open_blobs(settings.blobs, keys, settings.data / "staging")
    with screen.counting(str(out)) as count:
        written = folders.write(
            found, blobs, settings.limits, out, lambda done: count(done, len(found.lessons))
        )
    typer.echo(folders.told(written, out))


@pack_app.command("train")
def pack_train(
    data: Annotated[list[Path], typer.Argument(help="Manifests, or folders with one.")],
    out: Annotated[Path, typer.Option(help="Folder of the new pack.")],
    base: Annotated[
        str, typer.Option(help="scratch, a pack's folder, or a Whisper in Hugging Face's form.")
    ] = "scratch",
    hours: Annotated[float, typer.Option(min=0.001, help="Training time in all.")] = 1.0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(help="Processor threads; 0: all cores.")] = 0,
    work: Annotated[Path | None, typer.Option(help="Where clips and checkpoints lie.")] = None,
    rehearse: Annotated[
        list[Path] | None,
        typer.Option(help="Manifest of the base's own languages, so that it keeps them."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Tune all of a stock Whisper, not low-rank matrices.")
    ] = False,
    borrow: Annotated[
        list[str] | None, typer.Option(help="TAG=CODE: the code of Whisper's that it borrows.")
    ] = None,
    called: Annotated[
        list[str] | None, typer.Option(help="TAG=NAME=AUTONYM: how a new language is shown.")
    ] = None,
    name: Annotated[str, typer.Option(help="The new pack's name.")] = "",
    version: Annotated[str, typer.Option(help="Its version.")] = "1",
    licence: Annotated[str, typer.Option(help="Of the recordings' pack.")] = "not stated",
    steps: Annotated[int, typer.Option(help="Stop after so many steps.", hidden=True)] = 10**9,
) -> None:
    """Grow a pack from recordings; goes on where it was stopped. Needs the train extra."""
    from transcribe.train import recipe, screen

    _require_train_extra()
    wish = recipe.Wish(
        data=tuple(data),
        out=out,
        work=work or out.with_name(out.name + ".work"),
        base=base,
        hours=hours,
        device=_device(device),
        threads=threads or os.cpu_count() or 1,
        steps=steps,
        name=name or out.name,
        version=version,
        licence=licence,
        low_rank=not full,
        rehearse=tuple(rehearse or ()),
        borrow=recipe.borrowed(borrow or ()),
        languages=recipe.named(called or ()),
    )
    with screen.training() as watch:
        recipe.train(wish, typer.echo, watch)


@pack_app.command("curve")
def pack_curve(
    data: Annotated[Path, typer.Argument(help="Recordings of the new language, a manifest.")],
    language: Annotated[str, typer.Option(help="Its BCP-47 tag.")],
    heldout: Annotated[Path, typer.Option(help="Others of it, which nothing is trained on.")],
    out: Annotated[Path, typer.Option(help="Folder for the curve and the packs on it.")],
    base: Annotated[
        Path | None, typer.Option(help="The pack that learns it; default: the one in use.")
    ] = None,
    old: Annotated[
        Path | None, typer.Option(help="Held out, of the base's own languages; default: samples.")
    ] = None,
    rehearse: Annotated[
        list[Path] | None,
        typer.Option(help="Manifest of the base's own languages, so that it keeps them."),
    ] = None,
    minutes: Annotated[str, typer.Option(help="Points, parted by commas.")] = "5,15,30,60,120",
    hours: Annotated[float, typer.Option(min=0.001, help="Training time of each point.")] = 0.22,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(help="Processor threads; 0: all cores.")] = 0,
    steps: Annotated[int, typer.Option(help="Stop after so many steps.", hidden=True)] = 10**9,
) -> None:
    """Draw how much recorded speech brings which error rate; goes on where it was stopped."""
    from transcribe.train import curve, exam, manifest, recipe, screen

    _require_train_extra()
    question = curve.Question(
        tag=language,
        shown=recipe.Language(language, language),
        data=manifest.of(data),
        heldout=manifest.of(heldout),
        old=manifest.of(old or exam.heldout()),
        base=_pack(_settings(), base).folder,
        work=out,
        minutes=curve.points(minutes),
        hours=hours,
        steps=steps,
        threads=threads or os.cpu_count() or 1,
        device=_device(device),
        rehearse=tuple(rehearse or ()),
    )
    with screen.training() as watch:
        points = curve.draw(question, typer.echo, watch)
    typer.echo(curve.table(points))
    typer.echo(f"{out / 'curve.png'}")


def _require_train_extra() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        _fail(
            "训练需要附加组件：见 README 的“Grow a language”。\n"
            "Training needs the extra `train`: see “Grow a language” in the README."
        )


def _device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@pack_app.command("evaluate")
def pack_evaluate(
    folder: Annotated[Path, typer.Argument(help="A pack's folder.")],
    data: Annotated[list[Path], typer.Argument(help="Manifests, or folders with one.")],
    threads: Annotated[int, typer.Option(help="Processor threads; 0: all cores.")] = 0,
    write: Annotated[bool, typer.Option("--write", help="Keep it as the pack's card.")] = False,
    as_json: Json = False,
) -> None:
    """Measure a pack on recordings whose texts are known, and print its report card."""
    from transcribe.train import card, exam, packfile, screen

    with screen.counting(str(folder)) as count:
        report = exam.check(folder, data, threads, watch=count)
    for line in report.left_out:
        typer.echo(str(line), err=True)
    if write:
        packfile.put_card(folder, report.as_card())
    if as_json:
        _print_json({**report.as_card(), "left_out": len(report.left_out)})
    else:
        typer.echo(card.table(report.rows))


@tagger_app.command("train")
def tagger_train(
    data: Annotated[
        Path | None, typer.Argument(help="Manifest of recordings; without it, confirmed reports.")
    ] = None,
    pack: Annotated[Path | None, typer.Option(help="Folder of the pack it belongs to.")] = None,
) -> None:
    """Teach the tagger of a pack the languages of confirmed recordings."""
    from transcribe import lessons, tagger
    from transcribe.whisper import Whisper

    settings = _settings()
    chosen = _pack(settings, pack)
    # Decoded before the model is loaded, which no child would survive.
    heard = tuple(lessons.read(data) if data else _confirmed(settings))
    taught = lessons.train(Whisper(chosen), heard, tagger.load(chosen.folder))
    typer.echo(f"Wrote {tagger.save(taught, chosen.folder)}: {' '.join(taught.labels)}")


def _confirmed(settings: Settings) -> Iterator[Recording]:
    from workers.confirmed import recordings
    from workers.stores import open_stores

    return recordings(open_stores(settings))


@tagger_app.command("evaluate")
def tagger_evaluate(
    data: Annotated[Path, typer.Argument(help="Manifest; languages the pack lacks count as und.")],
    pack: Annotated[Path | None, typer.Option(help="Folder of a language pack.")] = None,
) -> None:
    """Measure the language tags: accuracy, unknown languages, calibration; prints JSON."""
    from transcribe import evaluate, lessons
    from transcribe.engine import load

    engine = load(_pack(_settings(), pack))
    judged = evaluate.judge(engine, lessons.read(data), engine.pack.tags)
    typer.echo(evaluate.figures(judged).model_dump_json(indent=1))


@app.command()
def bench(
    shape: Annotated[
        str, typer.Option(help="tiny, base, small or large-v3-turbo, with random weights.")
    ] = "",
    pack: Annotated[Path | None, typer.Option(help="Folder of a pack with real weights.")] = None,
    messages: Annotated[int, typer.Option(help="How many messages.")] = 40,
    threads: Annotated[int, typer.Option(help="Processor threads; 0: all cores.")] = 0,
    batch: Annotated[int, typer.Option(help="Windows written together; 0: by device.")] = 0,
    heldout: Annotated[
        Path | None, typer.Option(help="Manifest with known texts; the demo pack has its own.")
    ] = None,
    floor: Annotated[
        float | None, typer.Option(help="Shortest window in seconds, in place of the pack's.")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Added to the sound of a window, in place of the pack's.")
    ] = None,
    soak: Annotated[int, typer.Option(help="Only watch the memory over so many messages.")] = 0,
    overhead: Annotated[
        int, typer.Option(help="Only measure what so many messages cost around the model.")
    ] = 0,
    plot: Annotated[Path | None, typer.Option(help="Write the plot here.")] = None,
    as_json: Json = False,
) -> None:
    """Measure what this machine can do, side by side with plain faster-whisper."""
    from models import packs
    from transcribe.train import exam
    from workers import bench as race
    from workers.overhead import measure

    if pack and not heldout and pack.resolve() == packs.demo_pack().resolve():
        heldout = exam.heldout()
    plan = race.Plan(
        shape=shape,
        pack=pack,
        messages=messages,
        threads=threads,
        batch=batch,
        heldout=heldout,
        floor=floor,
        margin=margin,
    )
    if overhead:
        around = measure(_pack(_settings(), pack), overhead)
        typer.echo(around.model_dump_json())
        return
    if soak:
        typer.echo(race.steep(plan, soak, _told).model_dump_json())
        return
    report = race.run(plan, _told)
    if plot:
        race.draw(report, plot)
    if as_json:
        typer.echo(report.model_dump_json())
        return
    typer.echo(f"{report.messages_per_hour:.0f} messages an hour")
    for name, ratio in report.ratio.items():
        typer.echo(f"  {ratio:5.2f} times {name}")


def _told(line: str) -> None:
    typer.echo(line, err=True)


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
    rounds: Annotated[
        str, typer.Option(help="Inspection rounds they work in, separated by commas; * for all.")
    ] = "",
    identity: Annotated[
        str, typer.Option(help="What the OpenID Connect provider calls them (sub).")
    ] = "",
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
        added = accounts.add(
            session,
            keys,
            username=username,
            password=password,
            role=role,
            division_code=division,
            name=name,
            unit_code=unit or None,
            rounds=_listed(rounds),
            languages=_listed(languages),
            permissions=[Permission(one) for one in _listed(permissions)],
        )
        if identity:
            accounts.tie(session, keys, added, identity)
    typer.echo(f"Added {username}.")


@user_app.command("change")
def user_change(
    username: str,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a new one; it lifts a lock.")
    ] = False,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Close the account, or open it again.")
    ] = None,
    permissions: Annotated[
        str | None, typer.Option(help='Exactly these of identity, originals, export; "" for none.')
    ] = None,
    languages: Annotated[str | None, typer.Option(help="Exactly these BCP-47 tags.")] = None,
    rounds: Annotated[str | None, typer.Option(help="Exactly these inspection rounds.")] = None,
    identity: Annotated[
        str | None, typer.Option(help='What the OpenID Connect provider calls them; "" to untie.')
    ] = None,
    drop_second_factor: Annotated[
        bool, typer.Option("--drop-second-factor", help="For somebody who lost their phone.")
    ] = False,
) -> None:
    """Change what somebody may do, or how they get in; what is not named stays."""
    from models import accounts
    from models.account import Permission
    from models.database import open_database, writing

    engine, keys = open_database(_settings())
    fresh = ""
    if password:
        fresh = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    with writing(engine) as session:
        account = accounts.by_name(session, username)
        if fresh:
            accounts.set_password(session, keys, account, fresh)
        if disabled is not None:
            accounts.set_disabled(session, keys, account, disabled)
        if permissions is not None:
            granted = [Permission(one) for one in _listed(permissions)]
            accounts.set_permissions(session, keys, account, granted)
        if languages is not None:
            accounts.set_languages(session, keys, account, _listed(languages))
        if rounds is not None:
            accounts.set_rounds(session, keys, account, _listed(rounds))
        if identity is not None:
            accounts.tie(session, keys, account, identity)
        if drop_second_factor:
            accounts.drop_second_factor(session, keys, account)
    typer.echo(f"Changed {username}.")


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


@app.command()
def seed(
    rows: Annotated[int, typer.Argument(help="How many invented complaints to add.")],
) -> None:
    """Add invented complaints to a database, for measuring how it fares when it is full."""
    from models import codes
    from models import seed as seeding
    from models.database import open_database

    engine, _ = open_database(_settings())
    done = 0
    with _progress("Adding", total=rows) as tell:

        def told(so_far: int) -> None:
            nonlocal done
            tell(so_far - done)
            done = so_far

        made = seeding.fill(engine, rows, codes.load(), progress=told)
    typer.echo(f"{made:,} complaints added")


@audit_app.command("head")
def audit_head() -> None:
    """Print the head of the log, to be kept where nobody who could change the log can change it."""
    from models import audit
    from models.database import open_database, reading

    engine, _ = open_database(_settings())
    with reading(engine) as session:
        typer.echo(str(audit.head(session)))


@audit_app.command("verify")
def audit_verify(
    head: Annotated[
        str, typer.Option(help="A head that was kept: without one, what was cut off is not missed.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Check that no event was changed, removed, reordered or cut off; exit 1 if one was."""
    from models import audit
    from models.database import open_database, reading

    engine, keys = open_database(_settings())
    kept = audit.Head.parse(head) if head.strip() else None
    with reading(engine) as session, _progress("Checking every event"):
        verdict = audit.verify(session, keys, kept)
    if as_json:
        _print_json(asdict(verdict))
    else:
        typer.echo("The log is whole." if verdict.fault is None else f"Damaged: {verdict.fault}")
    raise typer.Exit(0 if verdict.fault is None else 1)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@normalise_app.command("text")
def normalise(
    file: Annotated[str, typer.Argument(help="A text file; - for standard input.")] = "-",
    received: Annotated[str, typer.Option(help="Day received, YYYY-MM-DD; default today.")] = "",
    gazetteer: Annotated[Path | None, typer.Option(help="CSV of units.")] = None,
    channel: Annotated[str, typer.Option(help="Code of a channel of the samples.")] = "",
    lines: Annotated[bool, typer.Option("--lines", help="Each line is a text.")] = False,
    as_json: Json = False,
) -> None:
    """Read the fields of a text; each value says which words it came from."""
    from ingest.normalise.lines import normalise_lines, normalise_text, sit_down

    text = sys.stdin.read() if file == "-" else _read_text(Path(file))
    with _progress("Compiling the lexicons"):
        desk = sit_down(gazetteer, channel, _day(received))
    texts = [line for line in text.splitlines() if line.strip()] if lines else [text]
    found = normalise_lines(texts, desk) if lines else [normalise_text(text, desk)]
    with _progress("Normalising", total=len(texts)) as tell:
        for one in found:
            _print_normalised(one, as_json)
            tell(1)


def _print_normalised(found: Normalised, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json())
        return
    kept = found.model_dump(mode="json", exclude={"provenance", "description"})
    for name, value in kept.items():
        typer.echo(f"{name:12} {value if value not in (None, '', []) else '-'}")


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        _fail(f"{path} cannot be read as UTF-8 text: check its path and encoding.")


def _day(written: str) -> date:
    from models.clocks import OFFICE
    from models.columns import now

    try:
        return date.fromisoformat(written) if written else now().astimezone(OFFICE).date()
    except ValueError:
        _fail(f"{written} is no day: write it as 2026-05-12.")


@normalise_app.command("evaluate")
def normalise_evaluate(
    data: Annotated[Path, typer.Argument(help="Labelled complaints, JSON lines.")] = Path(
        "samples/complaints/heldout.jsonl"
    ),
    spoken: Annotated[
        bool, typer.Option("--spoken", help="As a recogniser heard them: spoken.jsonl beside.")
    ] = False,
) -> None:
    """Measure the normaliser on labelled complaints and print the tables."""
    from ingest.normalise import evaluate, labelled, load_lexicons
    from models import gazetteer

    folder = data.parent
    read = labelled.read(data)
    channels = labelled.read_channels(folder / "channels.toml")
    lexicons = load_lexicons(gazetteer.read(folder / "gazetteer.csv"))
    if not spoken:
        typer.echo(evaluate.tables(evaluate.evaluate(read, channels, lexicons)))
        return
    known = {one.id for one in read}
    heard = [one for one in labelled.read_heard(folder / "spoken.jsonl") if one.id in known]
    said = {one.id for one in heard}
    typed = evaluate.evaluate([one for one in read if one.id in said], channels, lexicons)
    found = evaluate.evaluate(read, channels, lexicons, heard)
    typer.echo(
        f"heard by {', '.join(sorted({one.pack for one in heard}))}, "
        f"voices {', '.join(sorted({one.voice for one in heard}))}\n"
    )
    typer.echo(evaluate.tables(found))
    typer.echo(evaluate.spoken_goal(typed, found, heard))


@normalise_app.command("speak")
def normalise_speak(
    folder: Annotated[Path, typer.Argument(help="Folder of the labelled complaints.")] = Path(
        "samples/complaints"
    ),
    pack: Annotated[Path | None, typer.Option(help="Folder of a language pack.")] = None,
) -> None:
    """Say the labelled complaints and recognise them, into spoken.jsonl. Needs the train extra."""
    from models import packs
    from transcribe.engine import load
    from workers import spoken

    chosen = packs.read(pack or packs.demo_pack())
    heard = spoken.speak(
        folder, load(chosen), chosen.label, lambda line: typer.echo(line, err=True)
    )
    typer.echo(f"{len(heard)} said, character error rate {spoken.error_rate(heard):.1%}.")


@normalise_app.command("train")
def normalise_train(
    data: Annotated[Path, typer.Argument(help="Labelled complaints, JSON lines.")],
    out: Annotated[Path, typer.Option(help="Where to write the model.")],
    phrases: Annotated[Path | None, typer.Option(help="Short examples: code, code, text.")] = None,
    accepted: Annotated[
        bool, typer.Option("--accepted", help="Also from this installation's accepted reports.")
    ] = False,
) -> None:
    """Train the small model of domains and conducts from labelled complaints."""
    from ingest.normalise import labelled, model, train
    from ingest.normalise.accepted import examples as accepted_examples
    from models.database import open_database, reading

    more: tuple[train.Example, ...] = ()
    if accepted:
        engine, _ = open_database(_settings())
        with reading(engine) as session:
            more = accepted_examples(session)
    fitted = train.train(
        train.examples(labelled.read(data)),
        (*(train.read_phrases(phrases) if phrases else ()), *more),
    )
    model.save(fitted.model, out)
    told = f", {len(more)} of them accepted reports" if accepted else ""
    typer.echo(f"Wrote {out} from {fitted.examples} examples{told}; held out in turn:")
    for name, head in (("domain", fitted.model.domain), ("conduct", fitted.model.conduct)):
        typer.echo(
            f"  {name}: likeliest code right {fitted.accuracy[name]:.3f}; filled from "
            f"{head.threshold:.2f} on: precision {fitted.precision[name]:.3f}, "
            f"recall {fitted.recall[name]:.3f}"
        )


@worker_app.command("prepare")
def worker_prepare(
    burst: Annotated[bool, typer.Option(help="Stop when the queue is empty.")] = False,
) -> None:
    """Decode what comes in, each medium in a child process of its own."""
    from workers.keep import main as run

    run(_settings(), "prepare", burst=burst)


@worker_app.command("transcribe")
def worker_transcribe(
    burst: Annotated[bool, typer.Option(help="Stop when the queue is empty.")] = False,
) -> None:
    """Transcribe what is prepared, with the model loaded once."""
    from workers.keep import main as run

    run(_settings(), "transcribe", burst=burst)


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
