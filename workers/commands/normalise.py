"""The normaliser on the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from models import terminal

if TYPE_CHECKING:
    from ingest.matter import Normalised
    from ingest.normalise.taught import Taught


class _Texts(TyperGroup):
    """A group whose plain use, without the name of a subcommand, reads a text."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["text", *args])


app = typer.Typer(cls=_Texts, help="Read the fields of the standard complaint out of a text.")


Samples = Annotated[
    Path, typer.Argument(help="Labelled complaints, with channels, gazetteer, phrases and marks.")
]


@app.command("text")
def fields(
    file: Annotated[str, typer.Argument(help="A text file; - for standard input.")] = "-",
    received: Annotated[str, typer.Option(help="Day received, YYYY-MM-DD; default today.")] = "",
    gazetteer: Annotated[Path | None, typer.Option(help="CSV of units.")] = None,
    channel: Annotated[str, typer.Option(help="Code of a channel of the samples.")] = "",
    lines: Annotated[bool, typer.Option("--lines", help="Each line is a text.")] = False,
    as_json: terminal.Json = False,
) -> None:
    """Read the fields of a text; each value says which words it came from."""
    from ingest.normalise.lines import normalise_lines, normalise_text, sit_down

    text = sys.stdin.read() if file == "-" else _read_text(Path(file))
    with terminal.progress("Compiling the lexicons"):
        desk = sit_down(gazetteer, channel, _day(received))
    texts = [line for line in text.splitlines() if line.strip()] if lines else [text.rstrip()]
    found = normalise_lines(texts, desk) if lines else [normalise_text(text, desk)]
    with terminal.progress("Normalising", total=len(texts)) as tell:
        for one in found:
            _print(one, as_json)
            tell(1)


def _print(found: Normalised, as_json: bool) -> None:
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
        terminal.fail(f"{path} cannot be read as UTF-8 text: check its path and encoding.")


def _day(written: str) -> date:
    from models.clocks import OFFICE
    from models.columns import now

    try:
        return date.fromisoformat(written) if written else now().astimezone(OFFICE).date()
    except ValueError:
        terminal.fail(f"{written} is no day: write it as 2026-05-12.")


@app.command("evaluate")
def evaluate(
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


@app.command("speak")
def speak(
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


def _teach(lessons: Sequence[Taught], digest: str, out: Path) -> None:
    from ingest.normalise import network
    from workers import teaching

    found = teaching.fit(lessons, digest, lambda line: typer.echo(line, err=True))
    network.save(found, out / network.MODEL_FILE)


@app.command("train")
def train(
    out: Annotated[Path, typer.Option(help="Folder to write the models to.")],
    folder: Samples = Path("samples/complaints"),
    accepted: Annotated[
        bool, typer.Option("--accepted", help="Also from this installation's accepted reports.")
    ] = False,
    network: Annotated[
        bool,
        typer.Option("--network", help="Also the network, in a quarter of an hour; needs torch."),
    ] = False,
) -> None:
    """Train the small models: of domains and conducts, of times, and of who is to blame."""
    from ingest.normalise import blame, dating, material, model, taught, train, weighing
    from ingest.normalise.accepted import examples as accepted_examples
    from ingest.normalise.taught import Teacher
    from models.database import open_database, reading

    if network:
        terminal.require_train_extra()

    more: tuple[train.Example, ...] = ()
    if accepted:
        engine, _ = open_database(terminal.settings())
        with reading(engine) as session:
            more = accepted_examples(session)
    given = material.read(folder)
    out.mkdir(parents=True, exist_ok=True)
    fitted = train.train(train.examples(given.complaints), (*given.phrases, *more))
    model.save(fitted.model, out / model.MODEL_FILE)
    teacher = Teacher(given.channels, given.gazetteer, fitted.model)
    lessons = (*teacher.labelled(given.complaints), *teacher.marked(given.marks))
    digest = taught.digest(given.complaints, given.marks)
    dates, guilt = train.choosers(lessons, digest)
    weighing.save(dates, out / dating.MODEL_FILE)
    weighing.save(guilt, out / blame.MODEL_FILE)
    if network:
        _teach(lessons, digest, out)
    told = f", {len(more)} of them accepted reports" if accepted else ""
    typer.echo(f"Wrote {out} from {fitted.examples} examples{told}; held out in turn:")
    for name, head in (("domain", fitted.model.domain), ("conduct", fitted.model.conduct)):
        typer.echo(
            f"  {name}: likeliest code right {fitted.accuracy[name]:.3f}; filled from "
            f"{head.threshold:.2f} on: precision {fitted.precision[name]:.3f}, "
            f"recall {fitted.recall[name]:.3f}"
        )


@app.command("validate")
def validate(
    folder: Samples = Path("samples/complaints"),
    folds: Annotated[int, typer.Option(min=2, help="Parts held out in turn.")] = 3,
) -> None:
    """Hold complaints out in turn, to choose from where on times and people are filled in.

    Takes half an hour for each part; needs torch.
    """
    from ingest.normalise import material, validate

    terminal.require_train_extra()
    from workers import teaching

    given = material.read(folder)
    found = validate.hold_out(
        given, folds, lambda lessons: teaching.fit(lessons, "", terminal.told)
    )
    with terminal.progress("Holding out", total=len(given.complaints)) as tell:
        held = []
        for one in found:
            held.append(one)
            tell(1)
    typer.echo(validate.tables(held))
