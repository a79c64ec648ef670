"""A supervisor over a real Valkey and parts that only sleep, or fail.

Run as `python -m tests.integration.small_up`.
"""

from __future__ import annotations

import sys

from models.settings import Settings
from workers import supervise
from workers.supervise import Part, Supervisor

SLEEPS = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def main() -> None:
    supervise.STOP_SECONDS = 2.0
    supervisor = Supervisor(Settings())
    supervisor.parts = (
        Part("sleeper", [sys.executable, "-c", SLEEPS + "  # sleeper"]),
        Part("failing", [sys.executable, "-c", "raise SystemExit(3)  # failing"]),
        Part("stubborn", [sys.executable, "-c", STUBBORN + "  # stubborn"]),
    )
    supervisor.run()


if __name__ == "__main__":
    main()
