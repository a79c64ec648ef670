"""Work that ends its process is begun again without what ended it."""

import os
import signal
from collections.abc import Set

import pytest

from transcribe.train import fork


def count(deadly: Set[int], begin: fork.Begin) -> list[int]:
    done = []
    for number in range(6):
        if number in deadly:
            continue
        begin(number)
        if number in (2, 5):
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(number)
    return done


def test_steps_that_end_the_process_are_left_out() -> None:
    assert fork.surviving(count) == ([0, 1, 3, 4], {2, 5})


def test_a_result_larger_than_a_pipe_comes_whole() -> None:
    given, deadly = fork.surviving(lambda deadly, begin: b"x" * 10_000_000)
    assert (len(given), deadly) == (10_000_000, set())


def test_another_failure_is_raised() -> None:
    def failing(deadly: Set[int], begin: fork.Begin) -> None:
        begin(0)
        raise LookupError

    with pytest.raises(RuntimeError, match="without a result"):
        fork.surviving(failing)


def test_an_end_before_the_first_step_is_no_endless_loop() -> None:
    with pytest.raises(RuntimeError, match="without a result"):
        fork.surviving(lambda deadly, begin: os.kill(os.getpid(), signal.SIGKILL))
