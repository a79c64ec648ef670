"""Small grammars, recordings and packs for the tests of the recipe; every voice is synthetic."""

from __future__ import annotations

import importlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from transcribe.train import espeak, synthetic
from transcribe.train.synthetic import Line

if os.environ.get("XIANGYIN_TEST_TRAIN") == "required":
    importlib.import_module("torch")  # where the extra is promised, its tests are never skipped

RATE = 16_000
WORDS = ("bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz", "on")

GRAMMAR = """
language = "kk"
espeak = "kk"
start = "report"
unseen = ["name", "thing"]
unseen_share = 0.3

[rules]
report = ["{name} {thing} {deed}", "{thing} {deed}, {name}", "{name} {thing} {when} {deed}"]
name = ["Айна", "Болат", "Гүлнар", "Дархан", "Ерлан", "Жанар", "Зере", "Қайрат", "Лаура", "Марат"]
thing = ["жол", "су", "үй", "ақша", "мал", "нан", "көпір", "бақ", "дала", "тон", "құм", "тас"]
deed = ["жоқ", "бар", "алды", "сатты", "берді", "көрді", "білді"]
when = ["бүгін", "кеше", "ертең", "биыл"]
"""


@pytest.fixture
def grammar_file(tmp_path: Path) -> Path:
    path = tmp_path / "kk.toml"
    path.write_text(GRAMMAR, encoding="utf-8")
    return path


Corpus = Callable[..., Path]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Make a manifest of short synthetic recordings: `corpus("kk", 12)`."""

    def make(language: str, count: int, name: str = "", seed: int = 1) -> Path:
        folder = tmp_path / f"corpus-{name or language}"
        folder.mkdir()
        rng = random.Random(seed)
        rows = []
        for number in range(count):
            text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(7, 9)))
            voice = espeak.Voice("tr", rng.choice(("m1", "m2", "f1", "f2")), 150)
            sound = synthetic.speak(Line(language, "tr", text), voice, rng)
            soundfile.write(folder / f"{number}.flac", sound.pcm, RATE)
            rows.append(
                {
                    "audio": f"{number}.flac",
                    "text": text,
                    "language": language,
                    "speaker": voice.name,
                }
            )
        manifest = folder / "manifest.jsonl"
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return manifest

    return make


@pytest.fixture
def tone() -> Callable[[float], np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """Make a tone of some seconds."""

    def make(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        time = np.arange(int(seconds * RATE)) / RATE
        return (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)

    return make
