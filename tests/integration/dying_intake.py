"""Take a report in and die by SIGKILL between its commit and its enqueuing.

Run as `python -m tests.integration.dying_intake TEXT`.
"""

from __future__ import annotations

import os
import signal
import sys
from uuid import UUID

from ingest.accept import About, Intake
from ingest.blobs import open_blobs
from ingest.queue import Stage
from models.database import open_database
from models.settings import Settings


class DeadlyQueue:
    """Whoever enqueues dies."""

    def enqueue(self, stage: Stage, medium_id: UUID) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def depth(self, stage: Stage) -> int:
        return 0

    def alive(self) -> bool:
        return True


def main() -> None:
    settings = Settings()
    engine, keys = open_database(settings)
    blobs = open_blobs(settings.blobs, keys)
    intake = Intake(engine, keys, blobs, DeadlyQueue(), settings.limits)
    intake.accept([], About(channel="xsl-clinic", text=sys.argv[1]))


if __name__ == "__main__":
    main()
