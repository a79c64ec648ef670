"""Clips from recordings of a manifest: whole ones, damaged copies, joined ones, and noise alone."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from transcribe.audio import decode
from transcribe.train import augment, clips, synthetic
from transcribe.train.clips import Clip, Part
from transcribe.train.espeak import Timed
from transcribe.train.features import log_mel
from transcribe.train.manifest import Entry
from transcribe.train.synthetic import Sound

_RATE = augment.SAMPLE_RATE
_SPEEDS = (0.9, 0.95, 1.0, 1.0, 1.05, 1.1)
_LEAST_CLIPS = 1200  # training clips that a small set is multiplied to, by damage of many kinds
_MOST_COPIES = 8
_OLD_TO_NEW = 3  # clips of the old languages to one of the new ones, so that nothing is forgotten


@dataclass(frozen=True)
class Making:
    """Where clips go and from which seed they are damaged; mels of the model that hears them."""

    folder: Path
    seed: int
    mels: int = 80


def sounds(entries: Sequence[Entry]) -> Iterator[Sound]:
    """Yield each entry's stretch of sound; entries of one file in a row decode it once."""
    path: Path | None = None
    samples: npt.NDArray[np.float32] = np.zeros(0, np.float32)
    for entry in entries:
        if entry.audio != path:
            path = entry.audio
            last = max(e.end for e in entries if e.audio == path)
            samples = decode(path, max_seconds=last + 1).samples
        pcm = samples[int(entry.start * _RATE) : int(entry.end * _RATE)]
        seconds = len(pcm) / _RATE
        words = tuple(Timed(*word) for word in entry.words)
        yield Sound(
            pcm,
            Clip(
                entry.language,
                entry.speaker or str(entry.audio),
                seconds,
                (Part(entry.text, 0.0, seconds),),
                words,
            ),
        )


def make(
    training: Sequence[Entry], check: Sequence[Entry], making: Making
) -> tuple[list[clips.Stored], list[clips.Stored], list[clips.Stored]]:
    """Make the clips of a run, or find those made before: single, joined and check clips."""
    copies = max(1, min(_MOST_COPIES, _LEAST_CLIPS // max(1, len(training))))
    _write(making, "check", lambda: sounds(check), damaged=False)
    for copy in range(copies):
        _write(making, f"single-{copy}", lambda: sounds(training), damaged=copy > 0)
    _write(making, "joined", lambda: _joined(training, making.seed), damaged=True)
    single = [s for copy in range(copies) for s in clips.read(making.folder / f"single-{copy}")]
    joined = clips.read(making.folder / "joined")
    return single, joined, clips.read(making.folder / "check")


def rehearsed(entries: Sequence[Entry], making: Making) -> list[clips.Stored]:
    """Make the clips of entries as they are, and joined ones, or find those made before."""
    _write(making, "plain", lambda: sounds(entries), damaged=False)
    _write(making, "joined", lambda: _joined(entries, making.seed), damaged=True)
    return clips.read(making.folder / "plain") + clips.read(making.folder / "joined")


def mixed(new: list[clips.Stored], old: list[clips.Stored]) -> list[clips.Stored]:
    """Put old clips among the new ones, three to one: those that are too few are repeated."""
    if not new or not old:
        return [*new, *old]
    more_new = max(1, round(len(old) / (_OLD_TO_NEW * len(new))))
    more_old = max(1, round(_OLD_TO_NEW * len(new) / len(old)))
    return [*(old * more_old), *(new * more_new)]


def _write(
    making: Making, name: str, make_sounds: Callable[[], Iterator[Sound]], damaged: bool
) -> None:
    folder = making.folder / name
    done = folder / "done"
    if done.exists():
        return
    noise = np.random.default_rng([making.seed, *name.encode()])
    rows: list[tuple[Clip, npt.NDArray[np.float16]]] = []
    number = 0
    for sound in make_sounds():
        rows.append(_heard(sound, damaged, noise, making.mels))
        if len(rows) == clips.SHARD:
            clips.write_shard(folder, number, rows)
            number, rows = number + 1, []
    if rows:
        clips.write_shard(folder, number, rows)
    folder.mkdir(parents=True, exist_ok=True)
    done.touch()


def _heard(
    sound: Sound, damaged: bool, noise: np.random.Generator, mels: int
) -> tuple[Clip, npt.NDArray[np.float16]]:
    if not damaged or not sound.clip.parts:
        return sound.clip, log_mel(sound.pcm, mels)
    speed = float(noise.choice(_SPEEDS))
    pcm = augment.change_speed(sound.pcm, speed) if speed != 1.0 else sound.pcm
    pcm = augment.apply(pcm, augment.draw(noise), noise)
    return _stretched(sound.clip, 1 / speed), log_mel(pcm, mels)


def _stretched(clip: Clip, factor: float) -> Clip:
    return Clip(
        clip.language,
        clip.speaker,
        clip.seconds * factor,
        tuple(Part(p.text, p.start * factor, p.end * factor) for p in clip.parts),
        tuple(Timed(w.label, w.start * factor, w.end * factor) for w in clip.words),
        tuple(Timed(p.label, p.start * factor, p.end * factor) for p in clip.phones),
    )


def _joined(training: Sequence[Entry], seed: int) -> Iterator[Sound]:
    """Yield neighbours of one language joined, and now and then noise alone."""
    rng = random.Random(f"{seed}|joined")
    noise = np.random.default_rng(seed)
    for language in sorted({entry.language for entry in training}):
        own = [entry for entry in training if entry.language == language]
        rng.shuffle(own)
        pending = list(sounds(own[: 6 * len(own) // 10])) if len(own) > 20 else list(sounds(own))
        while len(pending) > 1:
            count = rng.choice((2, 2, 3, 4, 5, 6))
            group, pending = pending[:count], pending[count:]
            yield synthetic.join(group, rng)
            if rng.random() < 0.4:
                yield synthetic.nobody(language, noise)
