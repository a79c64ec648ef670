"""Clips that training never hears: other voices, other sentences, unseen names and numbers."""

import io
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from transcribe.train import augment, espeak, synthetic
from transcribe.train.augment import Damage
from transcribe.train.espeak import HELDOUT_VARIANTS
from transcribe.train.grammar import Grammar, heldout_sentences
from transcribe.train.synthetic import Line, Sound

MEASURED = 1000  # clips a language and condition, for the report card
KEPT = 44  # clips a language in samples/heldout
SPARE = 60  # sentences a language for the demo's own clips
CONDITIONS = ("clean", "amr", "noise")
NOISE_DB = 10.0
_KEPT_BITRATE = 12_000


@dataclass(frozen=True)
class Spoken:
    """A held-out clip with the condition in which it is heard."""

    sound: Sound
    condition: str


def lines(grammar: Grammar, training: Sequence[str], seed: int) -> list[Line]:
    """Return held-out lines: first those kept in samples/, then the demo's, then the measured."""
    found = heldout_sentences(grammar, KEPT + SPARE + MEASURED, seed, training)
    return [Line(grammar.language, grammar.voice, sentence.text) for sentence in found]


def kept(every: Sequence[Line]) -> Sequence[Line]:
    """Return the lines of samples/heldout."""
    return every[:KEPT]


def spare(every: Sequence[Line]) -> Sequence[Line]:
    """Return the lines from which the demo's own clips are chosen."""
    return every[KEPT : KEPT + SPARE]


def measured(every: Sequence[Line]) -> Sequence[Line]:
    """Return the lines of the report card."""
    return every[KEPT + SPARE :]


def damage(condition: str, rng: random.Random) -> Damage:
    """Return what a condition does to a clip."""
    if condition == "amr":
        return Damage(gain_db=-6, codec="amr", bitrate=rng.choice(augment.AMR_RATES[2:]))
    if condition == "noise":
        return Damage(gain_db=-6, noise=rng.choice(augment.NOISES), snr_db=NOISE_DB)
    return Damage(gain_db=rng.uniform(-12, -1))


def speak(line: Line, condition: str, seed: str) -> Spoken:
    """Say a line in a voice that training does not know, under a condition."""
    rng = random.Random(f"{seed}|{line.language}|{line.text}|{condition}")
    sound = synthetic.speak(line, synthetic.voice(line, HELDOUT_VARIANTS, rng), rng)
    pcm = augment.apply(
        sound.pcm, damage(condition, rng), np.random.default_rng(rng.getrandbits(64))
    )
    return Spoken(replace(sound, pcm=pcm), condition)


def each(every: Sequence[Line], condition: str, seed: str) -> Iterator[Spoken]:
    """Say lines one after the other; the same lines sound the same every time."""
    espeak.renew()
    for line in every:
        yield speak(line, condition, seed)


def write(folder: Path, chosen: Sequence[Line], seed: str) -> int:
    """Write clips as low-rate Opus with manifest.jsonl; return the bytes written."""
    folder.mkdir(parents=True, exist_ok=True)
    espeak.renew()
    rows = []
    size = 0
    counts: dict[str, int] = {}
    for line in chosen:
        number = counts[line.language] = counts.get(line.language, -1) + 1
        condition = {5: "amr", 6: "noise"}.get(number % 7, "clean")
        spoken = speak(line, condition, seed)
        clip = spoken.sound.clip
        name = f"{line.language}-{number + 1:02}.opus"
        buffer = io.BytesIO()
        augment.encode(
            spoken.sound.pcm, augment.SAMPLE_RATE, buffer, "ogg", "libopus", _KEPT_BITRATE
        )
        (folder / name).write_bytes(buffer.getvalue())
        size += len(buffer.getvalue())
        rows.append(
            {
                "audio": name,
                "text": line.text,
                "language": line.language,
                "speaker": clip.speaker,
                "condition": condition,
                "words": [[w.label, round(w.start, 2), round(w.end, 2)] for w in clip.words],
            }
        )
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "manifest.jsonl").write_text(text, encoding="utf-8")
    return size + len(text.encode())
