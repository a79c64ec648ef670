"""The engine that stays loaded, and takes over a newly installed pack between two batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from models import packs
from models.packs import Pack
from transcribe.engine import Engine

# How often the folder is looked at while work goes on.
LOOK_SECONDS = 2.0

log = structlog.get_logger()

Load = Callable[[Pack], Engine]


class Warm:
    """Hold one loaded engine, and load another when the choice of pack changes."""

    def __init__(self, load: Load, folder: Path, name: str = "", demo: Path | None = None) -> None:
        self._load = load
        self._folder = folder
        self._name = name
        self._demo = demo
        self._pack = packs.choose(folder, name, demo)
        self._engine = load(self._pack)
        self._stamp = self._state()
        self._looked = time.monotonic()

    def engine(self) -> Engine:
        """Give the engine for the next batch; a pack that fails to load changes nothing."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            state = self._state()
            if state != self._stamp:
                self._stamp = state
                self._renew()
        return self._engine

    def _renew(self) -> None:
        try:
            pack = packs.choose(self._folder, self._name, self._demo)
            if _identity(pack) == _identity(self._pack):
                return
            engine = self._load(pack)
        except Exception as error:
            # Reports wait for the pack that works; what is wrong with the new one is the
            # operator's to see.
            log.error("pack not taken over", exc_info=error)
            return
        self._pack, self._engine = pack, engine
        log.info("pack taken over", pack=pack.label)

    def _state(self) -> tuple[tuple[str, int], ...]:
        """Tell the packs that are there and when each was put there."""
        if not self._folder.is_dir():
            return ()
        return tuple(
            sorted(
                (str(path), path.stat().st_mtime_ns)
                for path in self._folder.glob(f"*/{packs.PACK_FILE}")
            )
        )


def _identity(pack: Pack) -> tuple[Path, str, int]:
    return pack.folder, pack.label, packs.installed_at(pack)
