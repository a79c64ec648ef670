"""What something takes: wall clock, processor time of all threads and children, and texts."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil
from rapidfuzz.distance import Levenshtein

from models.transcript import Frozen
from workers.contenders import Message


class Cost(Frozen):
    """What a contender took for its messages. cer : where their texts are known"""

    messages: int
    wall_seconds: float
    processor_seconds: float
    tokens: int
    messages_per_hour: float
    sound_seconds_a_second: float
    processor_seconds_a_minute: float
    cer: float | None = None


@dataclass
class Clock:
    """Add up what a contender takes over its turns."""

    wall: float = 0.0
    processor: float = 0.0
    sound: float = 0.0
    messages: int = 0
    tokens: int = 0
    errors: int = 0
    characters: int = 0

    def run(
        self, messages: Sequence[Message], work: Callable[[], Sequence[tuple[str, int]]]
    ) -> None:
        """Time one turn; `work` gives the text and the number of tokens of each message."""
        wall, processor = time.perf_counter(), processor_seconds()
        done = work()
        self.wall += time.perf_counter() - wall
        self.processor += processor_seconds() - processor
        self.sound += sum(message.seconds for message in messages)
        self.messages += len(messages)
        self.tokens += sum(tokens for _, tokens in done)
        for message, (text, _) in zip(messages, done, strict=True):
            if message.text:
                self.errors += int(Levenshtein.distance(_bare(message.text), _bare(text)))
                self.characters += len(_bare(message.text))

    def cost(self) -> Cost:
        """Sum up."""
        wall = max(self.wall, 1e-9)
        return Cost(
            messages=self.messages,
            wall_seconds=round(self.wall, 3),
            processor_seconds=round(self.processor, 3),
            tokens=self.tokens,
            messages_per_hour=round(3_600 * self.messages / wall, 1),
            sound_seconds_a_second=round(self.sound / wall, 2),
            processor_seconds_a_minute=round(60 * self.processor / max(self.sound, 1e-9), 2),
            cer=round(self.errors / self.characters, 5) if self.characters else None,
        )


def processor_seconds() -> float:
    """Give the processor time of this process and its children, ended and living."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    living = psutil.Process().children(recursive=True)
    return ended + sum(sum(child.cpu_times()[:4]) for child in living)


def peak_mb() -> float:
    """Give the most memory that this process ever had resident."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
