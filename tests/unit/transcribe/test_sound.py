"""How a recording sounds and looks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.transcribe.conftest import RATE
from transcribe.audio import Audio
from transcribe.sound import measure, peaks


def test_peaks_are_pairs_of_minimum_and_maximum() -> None:
    sound = np.concatenate([np.full(800, 0.5), np.full(800, -1.0), np.zeros(10)])
    pairs = np.frombuffer(peaks(Audio(sound.astype(np.float32))), np.int8).reshape(-1, 2)
    assert pairs.tolist() == [[64, 64], [-127, -127], [0, 0]]


def test_clipping_is_a_share_of_samples_in_runs() -> None:
    sound = np.zeros(1_000, np.float32)
    sound[100:200] = 1
    sound[500] = 1
    assert measure(Audio(sound)).clipped == pytest.approx(0.1)


def test_silence_has_no_speech_and_no_loudness() -> None:
    sound = measure(Audio(np.zeros(RATE, np.float32)))
    assert sound.speech_seconds == 0
    assert sound.loudness is None
    assert sound.noise == -100
