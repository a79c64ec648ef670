"""Sound for the tagger of the demo pack: what it should know, and all else it should not.

The background speaks some hundred languages with espeak-ng's voices. There is no text in most of
them to be had offline, and the tagger listens to sounds and not to sense, so they read names of
countries where phonenumbers knows them, words that are foreign to them in their own script, made-up
words, and numbers. Kazakh words read by a Tatar voice, or Chinese names in Shan, are there so that
it is the pronunciation that tells. Languages of samples/languages/unknown.toml are never used here.
"""

from __future__ import annotations

import random
import re
import string
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.transcript import UNKNOWN_LANGUAGE
from transcribe.tagger import NO_LANGUAGE
from transcribe.train import augment, espeak, grammar
from transcribe.train.augment import SAMPLE_RATE, Pcm

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = ROOT / "samples" / "languages" / "unknown.toml"
LICENCE = ROOT / "LICENSE"

# Voices that speak a language of the pack, or a constructed one, or do not work.
NOT_BACKGROUND = frozenset(
    (
        *("cmn", "cmn-latn-pinyin", "yue", "yue-latn-jyutping", "ko", "kk", "ug"),
        *("piqd", "qya", "sjn", "py", "en-shaw", "kaa", "xex", "fo"),
    )
)
# Scripts without words at hand: made-up words of these code points.
SCRIPTS = {
    "hy": (0x561, 0x586), "hyw": (0x561, 0x586), "ka": (0x10D0, 0x10F0), "he": (0x5D0, 0x5EA),
    "am": (0x1208, 0x1357), "ti": (0x1208, 0x1357), "bn": (0x995, 0x9B9), "as": (0x995, 0x9B9),
    "bpy": (0x995, 0x9B9), "ne": (0x915, 0x939), "mr": (0x915, 0x939), "kok": (0x915, 0x939),
    "pa": (0xA15, 0xA39), "gu": (0xA95, 0xAB9), "or": (0xB15, 0xB39), "ta": (0xB95, 0xBB9),
    "te": (0xC15, 0xC39), "kn": (0xC95, 0xCB9), "ml": (0xD15, 0xD39), "si": (0xD9A, 0xDC6),
    "th": (0xE01, 0xE2E), "chr": (0x13A0, 0x13F4), "shn": (0x1075, 0x1081),
}  # fmt: skip
MADE_UP_VOWELS = {
    0x0900: "ािीुूेो", 0x0980: "ািীুেো", 0x0A00: "ਾਿੀੁੇੋ", 0x0A80: "ાિીુેો", 0x0B00: "ାିୀୁେୋ",
    0x0B80: "ாிீுேோ", 0x0C00: "ాిీుేో", 0x0C80: "ಾಿೀುೇೋ", 0x0D00: "ാിീുേോ", 0x0D80: "ාිීුේෝ",
    0x0E00: "าิีุเโ", 0x1000: "ႃိီုူေ", 0x10A0: "აეიოუ", 0x0530: "աեիոու", 0x0590: "אויה",
}  # fmt: skip
LEAST_WORDS, MOST_WORDS = 3, 8
NUMBER_SHARE = 0.2
LONGEST_SECONDS = 12.0


@dataclass(frozen=True)
class Labelled:
    """A sound with its language; group : what it was made of, for counting."""

    pcm: Pcm
    tag: str
    group: str


def heldout_languages(path: Path = UNKNOWN) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Read the languages that are only ever measured on: voice and sentences by tag."""
    listed = tomllib.loads(path.read_text("utf-8"))["language"]
    return {one["tag"]: (one["espeak"], tuple(one["sentences"])) for one in listed}


@cache
def voices() -> tuple[str, ...]:
    """List espeak-ng's voices for the background, by their file names."""
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path()) / "lang"
    names = {path.name.lower() for path in folder.rglob("*") if path.is_file()}
    measured = {voice.split("-")[0] for voice, _ in heldout_languages().values()}
    return tuple(sorted(n for n in names - NOT_BACKGROUND if n.split("-")[0] not in measured))


def known(
    grammars: Sequence[grammar.Grammar], count: int, variants: Sequence[str], seed: str
) -> Iterator[Labelled]:
    """Speak the pack's languages: sentences of their grammars, and some lists of names as well."""
    for one in grammars:
        for number in range(count):
            rng = random.Random(f"{seed}|{one.language}|{number}")
            listing = rng.random() < 1 / 6 and len(words(one.voice)) > 20
            text = _list(one.voice, rng) if listing else grammar.say(one, rng, True).text
            if (said := say(text, one.voice, variants, rng)) is not None:
                yield Labelled(said, one.language, one.language)


def background(count: int, variants: Sequence[str], seed: str) -> Iterator[Labelled]:
    """Speak all other languages, as `und`."""
    for voice in voices():
        for number in range(count):
            rng = random.Random(f"{seed}|{voice}|{number}")
            if (said := say(_list(voice, rng), voice, variants, rng)) is not None:
                yield Labelled(said, UNKNOWN_LANGUAGE, voice)


def measured(count: int, variants: Sequence[str], seed: str) -> Iterator[Labelled]:
    """Speak the languages that nothing is trained on, in real sentences."""
    for tag, (voice, sentences) in heldout_languages().items():
        for number in range(count):
            rng = random.Random(f"{seed}|{tag}|{number}")
            if (said := say(sentences[number % len(sentences)], voice, variants, rng)) is not None:
                yield Labelled(said, UNKNOWN_LANGUAGE, tag)


def unspoken(count: int, seed: str) -> Iterator[Labelled]:
    """Make sounds that are no speech: weather, machines, music, knocks, barking."""
    makers = (*augment.NOISES, "music", "knocks", "barks", "tone")
    for number in range(count):
        draw = np.random.default_rng(abs(hash_of(f"{seed}|{number}")))
        kind = makers[number % len(makers)]
        length = int(draw.uniform(1.5, 8) * SAMPLE_RATE)
        sound = (
            augment.noise(kind, length, draw)
            if kind in augment.NOISES
            else _made(kind, length, draw)
        )
        loud = augment.at_level(sound, float(draw.uniform(-25, -1)))
        yield Labelled(loud, NO_LANGUAGE, kind)


def say(text: str, voice: str, variants: Sequence[str], rng: random.Random) -> Pcm | None:
    """Speak a text in a drawn voice; None where the voice cannot."""
    drawn = espeak.Voice(
        voice, rng.choice(list(variants)), rng.randint(125, 220), rng.randint(25, 80),
        rng.randint(25, 80),
    )  # fmt: skip
    try:
        pcm = espeak.library().say(text, drawn).pcm
    except ValueError:
        return None
    loud = np.flatnonzero(np.abs(pcm) > 0.004)
    if len(loud) < SAMPLE_RATE // 4:
        return None
    return pcm[loud[0] : loud[-1] + 1][: int(LONGEST_SECONDS * SAMPLE_RATE)]


def damaged(one: Labelled, draw: np.random.Generator) -> Labelled:
    """Send a sound through what phones and weather do, as in the pack's own training."""
    pcm = augment.apply(one.pcm, augment.draw(draw), draw)
    return Labelled(pcm, one.tag, one.group)


def hash_of(text: str) -> int:
    """Give a number for a text, the same in every process."""
    return random.Random(text).getrandbits(63)


def _list(voice: str, rng: random.Random) -> str:
    """Put words and numbers together, as many as a sentence has."""
    pool = words(voice)
    parts = []
    for _ in range(rng.randint(LEAST_WORDS, MOST_WORDS)):
        number = rng.random() < NUMBER_SHARE or not pool
        parts.append(str(rng.randint(1, 9_999)) if number else rng.choice(pool))
    return " ".join(parts)


@cache
def words(voice: str) -> tuple[str, ...]:
    """Give words that a voice can read: names in its language, else of its script, else made up."""
    base = voice.split("-")[0]
    own = _names().get({"nb": "no"}.get(base, base), ())
    readable = tuple(word for word in own if espeak.library().speaks(word, voice))
    if len(readable) >= 60:
        return readable
    if base in SCRIPTS:
        return _made_up(base)
    pools = [_latin(), _cyrillic(), _arabic()]
    sampled = [random.Random(f"{voice}|{n}").sample(pool, 12) for n, pool in enumerate(pools)]
    fits = [sum(espeak.library().speaks(w, voice) for w in sample) for sample in sampled]
    best = max(range(len(pools)), key=lambda n: fits[n])
    if fits[best] < 6:
        return readable
    drawn = random.Random(voice).sample(pools[best], min(300, len(pools[best])))
    return tuple(word for word in drawn if espeak.library().speaks(word, voice))


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Read names of countries by language, which phonenumbers carries."""
    from phonenumbers.geodata import locale

    found: dict[str, list[str]] = {}
    for named in locale.LOCALE_DATA.values():
        for tag, name in named.items():
            if not name.startswith("*"):
                found.setdefault("en" if tag == "aa" else tag, []).append(name)
    found["cmn"] = found["zh"]
    found["yue"] = found["zh"]
    return {tag: tuple(names) for tag, names in found.items()}


@cache
def _latin() -> tuple[str, ...]:
    letters = set(string.ascii_letters)
    licence = re.findall(r"[a-z]{4,}", LICENCE.read_text("utf-8").lower())
    names = (name for tag in ("id", "es", "it", "nl", "pl", "sv") for name in _names()[tag])
    return tuple(sorted({*licence, *(name for name in names if set(name) <= letters)}))


@cache
def _cyrillic() -> tuple[str, ...]:
    return tuple(sorted({*_grammar_words("kk"), *_names()["ru"], *_names()["sr"]}))


@cache
def _arabic() -> tuple[str, ...]:
    return tuple(sorted({*_grammar_words("ug"), *_names()["ar"]}))


def _grammar_words(tag: str) -> set[str]:
    """Collect the words that a grammar can say."""
    one = grammar.load(ROOT / "samples" / "grammars" / f"{tag}.toml")
    texts = (grammar.say(one, random.Random(number), True).text for number in range(400))
    return {word for text in texts for word in re.findall(r"\w{3,}", text)}


@cache
def _made_up(base: str) -> tuple[str, ...]:
    """Make words of letters of a script and its vowels in turn."""
    low, high = SCRIPTS[base]
    letters = [chr(c) for c in range(low, high + 1) if unicodedata.category(chr(c))[0] == "L"]
    block = max(start for start in (*MADE_UP_VOWELS, 0) if start <= low)
    near = low - block < 0x100
    vowels = MADE_UP_VOWELS[block] if block and near else ""
    rng = random.Random(base)
    return tuple(
        "".join(
            rng.choice(letters) + (rng.choice(vowels) if vowels and rng.random() < 0.7 else "")
            for _ in range(rng.randint(2, 4))
        )
        for _ in range(200)
    )


def _made(kind: str, length: int, draw: np.random.Generator) -> npt.NDArray[np.float32]:
    """Make music, knocks, barking or a tone."""
    time = np.arange(length) / SAMPLE_RATE
    sound = np.zeros(length)
    if kind == "tone":
        sound = np.sin(2 * np.pi * draw.uniform(150, 2_500) * time)
    elif kind == "music":
        step = int(draw.uniform(0.15, 0.5) * SAMPLE_RATE)
        base = draw.uniform(110, 330)
        for start in range(0, length, step):
            for interval in draw.choice([0, 2, 4, 5, 7, 9, 11, 12], 2):
                part = time[: min(step, length - start)]
                hertz = base * 2 ** (interval / 12)
                tone = sum(np.sin(2 * np.pi * hertz * k * part) / k**1.5 for k in range(1, 6))
                sound[start : start + step] += tone * np.exp(-part * draw.uniform(1, 6))
    elif kind == "knocks":
        for place in draw.integers(0, length, max(2, length // 8_000)):
            part = time[: min(2_000, length - int(place))]
            knock = np.exp(-part * 60) * np.sin(2 * np.pi * draw.uniform(80, 900) * part)
            sound[place : place + len(part)] += knock
    else:
        for place in draw.integers(0, length, max(1, length // 12_000)):
            part = time[: min(int(draw.uniform(0.12, 0.3) * SAMPLE_RATE), length - int(place))]
            pitch = draw.uniform(250, 700) * (1 - 0.4 * part / 0.3)
            saw = 2 * (np.cumsum(pitch) / SAMPLE_RATE % 1) - 1
            rough = saw + 0.4 * draw.standard_normal(len(part))
            sound[place : place + len(part)] += rough * np.sin(np.pi * part / max(part[-1], 1e-3))
    quiet = 0.01 * draw.standard_normal(length)
    return (sound + quiet).astype(np.float32)
