"""How long a network is trained, and how."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How long and how to train.

    seconds, steps : whichever ends first; the schedule follows the nearer end
    """

    seconds: float
    steps: int = 10**9
    seed: int = 20261122
    matrix_rate: float = 4e-3
    other_rate: float = 2e-3
    warm_up: float = 0.02
    least_rate: float = 0.02
    batch_frames: int = 14_000
    round_clips: int = 1024
    widest_weights: tuple[float, float] = (0.4, 2.5)  # of a language: its CER against the mean
    ema: float = 0.998
    smoothing: float = 0.05
    with_times: float = 0.25
    with_previous: float = 0.08
    long_from: float = 0.6  # share of the time after which joined clips and whole windows mix in
    long_share: float = 0.12
    silent_share: float = 0.03  # clips of noise alone, beside those among the joined ones
    silent_frames: int = 1200  # that are no longer than this
    sound_weights: tuple[float, float] = (0.6, 0.2)
    attention_weights: tuple[float, float] = (0.4, 0.1)
    short_until: float = 0.06  # share of the time in which only short clips are shown
    short_frames: int = 350
    checkpoint_seconds: float = 120.0
    check_seconds: float = 900.0
    hears: bool = True  # else the encoder stays as it is
    patience: int = 6  # checks without a better CER after which training stops
    threads: int = 2
    device: str = "cpu"


def tuning(seconds: float) -> Plan:
    """Return a plan for weights that know something already: small steps, long clips early.

    The encoder, which hears several languages already, stays as it is: minutes of a new one teach
    it little and make it forget much. No sound head: it would begin anew, and in clips of the old
    languages take every sound that is none of the new one's for silence.
    """
    return Plan(
        seconds=seconds,
        matrix_rate=8e-4,
        other_rate=5e-4,
        warm_up=0.05,
        sound_weights=(0.0, 0.0),
        hears=False,
        short_until=0.0,
        long_from=0.3,
        check_seconds=max(60.0, seconds / 8),
    )
