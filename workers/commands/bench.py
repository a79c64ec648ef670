"""The benchmark on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models import terminal
from workers.commands.pack import chosen


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
    as_json: terminal.Json = False,
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
        around = measure(chosen(terminal.settings(), pack), overhead)
        typer.echo(around.model_dump_json())
        return
    if soak:
        typer.echo(race.steep(plan, soak, terminal.told).model_dump_json())
        return
    report = race.run(plan, terminal.told)
    if plot:
        race.draw(report, plot)
    if as_json:
        typer.echo(report.model_dump_json())
        return
    typer.echo(f"{report.messages_per_hour:.0f} messages an hour")
    for name, ratio in report.ratio.items():
        typer.echo(f"  {ratio:5.2f} times {name}")
