"""What damage does to a voice, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from transcribe.train import augment
from transcribe.train.augment import Damage

Tone = Callable[[float], Any]


def power(pcm: Any, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(pcm)) ** 2
    hertz = np.fft.rfftfreq(len(pcm), 1 / augment.SAMPLE_RATE)
    return float(spectrum[(hertz >= low) & (hertz < high)].sum())


@pytest.mark.parametrize("kind", augment.NOISES)
@pytest.mark.parametrize("length", [1, 777, 16_001])
def test_noise_has_the_asked_length_and_mean_power_one(kind: str, length: int) -> None:
    sound = augment.noise(kind, length, np.random.default_rng(1))
    assert len(sound) == length
    assert np.isfinite(sound).all()
    if length > 10_000:
        assert np.mean(sound**2) == pytest.approx(1, rel=0.1)


def test_an_unknown_noise_is_an_error() -> None:
    with pytest.raises(ValueError, match="no noise is called 'dog'"):
        augment.noise("dog", 10, np.random.default_rng(1))


def test_a_voice_stands_as_far_over_noise_as_asked(tone: Tone) -> None:
    voice = tone(2)
    other = augment.noise("white", len(voice), np.random.default_rng(1))
    added = augment.mix(voice, other, 10) - voice
    ratio = 10 * np.log10(np.mean(voice**2) / np.mean(added**2))
    assert ratio == pytest.approx(10, abs=1.5)


@pytest.mark.parametrize(
    "damage",
    [
        Damage(),
        Damage(room_seconds=0.3, noise="rain", snr_db=10, gain_db=-12),
        Damage(telephone=True, clip_db=6),
        Damage(codec="amr", bitrate=4750),
        Damage(codec="opus", bitrate=8000),
    ],
)
def test_damage_keeps_the_length(tone: Tone, damage: Damage) -> None:
    pcm = tone(1.3)
    damaged = augment.apply(pcm, damage, np.random.default_rng(1))
    assert len(damaged) == len(pcm)
    assert np.isfinite(damaged).all()
    assert np.mean(damaged**2) > 1e-4


def test_the_same_seed_damages_the_same(tone: Tone) -> None:
    damage = Damage(room_seconds=0.2, noise="wind", snr_db=15)
    one, two = (augment.apply(tone(1), damage, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(one, two)


def test_speed_changes_the_length(tone: Tone) -> None:
    assert len(augment.change_speed(tone(2), 1.25)) == pytest.approx(1.6 * 16_000, abs=2)


def test_a_telephone_keeps_only_its_band() -> None:
    noise = augment.noise("white", 32_000, np.random.default_rng(1))
    narrow = augment.telephone(noise)
    assert power(narrow, 5000, 8000) < 0.01 * power(narrow, 500, 3000)


def test_amr_has_nothing_over_four_kilohertz() -> None:
    noise = augment.noise("pink", 32_000, np.random.default_rng(1)) * 0.1
    sent = augment.amr(noise, 12_200)
    assert power(sent, 4200, 8000) < 0.01 * power(sent, 100, 3500)


def test_codecs_do_not_move_a_voice_in_time() -> None:
    click = np.zeros(16_000, np.float32)
    click[8000:8400] = 0.5 * np.sin(np.arange(400) / 5)
    for sent in (augment.amr(click, 12_200), augment.opus(click, 16_000)):
        loudest = np.argmax(np.convolve(sent**2, np.ones(400), "same"))
        assert abs(int(loudest) - 8200) < 0.02 * 16_000


def test_about_half_of_all_clips_stay_clean() -> None:
    rng = np.random.default_rng(1)
    drawn = [augment.draw(rng) for _ in range(1000)]
    clean = sum(not (d.noise or d.codec or d.telephone or d.room_seconds) for d in drawn)
    assert 400 < clean < 650
    assert all(d.snr_db >= 5 for d in drawn)


def test_silence_stays_silence() -> None:
    assert not augment.at_level(np.zeros(10, np.float32), -3).any()
