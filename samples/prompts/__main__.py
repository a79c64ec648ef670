"""Speak the default prompts of the citizens' page once: `python -m samples.prompts [TAG ...]`.

Every `[spoken]` text of `api/citizen/strings/TAG.toml` becomes `api/citizen/prompts/TAG/NAME.mp3`.
The voice is synthetic (espeak-ng, GPL-3, used here and never at run time), and no native speaker
has checked texts or sound: they stand in until an administrator records better ones. Needs the
test extra.
"""

from __future__ import annotations

import ctypes
import io
import sys
import tomllib
from math import gcd
from pathlib import Path
from typing import Any

import av
import espeakng_loader
import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

DOOR = Path(__file__).resolve().parents[2] / "api" / "citizen"
SAMPLE_RATE = 16_000
# On average; pauses take less. Synthetic speech stays clear.
BIT_RATE = 12_000
PEAK = 0.7
CHINESE = "zh"
WORDS_A_MINUTE = {"zh": 150, "yue": 150, "ug": 140, "kk": 145, "ko": 145}
PAUSE_SECONDS = 0.08

_SYNCHRONOUS, _DO_NOT_EXIT, _UTF8, _RATE = 2, 0x8000, 1, 1
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Speaker:
    """espeak-ng, opened once."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self._rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DO_NOT_EXIT)
        self._pieces: list[npt.NDArray[np.int16]] = []
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, wave: Any, count: int, _: Any) -> int:
        if wave and count > 0:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    def say(self, text: str, voice: str, rate: int) -> npt.NDArray[np.float32]:
        """Speak a text; float32, shape (n,), 16 kHz, trimmed of silence and evened out."""
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise SystemExit(f"espeak-ng has no voice {voice!r}")
        self._library.espeak_SetParameter(_RATE, rate, 0)
        self._pieces.clear()
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, _UTF8, None, None)
        native = np.concatenate(self._pieces).astype(np.float32) / 32768
        divisor = gcd(SAMPLE_RATE, self._rate)
        sound = resample_poly(native, SAMPLE_RATE // divisor, self._rate // divisor)
        loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
        sound = sound[loud[0] : loud[-1] + 1]
        pause = np.zeros(int(PAUSE_SECONDS * SAMPLE_RATE))
        sound = np.concatenate([pause, sound * PEAK / np.abs(sound).max(), pause])
        return sound.astype(np.float32)


def encode(sound: npt.NDArray[np.float32]) -> bytes:
    """Write MP3: every browser plays it, and it has no header to speak of."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as out:
        stream = out.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        stream.options = {"abr": "1"}
        samples = (sound * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16p", layout="mono")
        frame.rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return file.getvalue()


def main(tags: list[str]) -> None:
    """Make the prompts of the languages named, or of all that have a voice."""
    speaker = Speaker()
    for path in sorted(DOOR.glob("strings/*.toml")):
        words = tomllib.loads(path.read_text())
        tag = words["tag"]
        if not words["voice"] or (tags and tag not in tags):
            continue
        folder = DOOR / "prompts" / tag
        folder.mkdir(parents=True, exist_ok=True)
        total = 0
        for name, text in words["spoken"].items():
            sound = encode(speaker.say(text, words["voice"], WORDS_A_MINUTE.get(tag, 150)))
            (folder / f"{name}.mp3").write_bytes(sound)
            total += len(sound)
        if tag == CHINESE:
            total += _name_voiceless(speaker, folder)
        print(f"{tag}: {len(words['spoken'])} prompts, {total / 1024:.0f} KiB")


def _name_voiceless(speaker: Speaker, folder: Path) -> int:
    """Say in Chinese the names of the languages that have no voice of their own."""
    total = 0
    for path in sorted(DOOR.glob("strings/*.toml")):
        words = tomllib.loads(path.read_text())
        if not words["voice"]:
            sound = encode(speaker.say(words["chinese"], "cmn", WORDS_A_MINUTE[CHINESE]))
            (folder / f"name-{words['tag']}.mp3").write_bytes(sound)
            total += len(sound)
    return total


if __name__ == "__main__":
    main(sys.argv[1:])
