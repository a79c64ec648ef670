"""The tagger of the demo pack: `python -m transcribe.train.background`, with sound for it.

It learns what the pack knows, and some hundred other languages of espeak-ng's as what it does not.
There is no text in most of them to be had offline, and the tagger listens to sounds and not to
sense, so they read names of countries where phonenumbers knows them, words that are foreign to them
in their own script, made-up words, and numbers. Kazakh words read by a Tatar voice, or Chinese
names in Shan, are there so that it is the pronunciation that tells. The languages of
samples/languages/unknown.toml are never used here: on them it is measured.
"""

from __future__ import annotations

import random
import re
import string
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from models import packs
from models.transcript import NO_LANGUAGE, UNKNOWN_LANGUAGE
from transcribe import evaluate, lessons, tagger, teaching
from transcribe.engine import WhisperEngine, load
from transcribe.lessons import Recording
from transcribe.train import augment, espeak, fork, grammar
from transcribe.train.augment import SAMPLE_RATE, Pcm
from transcribe.whisper import Whisper

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = ROOT / "samples" / "languages" / "unknown.toml"
LICENCE = ROOT / "LICENSE"
PACK = ROOT / "samples" / "packs" / "demo"
KNOWN = ("zh", "yue", "ug", "kk", "ko")

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
# How many of a known language's sounds are lists of names, where there are names enough.
LISTING_SHARE = 1 / 6
FEW_WORDS = 20
NOISE_DB = 10.0
PIECES = 8
ASKED = 8  # of a newcomer's sentences, the last


@dataclass(frozen=True)
class Job:
    """Sounds of one kind to be made.

    voice : espeak-ng's name; tag : what the tagger is to hear; group : the language proper, or ""
    for the voice's; heldout : with the voices and sentences that nothing is trained on
    unseen : with words that the pack was not trained on, in voices that it was
    """

    voice: str
    tag: str
    count: int
    seed: str
    group: str
    heldout: bool = False
    unseen: bool = False


@dataclass(frozen=True)
class Unknown:
    """A language that is only ever measured on.

    voice : espeak-ng's name; sentences : to measure what knows nothing of it
    lessons, asked : to measure what learns it, from the former
    """

    voice: str
    sentences: tuple[str, ...]
    lessons: tuple[str, ...]
    asked: tuple[str, ...]


@cache
def heldout_languages(path: Path = UNKNOWN) -> dict[str, Unknown]:
    """Read the languages that are only ever measured on, by tag."""
    return {
        one["tag"]: Unknown(
            one["espeak"],
            tuple(one["sentences"]),
            tuple(one["lessons"][:-ASKED]),
            tuple(one["lessons"][-ASKED:]),
        )
        for one in tomllib.loads(path.read_text("utf-8"))["language"]
    }


@cache
def _grammars() -> tuple[grammar.Grammar, ...]:
    """Read the grammars of the pack's languages."""
    return tuple(grammar.load(ROOT / "samples" / "grammars" / f"{tag}.toml") for tag in KNOWN)


@cache
def voices() -> tuple[str, ...]:
    """List espeak-ng's voices for the background, by their file names."""
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path()) / "lang"
    names = {path.name.lower() for path in folder.rglob("*") if path.is_file()}
    measured = {one.voice.split("-")[0] for one in heldout_languages().values()}
    return tuple(sorted(n for n in names - NOT_BACKGROUND if n.split("-")[0] not in measured))


def jobs(seed: str, known: int, other: int) -> list[Job]:
    """List what the tagger learns from, in pieces that are each made by a process of its own."""
    listed = [
        Job(one.voice, one.language, known // PIECES, f"{seed}|{piece}", one.language)
        for one in _grammars()
        for piece in range(PIECES)
    ]
    # A pack writes what it was trained on better than what it will hear.
    listed += [
        Job(one.voice, one.language, known // 4, f"{seed}|unseen", one.language, unseen=True)
        for one in _grammars()
    ]
    listed += [Job(voice, UNKNOWN_LANGUAGE, other, seed, "") for voice in voices()]
    return [*listed, Job("", NO_LANGUAGE, 2 * other, seed, "")]


def heldout_jobs(seed: str, known: int, other: int) -> list[Job]:
    """List what the tagger is measured on: other voices and sentences, and other languages."""
    listed = [
        Job(one.voice, one.language, known, seed, one.language, heldout=True) for one in _grammars()
    ]
    listed += [
        Job(one.voice, UNKNOWN_LANGUAGE, other, seed, tag, heldout=True)
        for tag, one in heldout_languages().items()
    ]
    return [*listed, Job("", NO_LANGUAGE, 2 * other, seed, "", heldout=True)]


def make(job: Job, left_out: Set[int], begin: fork.Begin) -> list[Recording]:
    """Speak one job's texts, but for those left out, and damage them as phones and weather do."""
    made: list[Recording] = []
    for number in range(job.count):
        if number in left_out:
            continue
        begin(number)
        rng = random.Random(f"{job.seed}|{job.tag}|{job.voice}|{job.group}|{number}")
        draw = np.random.default_rng(rng.getrandbits(63))
        if job.tag == NO_LANGUAGE:
            made.append(Recording(unspoken(number, draw), NO_LANGUAGE, NO_LANGUAGE))
            continue
        variants = espeak.HELDOUT_VARIANTS if job.heldout else espeak.TRAINING_VARIANTS
        pcm = say(_text(job, number, rng), job.voice, variants, rng)
        if pcm is None:
            continue
        damage = _condition(number, rng) if job.heldout else augment.draw(draw)
        heard = augment.apply(pcm, damage, draw)
        made.append(Recording(heard, job.tag, job.group or job.voice, job.unseen))
    return made


def spoken(listed: Sequence[Job]) -> Iterator[Recording]:
    """Make jobs one after the other, without what ends espeak-ng; say how much that was."""
    for job in listed:
        made, deadly = fork.surviving(partial(make, job))
        if deadly:
            typer.echo(f"{job.voice}: espeak-ng ended {len(deadly)} times", err=True)
        yield from made


def _text(job: Job, number: int, rng: random.Random) -> str:
    """Give something to say: a report in a language of the pack, a real sentence, or a list."""
    if job.tag in heldout_languages():
        newcomer = heldout_languages()[job.tag]
        own = newcomer.asked if job.heldout else newcomer.lessons
        return own[number % len(own)]
    if job.tag != UNKNOWN_LANGUAGE:
        one = next(one for one in _grammars() if one.language == job.tag)
        if job.unseen:
            return _unseen(one, rng)
        if job.heldout or rng.random() > LISTING_SHARE or len(words(job.voice)) < FEW_WORDS:
            return grammar.say(one, rng, training=not job.heldout).text
    elif job.heldout:
        sentences = heldout_languages()[job.group].sentences
        return sentences[number % len(sentences)]
    return _list(job.voice, rng)


def _unseen(one: grammar.Grammar, rng: random.Random) -> str:
    """Say something with a word in it that training never has."""
    while not (sentence := grammar.say(one, rng, training=False)).held_values:
        pass
    return sentence.text


def _condition(number: int, rng: random.Random) -> augment.Damage:
    """Give what a held-out sound goes through: nothing, an old phone, or noise, in turn."""
    kind = number % 3
    if kind == 1:
        return augment.Damage(gain_db=-6, codec="amr", bitrate=rng.choice(augment.AMR_RATES[2:]))
    if kind == 2:
        return augment.Damage(gain_db=-6, noise=rng.choice(augment.NOISES), snr_db=NOISE_DB)
    return augment.Damage(gain_db=rng.uniform(-12, -1))


def unspoken(number: int, draw: np.random.Generator) -> Pcm:
    """Make a sound that is no speech: weather, machines, music, knocks, barking."""
    makers = (*augment.NOISES, "music", "knocks", "barks", "tone")
    kind = makers[number % len(makers)]
    length = int(draw.uniform(1.5, 8) * SAMPLE_RATE)
    natural = kind in augment.NOISES
    sound = augment.noise(kind, length, draw) if natural else _made(kind, length, draw)
    return augment.at_level(sound, float(draw.uniform(-25, -1)))


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


app = typer.Typer(add_completion=False, help=__doc__)
Folder = Annotated[Path, typer.Option("--pack", help="The pack that the tagger is for.")]
Threads = Annotated[int, typer.Option(help="Processor threads.")]


@app.command()
def train(
    pack: Folder = PACK,
    known: Annotated[int, typer.Option(help="Sounds of each language of the pack.")] = 400,
    other: Annotated[int, typer.Option(help="Sounds of each other language.")] = 16,
    threads: Threads = 1,
) -> None:
    """Make sounds, teach the tagger, and write it beside the pack."""
    whisper = Whisper(packs.read(pack), device="cpu", threads=threads)
    taught = lessons.train(whisper, spoken(jobs("teach", known, other)))
    path = tagger.save(taught, pack)
    typer.echo(f"{path}: {len(taught.labels)} prototypes, {path.stat().st_size / 1e3:.0f} kB")


@app.command()
def measure(
    pack: Folder = PACK,
    known: Annotated[int, typer.Option(help="Sounds of each language of the pack.")] = 210,
    other: Annotated[int, typer.Option(help="Sounds of each held-out language.")] = 52,
    threads: Threads = 1,
) -> None:
    """Print the language figures on voices, sentences and languages that nothing was trained on."""
    engine = load(packs.read(pack), device="cpu", threads=threads)
    heard = evaluate.judge(engine, spoken(heldout_jobs("measure", known, other)), KNOWN)
    typer.echo(evaluate.figures(heard).model_dump_json(indent=1))


@app.command()
def newcomers(
    pack: Folder = PACK,
    lesson: Annotated[int, typer.Option(help="Sounds that a new language is learnt from.")] = 20,
    measured: Annotated[int, typer.Option(help="Sounds of each that it is measured on.")] = 30,
    other: Annotated[int, typer.Option(help="Sounds of each of the others beside it.")] = 3,
    threads: Threads = 1,
) -> None:
    """Add each held-out language by itself from a few sounds, and print how well it is known.

    Some sounds of all the others tell how often what is still unknown is taken for it.
    """
    whisper = Whisper(packs.read(pack), device="cpu", threads=threads)
    known = tagger.load(pack)
    if known is None:
        raise typer.BadParameter(f"{pack} has no tagger yet: run `train` first.")
    heard: list[evaluate.Judged] = []
    for tag, one in heldout_languages().items():
        few = spoken([Job(one.voice, tag, lesson, "newcomer", tag)])
        engine = WhisperEngine(whisper, teaching.add(known, list(lessons.listen(whisper, few))))
        asked = [Job(one.voice, tag, measured, "newcomer measured", tag, heldout=True)]
        asked += [
            Job(rest.voice, UNKNOWN_LANGUAGE, other, f"beside {tag}", name, heldout=True)
            for name, rest in heldout_languages().items()
            if name != tag
        ]
        heard += evaluate.judge(engine, spoken(asked), (*KNOWN, tag))
    typer.echo(evaluate.figures(heard).model_dump_json(indent=1))


if __name__ == "__main__":
    app()
