"""A real transcribe worker with an engine that takes its time over the first attempt.

Run as `python -m tests.integration.slow_worker MARK`: MARK is written when the engine begins.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from models.errors import XiangyinError
from models.packs import Pack
from models.settings import Settings
from models.transcript import Recognition
from tests.fakes import FakeEngine
from transcribe.engine import Request
from transcribe.turns import Tell
from workers import transcribe
from workers.watchdog import Pulse

FOREVER = 600.0


class SlowEngine(FakeEngine):
    """Begin, say so, and never end; the next process that tries ends at once."""

    def __init__(self, mark: Path) -> None:
        super().__init__()
        self._mark = mark

    def recognise(
        self, requests: Sequence[Request], tell: Tell = lambda _: None
    ) -> list[Recognition | XiangyinError]:
        first = not self._mark.exists()
        with self._mark.open("a") as file:
            file.write(f"{os.getpid()} {len(requests)}\n")
        if first:
            time.sleep(FOREVER)
        return super().recognise(requests, tell)


def main() -> None:
    engine = SlowEngine(Path(sys.argv[1]))

    def load(pack: Pack, **_: object) -> SlowEngine:
        return engine

    transcribe.load = load  # type: ignore[assignment]
    transcribe.work(Settings(), Pulse.inherited(os.environ))


if __name__ == "__main__":
    main()
