"""Grammars of spoken complaints: what they can say, and which of it training never sees."""

import hashlib
import random
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_REFERENCE = re.compile(r"\{(\w+)\}")
_MAX_DEPTH = 60
_MOST_REPEATS = 2000  # in a row, after which a grammar is held to have said everything
_TRIES = 500  # for each held-out sentence
GRAM = 5


class GrammarError(ValueError):
    """A grammar file that cannot be used, with the reason."""


@dataclass(frozen=True)
class Grammar:
    """A context-free grammar whose `unseen` rules keep some values out of training."""

    language: str
    voice: str  # espeak-ng's name of the language
    start: str
    rules: dict[str, tuple[tuple[str, ...], ...]]  # alternatives, each literal and {rule} parts
    unseen: frozenset[str]
    unseen_share: float

    @cached_property
    def kept_out(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        """Return the values of unseen rules that are kept out of training, chosen by their hash."""
        return frozenset((r, a) for r in self.unseen for a in self.rules[r] if self._drawn(r, a))

    def held(self, rule: str, alternative: tuple[str, ...]) -> bool:
        """Tell whether this value of this rule is kept out of training."""
        return (rule, alternative) in self.kept_out

    def _drawn(self, rule: str, alternative: tuple[str, ...]) -> bool:
        name = f"{self.language}|{rule}|{''.join(alternative)}".encode()
        return int.from_bytes(hashlib.sha256(name).digest()[:4]) < self.unseen_share * 2**32


@dataclass(frozen=True)
class Sentence:
    """One expansion, and how many of its values from unseen rules training keeps out."""

    text: str
    values: int
    held_values: int


def load(path: Path) -> Grammar:
    """Read a grammar file; raise GrammarError where a rule is missing or never ends."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        rules = {
            name: tuple(tuple(p for p in _split(alternative) if p) for alternative in alternatives)
            for name, alternatives in data["rules"].items()
        }
        grammar = Grammar(
            language=data["language"],
            voice=data["espeak"],
            start=data["start"],
            rules=rules,
            unseen=frozenset(data.get("unseen", ())),
            unseen_share=float(data.get("unseen_share", 0.1)),
        )
    except KeyError as missing:
        raise GrammarError(f"{path.name}: the key {missing} is missing") from missing
    _check(grammar, path.name)
    return grammar


def _split(alternative: str) -> list[str]:
    return re.split(r"(\{\w+\})", alternative)


def _references(alternative: Iterable[str]) -> Iterator[str]:
    for part in alternative:
        if match := _REFERENCE.fullmatch(part):
            yield match[1]


def _check(grammar: Grammar, name: str) -> None:
    for rule in (grammar.start, *grammar.unseen):
        if rule not in grammar.rules:
            raise GrammarError(f"{name}: there is no rule {rule!r}")
    ending: set[str] = set()
    while True:
        more = {
            rule
            for rule, alternatives in grammar.rules.items()
            if rule not in ending and any(ending.issuperset(_references(a)) for a in alternatives)
        }
        if not more:
            break
        ending |= more
    for rule, alternatives in grammar.rules.items():
        for wanted in (r for a in alternatives for r in _references(a)):
            if wanted not in grammar.rules:
                raise GrammarError(f"{name}: rule {rule!r} asks for {wanted!r}, which is missing")
        if rule not in ending:
            raise GrammarError(f"{name}: rule {rule!r} never ends")


def say(grammar: Grammar, rng: random.Random, training: bool) -> Sentence:
    """Expand the start rule once, for training without the values that are kept out of it."""
    counts = [0, 0]

    def expand(rule: str, depth: int) -> str:
        if depth > _MAX_DEPTH:
            raise GrammarError(f"{grammar.language}: {rule!r} nests too deep")
        alternatives = grammar.rules[rule]
        if rule in grammar.unseen:
            if training:
                free = tuple(a for a in alternatives if not grammar.held(rule, a))
                alternatives = free or alternatives
            counts[0] += 1
        chosen = rng.choice(alternatives)
        counts[1] += grammar.held(rule, chosen)
        return "".join(
            expand(match[1], depth + 1) if (match := _REFERENCE.fullmatch(part)) else part
            for part in chosen
        )

    text = unicodedata.normalize("NFC", re.sub(r"\s+", " ", expand(grammar.start, 0)).strip())
    return Sentence(text, counts[0], counts[1])


def training_sentences(grammar: Grammar, count: int, seed: int) -> list[str]:
    """Return `count` different sentences with no held-out value."""
    rng = random.Random(f"{seed}|train|{grammar.language}")
    found: dict[str, None] = {}
    repeats = 0
    while repeats < _MOST_REPEATS:
        text = say(grammar, rng, training=True).text
        repeats = repeats + 1 if text in found else 0
        found.setdefault(text)
        if len(found) == count:
            return list(found)
    raise GrammarError(f"{grammar.language}: only {len(found)} of {count} sentences differ")


def heldout_sentences(
    grammar: Grammar,
    count: int,
    seed: int,
    trained: Iterable[str],
    most_overlap: float = 0.5,
) -> list[Sentence]:
    """Return sentences that training lacks and of which it knows at most half the 5-grams."""
    rng = random.Random(f"{seed}|heldout|{grammar.language}")
    known = trained_grams(trained)
    found: dict[str, Sentence] = {}
    for _ in range(_TRIES * count):
        sentence = say(grammar, rng, training=False)
        if overlap(sentence.text, known) <= most_overlap:
            found.setdefault(bare(sentence.text), sentence)
        if len(found) == count:
            return list(found.values())
    raise GrammarError(f"{grammar.language}: only {len(found)} of {count} sentences are new enough")


def bare(text: str) -> str:
    """Return a text without spaces and punctuation, in lower case, as scores compare it."""
    return "".join(c for c in text.lower() if unicodedata.category(c)[0] in "LMN")


def grams(text: str) -> set[str]:
    """Return the character 5-grams of a bare text (the text itself where it is shorter)."""
    text = bare(text)
    return {text[i : i + GRAM] for i in range(max(1, len(text) - GRAM + 1))}


def trained_grams(texts: Iterable[str]) -> set[str]:
    """Return every 5-gram of the training texts."""
    return {gram for text in texts for gram in grams(text)}


def overlap(text: str, known: set[str]) -> float:
    """Return the share of a sentence's 5-grams that training has seen."""
    own = grams(text)
    return len(own & known) / len(own)


@dataclass(frozen=True)
class Comparison:
    """What held-out sentences share with training sentences."""

    sentences: int
    same: int  # sentences that training has, bare
    mean_overlap: float  # mean share of a sentence's 5-grams that training has
    worst_overlap: float
    words: int  # different words of the training sentences (characters where there are no spaces)
    unseen_words: float  # share of the held-out sentences' words that training lacks

    def __str__(self) -> str:
        return (
            f"{self.sentences} held-out sentences, {self.same} also in training;"
            f" 5-grams in training: mean {self.mean_overlap:.1%}, most {self.worst_overlap:.1%};"
            f" training has {self.words} different words, {self.unseen_words:.1%} of those held out"
            " are not among them"
        )


def compare(held: Sequence[str], trained: Sequence[str]) -> Comparison:
    """Compare held-out sentences with those of training."""
    known = trained_grams(trained)
    overlaps = [overlap(text, known) for text in held]
    bare_trained = {bare(text) for text in trained}
    words = {word for text in trained for word in _words(text)}
    spoken = [word for text in held for word in _words(text)]
    return Comparison(
        sentences=len(held),
        same=sum(bare(text) in bare_trained for text in held),
        mean_overlap=sum(overlaps) / len(overlaps),
        worst_overlap=max(overlaps),
        words=len(words),
        unseen_words=sum(word not in words for word in spoken) / len(spoken),
    )


def _words(text: str) -> list[str]:
    words = [bare(word) for word in text.split()]
    chinese = any("\u4e00" <= c <= "\u9fff" for c in text)
    return list(bare(text)) if chinese else [word for word in words if word]
