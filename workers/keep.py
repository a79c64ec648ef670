"""The process that keeps one worker running; it is small, with nothing that the worker loads."""

from __future__ import annotations

import os
import sys

from models import logs
from models.settings import Settings
from workers.environment import as_environment
from workers.watchdog import Watchdog

WATCHED = "from workers.{} import watched; watched()"


def main(settings: Settings, stage: str, *, burst: bool = False) -> None:
    """Keep a worker running and watch it, until told to stop or, with `burst`, it is done.

    stage : prepare or transcribe, the name of the module that it is
    """
    logs.configure(settings.log_level, f"{stage} watchdog")
    code = WATCHED.format(stage)
    command = [sys.executable, "-c", code, *(["--burst"] if burst else [])]
    environment = {**os.environ, **as_environment(settings)}
    raise SystemExit(Watchdog(command, environment).keep(once=burst))
