"""espeak-ng called through ctypes: sound, and when each word and each phone of it is said.

espeak-ng is GPL-3 software and comes with the train extra only; it makes data and is never used at
run time.
"""

import ctypes
import math
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from transcribe.train.grammar import bare

SAMPLE_RATE = 16_000
_RETRIEVE_SYNCHRONOUSLY = 2
_PHONEME_EVENTS = 1
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_SEPARATOR = ord("·") << 8  # in no phoneme's name

# Variants whose voice no training clip uses.
HELDOUT_VARIANTS = ("f3", "f4", "Annie", "m4", "m5", "edward2")
TRAINING_VARIANTS = (
    *("", "m1", "m2", "m3", "m6", "m7", "m8", "f1", "f2", "f5", "klatt", "klatt2", "klatt3"),
    *("klatt4", "Alex", "Alicia", "Andrea", "Andy", "Denis", "Diogo", "Gene", "Henrique", "Hugo"),
    *("Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen", "adam", "antonio", "belinda"),
    *("benjamin", "boris", "caleb", "david", "ed", "edward", "grandma", "grandpa", "gustave"),
    *("ian", "iven", "john", "kaukovalta", "linda", "marcelo", "max", "michel", "miguel"),
    *("norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph"),
    *("steph2", "travis", "victor", "zac", "m1", "m2", "m3", "f1", "f2", "f5", "f1", "f2", "f5"),
    *("Alicia", "Andrea", "belinda", "linda", "steph", "shelby", "grandma"),
)


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Timed:
    """Something said between two times in seconds."""

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Voice:
    """How a sentence is spoken."""

    language: str  # espeak-ng's name
    variant: str = ""
    rate: int = 175  # words a minute
    pitch: int = 50
    range: int = 50

    @property
    def name(self) -> str:
        """Return what espeak-ng calls this voice."""
        return f"{self.language}+{self.variant}" if self.variant else self.language


@dataclass(frozen=True)
class Speech:
    """A spoken sentence.

    pcm : float32, mono, 16 kHz
    words : units of writing in order, each with its text; phones : in order
    """

    pcm: npt.NDArray[np.float32]
    words: tuple[Timed, ...]
    phones: tuple[Timed, ...]


class Espeak:
    """A copy of the library for itself.

    What espeak-ng says depends a little on what it said before, in memory that even its own
    restart leaves as it is; a copy begins anew, so that the same calls give the same sound.
    """

    def __init__(self) -> None:
        import espeakng_loader  # the train extra only

        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copy(espeakng_loader.get_library_path(), folder)
            self._library: Any = ctypes.CDLL(str(copy))
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._rate = self._library.espeak_Initialize(
            _RETRIEVE_SYNCHRONOUSLY,
            0,
            espeakng_loader.get_data_path().encode(),
            _PHONEME_EVENTS | _DO_NOT_EXIT,
        )
        if self._rate <= 0:
            raise RuntimeError("espeak-ng did not start: install the train extra again")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        ctypes.CDLL(None).srand(1)
        self._pieces: list[npt.NDArray[np.int16]] = []
        self._events: list[tuple[int, int, int, float, str]] = []
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def close(self) -> None:
        """Give the library's memory back."""
        self._library.espeak_Terminate()

    def _take(self, wave: Any, count: int, events: Any) -> int:
        if count > 0 and wave:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while (event := events[index]).type != _EVENT_END:
            name = (
                event.id.string.decode("utf-8", "replace") if event.type == _EVENT_PHONEME else ""
            )
            seconds = event.sample / self._rate
            self._events.append((event.type, event.text_position, event.length, seconds, name))
            index += 1
        return 0

    def phonemes(self, text: str, language: str) -> str:
        """Return espeak-ng's phonemes of a text, with tones, parted by middle dots."""
        self._library.espeak_SetVoiceByName(language.encode())
        buffer = ctypes.create_string_buffer(text.encode())
        pointer = ctypes.c_void_p(ctypes.addressof(buffer))
        clauses = []
        while pointer.value:
            spoken = self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF8, _SEPARATOR)
            clauses.append(spoken.decode())
        return "·_:·".join(clauses)

    def speaks(self, text: str, language: str) -> bool:
        """Tell whether the voice knows all of a text; the rest it would spell in English."""
        return "(en)" not in self.phonemes(text, language)

    def say(self, text: str, voice: Voice) -> Speech:
        """Speak a text; raise ValueError where the voice does not exist or says nothing."""
        tones = [p for p in re.split(r"[·\s]+", self.phonemes(text, voice.language)) if p]
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice.name!r}")
        for parameter, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._pieces.clear()
        self._events.clear()
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, _UTF8, None, None)
        if not self._pieces:
            raise ValueError(f"the voice {voice.name!r} said nothing for {text!r}")
        native = np.concatenate(self._pieces).astype(np.float32) / 32768
        divisor = math.gcd(SAMPLE_RATE, self._rate)
        pcm = resample_poly(native, SAMPLE_RATE // divisor, self._rate // divisor)
        end = len(native) / self._rate
        phones = tuple(_toned(self._phones(end), tones))
        return Speech(pcm.astype(np.float32), tuple(self._words(text, end, phones)), phones)

    def _phones(self, end: float) -> list[Timed]:
        heard = [(s, n) for kind, _, _, s, n in self._events if kind == _EVENT_PHONEME]
        ends = [s for s, _ in heard[1:]] + [end]
        return [Timed(_plain(n), s, e) for (s, n), e in zip(heard, ends, strict=True)]

    def _words(self, text: str, end: float, phones: tuple[Timed, ...]) -> Iterator[Timed]:
        characters = [c for c in text if bare(c)]
        syllables = list(_syllables(phones))
        if syllables and len(syllables) == len(characters):  # one syllable a character: Chinese
            for character, (start, stop) in zip(characters, syllables, strict=True):
                yield Timed(character, start, stop)
            return
        pauses = [p for p in phones if p.label.startswith("_")]
        words = self._told(text, phones)
        starts = [position for position, _ in words] + [len(text)]
        times = [seconds for _, seconds in words] + [end]
        for index in range(len(words)):
            piece = text[starts[index] : starts[index + 1]].strip()
            stop = times[index + 1]
            silent = [p.start for p in pauses if times[index] < p.start < stop]
            if bare(piece):
                yield Timed(piece, times[index], min([stop, *silent]))

    def _told(self, text: str, phones: tuple[Timed, ...]) -> list[tuple[int, float]]:
        """Return where in the text each word begins, and when.

        espeak-ng now and then leaves a word out, or tells a wrong place for it: then it is said
        with the word before it, and the first one from the first sound on.
        """
        told: list[tuple[int, float]] = []
        for kind, position, _, seconds, _ in self._events:
            if kind == _EVENT_WORD and position - 1 > (told[-1][0] if told else -1):
                told.append((position - 1, seconds))
        first = told[0][0] if told else len(text)
        spoken = [phone.start for phone in phones if not phone.label.startswith("_")]
        if bare(text[:first]) and spoken:
            return [(0, spoken[0]), *told]
        return told


def _plain(name: str) -> str:
    return re.sub(r"[',%=|]+", "", name) or "_"


def _toned(phones: list[Timed], toned: list[str]) -> Iterator[Timed]:
    """Yield phones with the tone that the text's phonemes give them; both lists say the same."""
    spoken = [t for t in (_plain(t) for t in toned) if not t.startswith("_")]
    position = 0
    for phone in phones:
        label = phone.label
        if not label.startswith("_"):
            for ahead in range(position, min(position + 4, len(spoken))):
                if re.sub(r"\d+$", "", spoken[ahead]) == re.sub(r"\d+$", "", label):
                    label, position = spoken[ahead], ahead + 1
                    break
        yield Timed(label, phone.start, phone.end)


def _syllables(phones: tuple[Timed, ...]) -> Iterator[tuple[float, float]]:
    """Yield start and end of each syllable: those phones that carry a tone are the vowels."""
    vowels = [i for i, phone in enumerate(phones) if re.search(r"\d$", phone.label)]
    start = 0
    for order, vowel in enumerate(vowels):
        upcoming = vowels[order + 1] if order + 1 < len(vowels) else len(phones)
        while start < vowel and phones[start].label.startswith("_"):
            start += 1
        between = range(vowel + 1, upcoming)
        pause = next((i for i in between if phones[i].label.startswith("_")), None)
        if pause is not None:
            stop = pause
        else:
            stop = max(vowel + 1, upcoming - 1) if order + 1 < len(vowels) else upcoming
        yield phones[start].start, phones[stop - 1].end
        start = stop


@cache
def library() -> Espeak:
    """Return this process's espeak-ng."""
    return Espeak()


def renew() -> None:
    """Let this process's espeak-ng begin anew: from here the same calls give the same sound."""
    if library.cache_info().currsize:
        library().close()
    library.cache_clear()
