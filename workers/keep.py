"""The process that keeps the warm worker running. It is small: nothing of the engine is in it."""

from __future__ import annotations

import os
import sys

from models import logs
from models.settings import Settings
from workers.environment import as_environment
from workers.watchdog import Watchdog

WATCHED = "from workers.transcribe import watched; watched()"


def main(settings: Settings, *, burst: bool = False) -> None:
    """Keep a warm worker running and watch it, until told to stop or, with `burst`, it is done."""
    logs.configure(settings.log_level, "transcribe watchdog")
    command = [sys.executable, "-c", WATCHED, *(["--burst"] if burst else [])]
    environment = {**os.environ, **as_environment(settings)}
    raise SystemExit(Watchdog(command, environment).keep(once=burst))
