"""Processes that end together: no worker outlives what started it, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int, sign: int = signal.SIGTERM) -> None:
    """Ask the kernel to signal this process when its parent ends (prctl(2), PR_SET_PDEATHSIG).

    Called in a child right after the fork, with the parent's id from before it; the request
    survives exec. The kernel means the thread that forked: start children from one that lasts.
    """
    _libc.prctl(PR_SET_PDEATHSIG, sign, 0, 0, 0)
    if os.getppid() != parent:
        # The parent was gone before the kernel was asked.
        os.kill(os.getpid(), sign)
