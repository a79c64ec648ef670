"""How far a training is, as its watcher is told."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Losses:
    """The parts of a step's loss."""

    total: float
    tokens: float
    sounds: float
    attention: float


@dataclass(frozen=True)
class Progress:
    """What a watcher is told after each step."""

    step: int
    share: float  # of the plan, 0 to 1
    seconds_left: float
    losses: Losses
    clips_a_second: float
    cer: dict[str, float] = field(default_factory=dict)  # by language, at the last check


Watcher = Callable[[Progress], None]
