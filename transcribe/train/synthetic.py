"""Clips spoken by espeak-ng, made shard by shard from a seed."""

import random
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from transcribe.train import augment, clips, espeak, fork
from transcribe.train.clips import Clip, Part
from transcribe.train.features import log_mel

SAMPLE_RATE = espeak.SAMPLE_RATE
LONGEST_SECONDS = 29.5
_SILENCE_SHARE = 0.4  # of the joined clips' number: how many clips of noise alone go with them


@dataclass(frozen=True)
class Line:
    """One text to be spoken."""

    language: str
    voice: str  # espeak-ng's name of the language
    text: str


@dataclass(frozen=True)
class Order:
    """One shard to be made; the same order makes the same shard."""

    folder: Path
    number: int
    seed: int
    lines: tuple[Line, ...]
    variants: tuple[str, ...]
    kind: str = "single"  # or "joined": several lines a clip, and clips of noise alone
    damaged: bool = True


@dataclass(frozen=True)
class Sound:
    """PCM with what is said in it."""

    pcm: npt.NDArray[np.float32]
    clip: Clip


def voice(line: Line, variants: Sequence[str], rng: random.Random) -> espeak.Voice:
    """Draw who says a line and how."""
    return espeak.Voice(
        language=line.voice,
        variant=rng.choice(variants),
        rate=rng.randint(125, 220),
        pitch=rng.randint(25, 80),
        range=rng.randint(25, 80),
    )


def speak(line: Line, spoken_by: espeak.Voice, rng: random.Random) -> Sound:
    """Say one line with a little silence around it."""
    speech = espeak.library().say(line.text, spoken_by)
    pcm, start, end = _trimmed(speech)
    before, after = rng.uniform(0.0, 0.4), rng.uniform(0.05, 0.5)
    quiet = int(before * SAMPLE_RATE)
    padded = np.concatenate(
        [np.zeros(quiet, np.float32), pcm, np.zeros(int(after * SAMPLE_RATE), np.float32)]
    )
    shift = quiet / SAMPLE_RATE - start
    clip = Clip(
        language=line.language,
        speaker=spoken_by.name,
        seconds=len(padded) / SAMPLE_RATE,
        parts=(Part(line.text, start + shift, end + shift),),
        words=tuple(_moved(speech.words, shift)),
        phones=tuple(_moved(speech.phones, shift)),
    )
    return Sound(padded, clip)


def _trimmed(speech: espeak.Speech) -> tuple[npt.NDArray[np.float32], float, float]:
    """Cut the silence that espeak-ng adds; times are where the rest begins and ends."""
    loud = np.flatnonzero(np.abs(speech.pcm) > 0.004)
    first = max(0, int(loud[0]) - 160) if len(loud) else 0
    last = min(len(speech.pcm), int(loud[-1]) + 160) if len(loud) else len(speech.pcm)
    return speech.pcm[first:last], first / SAMPLE_RATE, last / SAMPLE_RATE


def _moved(timed: Sequence[espeak.Timed], shift: float) -> list[espeak.Timed]:
    return [
        espeak.Timed(t.label, round(max(0.0, t.start + shift), 3), round(t.end + shift, 3))
        for t in timed
    ]


def join(sounds: Sequence[Sound], rng: random.Random) -> Sound:
    """Put clips of one speaker one after the other, with pauses, as far as a window reaches."""
    pieces, parts, words, phones = [], [], [], []
    at = 0.0
    for sound in sounds:
        if at + sound.clip.seconds > LONGEST_SECONDS:
            break
        pieces.append(sound.pcm)
        parts += [Part(p.text, p.start + at, p.end + at) for p in sound.clip.parts]
        words += _moved(sound.clip.words, at)
        phones += _moved(sound.clip.phones, at)
        at += sound.clip.seconds
        pause = int(rng.uniform(0.0, 1.2) * SAMPLE_RATE)
        pieces.append(np.zeros(pause, np.float32))
        at += pause / SAMPLE_RATE
    pcm = np.concatenate(pieces)[: int(LONGEST_SECONDS * SAMPLE_RATE)]
    first = sounds[0].clip
    clip = Clip(
        first.language,
        first.speaker,
        len(pcm) / SAMPLE_RATE,
        tuple(parts),
        tuple(words),
        tuple(phones),
    )
    return Sound(pcm, clip)


def nobody(language: str, rng: np.random.Generator) -> Sound:
    """Make a clip in which nobody speaks: noise of a kind, or almost nothing."""
    seconds = float(rng.uniform(1, 20) if rng.random() < 0.8 else 29.5)
    length = int(seconds * SAMPLE_RATE)
    if rng.random() < 0.2:
        pcm = (rng.standard_normal(length) * 10 ** rng.uniform(-5, -3)).astype(np.float32)
    else:
        pcm = augment.noise(str(rng.choice(augment.NOISES)), length, rng)
        pcm = augment.at_level(pcm, float(rng.uniform(-40, -1)))
    return Sound(pcm, Clip(language, "nobody", length / SAMPLE_RATE, ()))


def make(order: Order) -> int:
    """Make one shard unless it is there, but for lines that end espeak-ng; return its number."""
    if not clips.shard_exists(order.folder, order.number):
        fork.surviving(lambda deadly, begin: _make(order, deadly, begin))
    return order.number


def _make(order: Order, deadly: Set[int], begin: fork.Begin) -> None:
    espeak.renew()
    rng = random.Random(f"{order.seed}|{order.folder.name}|{order.number}")
    noise = np.random.default_rng(rng.getrandbits(64))
    stored = []
    for sound in _sounds(order, rng, noise, Speaker(deadly, begin)):
        pcm = sound.pcm
        if order.damaged and sound.clip.parts:
            pcm = augment.apply(pcm, augment.draw(noise), noise)
        stored.append((sound.clip, log_mel(pcm)))
    clips.write_shard(order.folder, order.number, stored)


class Speaker:
    """Says lines that are counted, but for those that are deadly; `begin` is told each number."""

    def __init__(self, deadly: Set[int], begin: fork.Begin) -> None:
        self._deadly = deadly
        self._begin = begin
        self._count = 0

    def say(self, line: Line, spoken_by: espeak.Voice, rng: random.Random) -> Iterator[Sound]:
        """Yield the line's sound, or nothing."""
        number, self._count = self._count, self._count + 1
        if number not in self._deadly:
            self._begin(number)
            yield speak(line, spoken_by, rng)


def _sounds(
    order: Order, rng: random.Random, noise: np.random.Generator, speaker: Speaker
) -> list[Sound]:
    if order.kind == "single":
        return [
            sound
            for line in order.lines
            for sound in speaker.say(line, voice(line, order.variants, rng), rng)
        ]
    by_language: dict[str, list[Line]] = {}
    for line in order.lines:
        by_language.setdefault(line.language, []).append(line)
    made = []
    for language, lines in by_language.items():
        while lines:
            count = rng.choice((2, 2, 3, 4, 5, 6, 7))
            group, lines = lines[:count], lines[count:]
            one = voice(group[0], order.variants, rng)
            said = [sound for line in group for sound in speaker.say(line, one, rng)]
            if said:
                made.append(join(said, rng))
            if rng.random() < _SILENCE_SHARE:
                made.append(nobody(language, noise))
    return made
