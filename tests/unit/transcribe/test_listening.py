"""The copy that staff hear, and the disguise of a voice."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tests.unit.transcribe.conftest import Floats, alike, melody
from transcribe.audio import Audio, decode
from transcribe.disguise import disguise
from transcribe.listening import listening_copy
from transcribe.sound import measure, peaks
from transcribe.speech import SAMPLE_RATE

Written = Callable[[bytes, str], Path]
MINUTE = 60.0


@pytest.mark.parametrize("disguised", [False, True])
def test_the_copy_plays_from_its_first_byte_and_keeps_its_length(
    disguised: bool, written: Written
) -> None:
    sound = melody(7.3)
    content, mime = listening_copy(Audio(sound), disguised=disguised)
    assert mime == "audio/mp4"
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(io.BytesIO(content)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert not container.metadata.get("encoder")
    back = decode(written(content, "a.m4a"), max_seconds=MINUTE)
    assert abs(back.seconds - 7.3) < 0.07
    assert alike(back.samples, sound) > 0.9


@pytest.mark.parametrize("loudness", [0.004, 0.03, 0.9])
def test_the_copy_is_levelled_without_clipping(loudness: float, written: Written) -> None:
    content, _ = listening_copy(Audio(melody(loudness=loudness)), disguised=False)
    back = decode(written(content, "a.m4a"), max_seconds=MINUTE)
    sound = measure(back)
    assert sound.noise is not None
    assert sound.clipped == 0
    if loudness >= 0.03:
        assert -24 < sound.noise < -16  # a melody is no speech


@pytest.mark.parametrize("length", [1, 2, 7, 1_024, 16_001])
def test_the_shortest_sounds_have_copies_and_peaks(length: int, written: Written) -> None:
    audio = Audio(np.full(length, 0.2, np.float32))
    for disguised in (False, True):
        content, _ = listening_copy(audio, disguised=disguised)
        assert content
    assert len(peaks(audio)) == 2 * -(-length // 800)
    assert measure(audio).seconds == length / SAMPLE_RATE


def test_a_disguise_keeps_the_times_moves_the_pitch_and_differs_each_time() -> None:
    sound = melody(6.0)
    first, second = disguise(sound), disguise(sound)
    assert len(first) == len(second) == len(sound)
    assert alike(first, sound) > 0.85
    assert abs(_pitch(first) / _pitch(sound) - 1) > 0.1
    assert not np.allclose(first, second)


def _pitch(samples: Floats) -> float:
    """Give the frequency at the middle of the power."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(np.searchsorted(np.cumsum(power), power.sum() / 2))
