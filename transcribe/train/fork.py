"""Work that may end its process, done in a fork and begun again without the step that ended it.

Some texts make espeak-ng crash, and the process with it. os.fork, and not multiprocessing's
processes, since those that make clips are daemons of a pool, which may have no children there.
"""

import os
import traceback
from collections.abc import Callable, Set
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")
Begin = Callable[[int], object]  # to be told the number of each step before it


def surviving(work: Callable[[Set[int], Begin], T]) -> tuple[T, Set[int]]:
    """Return what work gives, and the numbers of the steps that ended it.

    work : is given the steps to leave out; it is done again from its start each time it was ended
    Raise RuntimeError where it fails in any other way.
    """
    deadly: set[int] = set()
    while True:
        begun, done = _in_child(work, deadly)
        if done:
            return done[0], deadly
        deadly.add(begun)


def _in_child(work: Callable[[Set[int], Begin], T], deadly: Set[int]) -> tuple[int, list[T]]:
    """Give the step that was begun last, and in a list what came of the work."""
    near, far = os.pipe()
    child = os.fork()
    if not child:
        os.close(near)
        _work(work, deadly, Connection(far, readable=False))
    os.close(far)
    begun = -1
    done: list[T] = []
    with Connection(near, writable=False) as pipe, suppress(EOFError):
        while not done:
            begun, done = pipe.recv()
    _, status = os.waitpid(child, 0)
    if not done and not (os.WIFSIGNALED(status) and begun >= 0):
        raise RuntimeError(f"a fork ended with status {status} and without a result; see above")
    return begun, done


def _work(work: Callable[[Set[int], Begin], T], deadly: Set[int], pipe: Connection) -> None:
    """Work in the child, and end it."""
    try:
        given = work(deadly, lambda number: pipe.send((number, [])))
        pipe.send((-1, [given]))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
