"""What a speech detector takes for speech and nobody ever said: for tests and the benchmark."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from transcribe.speech import SAMPLE_RATE, Samples

# Formants of a few vowels, in hertz.
VOWELS = (
    (730, 1_090, 2_440),
    (270, 2_290, 3_010),
    (300, 870, 2_240),
    (530, 1_840, 2_480),
)
BANDWIDTH = 90
SYLLABLE_SECONDS = (0.16, 0.30)
HISS_SECONDS = 0.05
PITCH = (105, 135)
LOUDNESS = 0.4


def babble(seconds: float, seed: int = 0, tract: float = 1.0) -> Samples:
    """Make vowels and hisses, some four syllables a second.

    A train of pulses through three resonances a vowel: the source-filter model of speech.
    tract : how much higher they are than a man's; about 1.2 for a woman, more for a child
    """
    draw = np.random.default_rng(seed)
    length = int(seconds * SAMPLE_RATE)
    parts: list[Samples] = []
    made = 0
    while made < length:
        parts += [_vowel(draw, tract), _hiss(draw)]
        made += len(parts[-1]) + len(parts[-2])
    return (LOUDNESS * np.concatenate(parts)[:length]).astype(np.float32)


def silence(seconds: float) -> Samples:
    """Make silence."""
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def _vowel(draw: np.random.Generator, tract: float) -> Samples:
    """Make one syllable with a falling and rising pitch."""
    length = int(draw.uniform(*SYLLABLE_SECONDS) * SAMPLE_RATE)
    pitch = draw.uniform(*PITCH) * (1 + 0.15 * np.sin(np.linspace(0, 3, length)))
    pulses = np.diff(np.floor(np.cumsum(pitch) / SAMPLE_RATE), prepend=0) > 0
    sound = pulses + 0.002 * draw.standard_normal(length)
    for formant in VOWELS[int(draw.integers(len(VOWELS)))]:
        width = np.exp(-np.pi * BANDWIDTH / SAMPLE_RATE)
        turn = 2 * width * np.cos(2 * np.pi * tract * formant / SAMPLE_RATE)
        sound = lfilter([1 - width], [1, -turn, width**2], sound)
    return np.asarray(sound / np.abs(sound).max() * np.hanning(length), np.float32)


def _hiss(draw: np.random.Generator) -> Samples:
    """Make a short consonant."""
    hiss = 0.02 * draw.standard_normal(int(HISS_SECONDS * SAMPLE_RATE))
    return hiss.astype(np.float32)
