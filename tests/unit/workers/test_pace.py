from __future__ import annotations

import os

import pytest

from workers.pace import STORE_SECONDS, Pace, Watch
from workers.watchdog import Pulse

LONGEST = 90 + 5 * 15


def test_patience_is_long_until_something_is_known() -> None:
    assert Pace().allowed(15) == LONGEST


def test_a_quick_engine_is_found_out_soon() -> None:
    pace = Pace()
    pace.saw(15, 0.75)
    assert pace.allowed(15) < 45
    assert pace.allowed(1_800) < 30 + 1_800


def test_the_slowest_call_decides_and_never_beyond_the_longest() -> None:
    pace = Pace()
    for took in (0.75, 30.0, 0.75):
        pace.saw(15, took)
    assert pace.allowed(15) == LONGEST


@pytest.mark.parametrize("seconds", [0.0, 0.1, 15.0, 1_800.0])
def test_no_call_gets_less_than_half_a_minute(seconds: float) -> None:
    pace = Pace()
    pace.saw(seconds, 0.0)
    assert pace.allowed(seconds) >= 30


def test_the_watchdog_is_promised_less_once_the_engine_is_known_and_anew_for_another() -> None:
    heard, told = os.pipe()
    watch = Watch(Pulse(told))
    try:
        for engine in ("one", "one", "other"):
            watch.look_at(engine)
            with watch.call(15):
                pass
        promises = [float(line.split()[1]) for line in os.read(heard, 4_096).splitlines()]
    finally:
        os.close(heard)
        os.close(told)
    assert (promises[0], promises[4]) == (LONGEST, LONGEST)
    assert promises[2] < LONGEST
    assert promises[1::2] == [STORE_SECONDS] * 3
