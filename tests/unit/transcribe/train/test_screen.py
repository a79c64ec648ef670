"""A training is one moving line on a terminal, and lines of plain text elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from transcribe.train import screen
from transcribe.train.progress import Losses, Progress

LOSSES = Losses(1.25, 1.0, 0.2, 0.05)


def progress(step: int, share: float, cer: dict[str, float] | None = None) -> Progress:
    return Progress(step, share, 95.0, LOSSES, 12.0, cer or {})


def terminal(file: io.StringIO) -> Console:
    return Console(file=file, force_terminal=True, width=120)


def test_a_terminal_shows_loss_error_rate_and_time_left() -> None:
    file = io.StringIO()
    with screen.training(terminal(file)) as watch:
        watch(progress(7, 0.25))
        watch(progress(8, 0.5, {"kk": 0.123, "ii": 0.5}))
    shown = file.getvalue()
    for part in ("step 8", "50%", "0:01:35 left", "loss 1.250", "CER ii 50.0 % kk 12.3 %"):
        assert part in shown


def test_elsewhere_every_few_steps_and_the_last_are_a_line() -> None:
    file = io.StringIO()
    with screen.training(Console(file=file)) as watch:
        for step in range(1, 44):
            watch(progress(step, step / 43))
    lines = file.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["20", "40", "43"]
    assert "\x1b" not in file.getvalue()
    assert lines[0].split("  ")[-1] == "CER not yet"


def test_what_is_counted_shows_on_a_terminal_only() -> None:
    file, plain = io.StringIO(), io.StringIO()
    for console in (terminal(file), Console(file=plain)):
        with screen.counting("demo", console) as count:
            count(3, 44)
    assert "demo" in file.getvalue() and "3/44" in file.getvalue()
    assert not plain.getvalue()
