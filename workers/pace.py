"""How long a call into the engine may take before it is taken to hang.

At first nothing is known of machine and model, and patience is long; then it is a generous multiple
of what calls were seen to take. A call that is ended by mistake is made again by a new process,
which is patient again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from workers.watchdog import Pulse

# Slower than this no model is of use.
SLOWEST_REAL_TIME = 5.0
FIRST_GRACE_SECONDS = 90.0
GRACE_SECONDS = 30.0
# Between plain decoding on a quiet machine and every window again with beams on a busy one.
MARGIN = 15.0
# What a call costs beside its sound weighs on short ones.
SHORTEST_SECONDS = 10.0
# Writing down and normalising what came of a batch.
STORE_SECONDS = 120.0


class Pace:
    """What one engine was seen to need."""

    def __init__(self) -> None:
        self._slowest: float | None = None

    def allowed(self, seconds: float) -> float:
        """Give how many seconds a call with so many seconds of sound may take."""
        longest = FIRST_GRACE_SECONDS + SLOWEST_REAL_TIME * seconds
        if self._slowest is None:
            return longest
        sound = max(seconds, SHORTEST_SECONDS)
        return min(longest, GRACE_SECONDS + MARGIN * self._slowest * sound)

    def saw(self, seconds: float, took: float) -> None:
        """Learn from a call that ended. took : seconds by the clock"""
        share = took / max(seconds, SHORTEST_SECONDS)
        self._slowest = max(self._slowest or 0.0, share)


class Watch:
    """Promise before every call into the engine when it ends, and learn how long calls take."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._pace = Pace()
        self._engine: object = None

    def look_at(self, engine: object) -> None:
        """Begin anew where another engine took over."""
        if engine is not self._engine:
            self._engine, self._pace = engine, Pace()

    @contextmanager
    def call(self, seconds: float) -> Iterator[None]:
        """Be around one call with so many seconds of sound."""
        self._pulse.busy(self._pace.allowed(seconds))
        begun = time.monotonic()
        yield
        self._pace.saw(seconds, time.monotonic() - begun)
        self._pulse.busy(STORE_SECONDS)
