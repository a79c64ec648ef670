"""Language packs on the command line: see, install, train, measure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models import terminal

if TYPE_CHECKING:
    from models.packs import Pack
    from models.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Language packs: see, install, train, measure.")


def chosen(settings: Settings, folder: Path | None) -> Pack:
    """Read the pack of a folder, or without one the pack that workers use."""
    from models import packs

    return packs.read(folder) if folder else packs.choose(settings.pack_folder, settings.pack)


@app.command("list")
def show(as_json: terminal.Json = False) -> None:
    """List the packs that are installed; the one that workers use is marked."""
    from models import packs

    settings = terminal.settings()
    used = packs.choose(settings.pack_folder, settings.pack)
    found = (packs.read(packs.demo_pack()), *packs.installed(settings.pack_folder))
    if as_json:
        terminal.print_json(
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


@app.command("info")
def info(folder: Annotated[Path, typer.Argument()], as_json: terminal.Json = False) -> None:
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


@app.command("install")
def install(
    source: Annotated[str, typer.Argument(help="A pack's folder, or the name of a stock Whisper.")],
    heldout: Heldout = None,
    force: Annotated[bool, typer.Option(help="Without a card, even if it is worse.")] = False,
) -> None:
    """Install a pack that is no worse than the one in use; running workers take it over."""
    from models import packs
    from transcribe.train import exam, screen

    settings = terminal.settings()
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


@app.command("data")
def data(
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

    settings = terminal.settings()
    engine, keys = open_database(settings)
    account = accounts.authenticate(engine, keys, username, password, code)
    folders.require_new(out)
    with reading(engine) as session:
        found = corpus.gather(session, keys, account, terminal.listed(languages))
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


@app.command("train")
def train(
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
    from transcribe.train.wish import Wish

    terminal.require_train_extra()
    wish = Wish(
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


@app.command("curve")
def curve(
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
    from transcribe.train import curve, exam, manifest, screen
    from transcribe.train.wish import Language

    terminal.require_train_extra()
    question = curve.Question(
        tag=language,
        shown=Language(language, language),
        data=manifest.of(data),
        heldout=manifest.of(heldout),
        old=manifest.of(old or exam.heldout()),
        base=chosen(terminal.settings(), base).folder,
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


def _device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@app.command("evaluate")
def evaluate(
    folder: Annotated[Path, typer.Argument(help="A pack's folder.")],
    data: Annotated[list[Path], typer.Argument(help="Manifests, or folders with one.")],
    threads: Annotated[int, typer.Option(help="Processor threads; 0: all cores.")] = 0,
    write: Annotated[bool, typer.Option("--write", help="Keep it as the pack's card.")] = False,
    as_json: terminal.Json = False,
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
        terminal.print_json({**report.as_card(), "left_out": len(report.left_out)})
    else:
        typer.echo(card.table(report.rows))
