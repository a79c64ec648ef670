"""Decoding: every container, and what is broken or hostile."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.errors import Unplayable
from tests.unit.transcribe.conftest import FORMS, RATE, alike, encode, melody, silk
from transcribe.audio import Audio, decode
from transcribe.listening import listening_copy
from transcribe.speech import SAMPLE_RATE

Written = Callable[[bytes, str], Path]
MINUTE = 60.0


@pytest.mark.parametrize("name", FORMS)
def test_every_container_that_phones_send_is_decoded_at_its_length(
    name: str, written: Written
) -> None:
    form = FORMS[name]
    sound = melody()
    audio = decode(written(encode(sound, form), f"a.{form.suffix}"), max_seconds=MINUTE)
    assert audio.samples.dtype == np.float32
    assert audio.samples.ndim == 1
    assert abs(audio.seconds - 3.0) < 0.15
    assert alike(audio.samples, sound) > 0.95
    assert not audio.truncated


@pytest.mark.parametrize("tencent", [True, False])
def test_wechat_silk_is_decoded(tencent: bool, written: Written) -> None:
    sound = melody()
    audio = decode(written(silk(sound, tencent=tencent), "a.amr"), max_seconds=MINUTE)
    assert abs(audio.seconds - 3.0) < 0.05
    assert alike(audio.samples, sound) > 0.95
    assert not audio.truncated


@pytest.mark.parametrize("cut", [100, 333, 1_000, 2_001])
def test_truncated_silk_keeps_the_whole_packets(cut: int, written: Written) -> None:
    content = silk(melody())
    audio = decode(written(content[:-cut], "a.silk"), max_seconds=MINUTE)
    kept = 1 - cut / len(content)
    assert audio.truncated
    assert 3.0 * kept - 0.4 < audio.seconds < 3.0 * kept + 0.4


def test_silk_with_the_standard_footer_is_whole(written: Written) -> None:
    audio = decode(
        written(silk(melody(), tencent=False) + b"\xff\xff", "a.silk"), max_seconds=MINUTE
    )
    assert not audio.truncated
    assert abs(audio.seconds - 3.0) < 0.05


@pytest.mark.parametrize("length", [-2, -32_768, 0, 30_000])
def test_a_silk_packet_of_an_impossible_length_ends_the_sound_there(
    length: int, written: Written
) -> None:
    content = silk(melody()) + struct.pack("<h", length) + b"\x00" * 64
    audio = decode(written(content, "a.silk"), max_seconds=MINUTE)
    assert audio.truncated
    assert abs(audio.seconds - 3.0) < 0.05


@pytest.mark.parametrize(
    "name", ["wav", "ogg/opus", "mp3", "adts", "amr-nb", "flac", "webm/opus", "caf"]
)
def test_a_truncated_file_keeps_what_decodes_and_says_so(name: str, written: Written) -> None:
    form = FORMS[name]
    content = encode(melody(6.0), form)
    path = written(content[: int(len(content) * 0.6) + 1], f"a.{form.suffix}")
    audio = decode(path, max_seconds=MINUTE)
    assert 2.5 < audio.seconds < 4.5
    assert audio.truncated


def test_an_mp4_whose_index_is_cut_off_is_unplayable(written: Written) -> None:
    content = encode(melody(), FORMS["m4a"])
    with pytest.raises(Unplayable):
        decode(written(content[: len(content) // 2], "a.m4a"), max_seconds=MINUTE)


def test_an_mp4_with_its_index_in_front_keeps_its_first_half(written: Written) -> None:
    content, _ = listening_copy(Audio(melody(20.0)), disguised=False)
    audio = decode(written(content[: len(content) // 2], "a.m4a"), max_seconds=MINUTE)
    assert 5 < audio.seconds < 12
    assert audio.truncated


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"RIFF",
        "村里修路的钱没有公开。\n".encode() * 400,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x02#!SILK_V3",
        b"#!AMR\n",
        b"OggS" + bytes(200),
        b"\x1aE\xdf\xa3" + bytes(500),
        bytes(range(256)) * 64,
        b"GIF89a" + bytes(100),
        b"1\n00:00:00,000 --> 00:00:10,000\nHello\n",
    ],
    ids=lambda content: repr(content[:12]),
)
@pytest.mark.parametrize("suffix", ["wav", "m3u8", "mp3"])
def test_what_is_no_sound_is_unplayable(content: bytes, suffix: str, written: Written) -> None:
    with pytest.raises(Unplayable) as caught:
        decode(written(content, f"a.{suffix}"), max_seconds=MINUTE)
    assert caught.value.zh
    assert caught.value.en


def test_random_bytes_never_crash_the_decoder(written: Written) -> None:
    draw = np.random.default_rng(3)
    heads = [
        b"",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"ID3\x03\x00",
        b"\x02#!SILK_V3",
        b"fLaC",
        b"OggS",
    ]
    for index in range(40):
        content = heads[index % len(heads)] + draw.bytes(4_000)
        try:
            audio = decode(written(content, "a.bin"), max_seconds=MINUTE)
        except Unplayable:
            continue
        assert len(audio.samples)
        assert np.isfinite(audio.samples).all()


@pytest.mark.parametrize("name", ["wav", "ogg/opus", "m4a", "mp3", "amr-nb in 3gp", "webm/opus"])
def test_mutated_files_give_finite_sound_or_are_unplayable(name: str, written: Written) -> None:
    draw = np.random.default_rng(5)
    content = encode(melody(2.0), FORMS[name])
    for _ in range(12):
        broken = bytearray(content)
        for place in draw.integers(0, len(broken), 25):
            broken[int(place)] = int(draw.integers(256))
        try:
            audio = decode(written(bytes(broken), "a.bin"), max_seconds=MINUTE)
        except Unplayable:
            continue
        assert np.isfinite(audio.samples).all()
        assert np.abs(audio.samples).max() <= 1
        assert audio.seconds <= MINUTE


def test_a_missing_file_is_unplayable(tmp_path: Path) -> None:
    with pytest.raises(Unplayable):
        decode(tmp_path / "none.wav", max_seconds=MINUTE)


def test_the_content_decides_and_never_the_name(written: Written) -> None:
    content = encode(melody(), FORMS["webm/opus"])
    for name in ("a.mp3", "http:__x.m3u8", "a", "..wav", "concat:a|b"):
        assert abs(decode(written(content, name), max_seconds=MINUTE).seconds - 3) < 0.1


def test_hostile_metadata_does_no_harm_and_is_gone_from_the_copy(written: Written) -> None:
    hostile = {"title": "<script>alert(1)</script>\r\nX: y", "comment": "GPS +30.1+120.2"}
    content = encode(melody(), FORMS["m4a"], metadata=hostile)
    assert b"<script>" in content
    audio = decode(written(content, "a.m4a"), max_seconds=MINUTE)
    copy, _ = listening_copy(audio, disguised=False)
    assert b"script" not in copy
    assert b"GPS" not in copy
    assert b"Lavf" not in copy


def test_sound_beyond_the_limit_is_left_out_and_said(written: Written) -> None:
    path = written(encode(melody(5.0), FORMS["ogg/opus"]), "a.ogg")
    audio = decode(path, max_seconds=2.0)
    assert audio.truncated
    assert len(audio.samples) == 2 * SAMPLE_RATE


def test_stereo_whose_channels_cancel_keeps_its_sound(written: Written) -> None:
    sound = melody()
    path = written(b"", "a.wav")
    soundfile.write(path, np.stack([sound, -sound], axis=1), RATE)
    audio = decode(path, max_seconds=MINUTE)
    assert alike(audio.samples, sound) > 0.99
    assert np.abs(audio.samples).max() > 0.2


def test_a_dead_channel_is_only_quieter(written: Written) -> None:
    sound = melody()
    path = written(b"", "a.wav")
    soundfile.write(path, np.stack([sound, 0 * sound], axis=1), RATE)
    audio = decode(path, max_seconds=MINUTE)
    assert alike(audio.samples, sound) > 0.99


def test_floats_that_are_no_numbers_become_finite(written: Written) -> None:
    sound = melody().copy()
    sound[::500] = np.nan
    sound[1::500] = np.inf
    path = written(b"", "a.wav")
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    audio = decode(path, max_seconds=MINUTE)
    assert np.isfinite(audio.samples).all()
    assert np.abs(audio.samples).max() <= 1
