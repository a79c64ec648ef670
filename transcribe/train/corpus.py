"""What the demo pack hears: sentences, the order in which they are spoken, and their shards."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transcribe.train import clips, grammar, heldout, invented
from transcribe.train.clips import Stored
from transcribe.train.espeak import HELDOUT_VARIANTS, TRAINING_VARIANTS
from transcribe.train.synthetic import Line, Order

SEED = 20261122
GRAMMARS = Path(__file__).resolve().parents[2] / "samples" / "grammars"
SENTENCES = {"zh": 22000, "yue": 16000, "ug": 16000, "kk": 16000, "ko": 16000}
INVENTED = {"zh": 3000, "yue": 3000, "ug": 8000, "kk": 8000, "ko": 8000}  # beside the sentences
# A second helping, spoken after all others: Mandarin has the most syllables and tones to tell.
MORE_SENTENCES = {"zh": 22000}
MORE_INVENTED = {"zh": 6000}
JOINED_SENTENCES = 1600  # a language, drawn again from the sentences of the single clips
FIRST_SHARDS = 10  # of single clips, with which training begins
CHECK_SENTENCES = 40  # a language


@dataclass(frozen=True)
class Texts:
    """What is spoken: training lines in a fixed random order, and lines to check training with."""

    training: tuple[Line, ...]
    joined: tuple[Line, ...]
    check: tuple[Line, ...]


@dataclass(frozen=True)
class Sentences:
    """What training hears of one language: first, and in its second helping."""

    first: list[str]
    more: list[str]

    @property
    def every(self) -> list[str]:
        """Return both helpings."""
        return self.first + self.more


def training_texts() -> dict[str, Sentences]:
    """Return the training sentences by language; the same ones every time."""
    found = {}
    for tag, count in SENTENCES.items():
        own = grammar.load(GRAMMARS / f"{tag}.toml")
        real = grammar.training_sentences(own, count + MORE_SENTENCES.get(tag, 0), SEED)
        made = INVENTED[tag]
        new = invented.sentences(own, real[:count], made + MORE_INVENTED.get(tag, 0), SEED)
        found[tag] = Sentences(real[:count] + new[:made], real[count:] + new[made:])
    return found


def texts(training: dict[str, Sentences]) -> Texts:
    """Put the sentences in the order in which they are spoken."""
    rng = random.Random(SEED)
    single, more, joined, check = [], [], [], []
    for tag, sentences in training.items():
        own = grammar.load(GRAMMARS / f"{tag}.toml")
        single += [Line(tag, own.voice, text) for text in sentences.first]
        more += [Line(tag, own.voice, text) for text in sentences.more]
        joined += [Line(tag, own.voice, t) for t in rng.sample(sentences.first, JOINED_SENTENCES)]
        unseen = grammar.heldout_sentences(own, CHECK_SENTENCES, SEED + 1, sentences.every)
        check += [Line(tag, own.voice, sentence.text) for sentence in unseen]
    for lines in (single, joined, check, more):
        rng.shuffle(lines)
    return Texts((*single, *more), tuple(joined), tuple(check))


def orders(work: Path, spoken: Texts) -> list[Order]:
    """List the shards to be made, in the order in which training wants them."""

    def cut(name: str, lines: Sequence[Line], variants: tuple[str, ...], kind: str) -> list[Order]:
        return [
            Order(work / name, number, SEED, tuple(lines[first : first + clips.SHARD]), variants,
                  kind, damaged=name != "check")
            for number, first in enumerate(range(0, len(lines), clips.SHARD))
        ]  # fmt: skip

    single = cut("single", spoken.training, TRAINING_VARIANTS, "single")
    return [
        *cut("check", spoken.check, HELDOUT_VARIANTS, "single"),
        *single[:FIRST_SHARDS],
        *cut("joined", spoken.joined, TRAINING_VARIANTS, "joined"),
        *single[FIRST_SHARDS:],
    ]


class Shards:
    """The clips that are there so far, while others are still being made."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._seen: dict[str, int] = {"single": 0, "joined": 0}
        self._clips: dict[str, list[Stored]] = {"single": [], "joined": []}

    def __call__(self) -> tuple[Sequence[Stored], Sequence[Stored]]:
        """Return single clips and joined ones, always in the same order."""
        for name, seen in self._seen.items():
            while clips.shard_exists(self.work / name, seen):
                self._clips[name] += clips.read_shard(self.work / name, seen)
                seen += 1
            self._seen[name] = seen
        return self._clips["single"], self._clips["joined"]


def trained_texts(work: Path) -> dict[str, list[str]]:
    """Return the sentences that training heard: those of its shards, and those still to be made."""
    found = {tag: dict.fromkeys(said.every) for tag, said in training_texts().items()}
    for name in ("single", "joined"):
        for stored in clips.read(work / name) if (work / name).is_dir() else ():
            for part in stored.clip.parts:
                found[stored.clip.language][part.text] = None
    return {tag: list(lines) for tag, lines in found.items()}


def heldout_lines(work: Path) -> dict[str, list[Line]]:
    """Return the held-out lines by language; the same ones every time."""
    trained = trained_texts(work)
    return {
        tag: heldout.lines(grammar.load(GRAMMARS / f"{tag}.toml"), trained[tag], SEED + 2)
        for tag in SENTENCES
    }
