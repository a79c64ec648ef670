"""Whether the memory of a warm engine stays flat over many messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psutil

from models.transcript import Frozen
from transcribe.engine import Request, WhisperEngine
from workers.contenders import Message
from workers.transcribe import MOST_JOBS

# Allocators and lazily loaded tables fill up over the first tenth, which is no leak.
LOOKS = 10


class Soak(Frozen):
    """What a long run found.

    resident_mb : after each tenth of the messages
    growth : of the last over the first of these, as a share
    """

    messages: int
    resident_mb: tuple[float, ...]
    growth: float


def soak(
    engine: WhisperEngine,
    device: str,
    sounds: Iterator[Message],
    messages: int,
    tell: Callable[[str], None],
) -> Soak:
    """Recognise many messages, as many at a time as the warm worker takes, and watch the memory."""
    resident: list[float] = []
    done = 0
    while done < messages:
        size = min(MOST_JOBS[device], messages - done)
        engine.recognise([Request(next(sounds).samples) for _ in range(size)])
        done += size
        if done * LOOKS // messages > len(resident):
            resident.append(round(psutil.Process().memory_info().rss / 2**20, 1))
            tell(f"{done} messages, {resident[-1]} MB")
    growth = resident[-1] / resident[0] - 1
    return Soak(messages=messages, resident_mb=tuple(resident), growth=round(growth, 4))
