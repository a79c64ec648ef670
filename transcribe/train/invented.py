"""Sentences of shuffled and invented words, which nothing but listening can write down.

A decoder that hears the same few thousand sentences again and again learns them by heart and
guesses; words in no order, and words that do not exist, leave it nothing to remember.
"""

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from transcribe.train.grammar import Grammar, bare
from transcribe.whisper import UNSPACED

_KNOWN, _INVENTED = 0.5, 0.4  # chances of what a word becomes; the rest stay as they are
_CHUNK = (2, 5)  # characters that stay together where words have no spaces
_ORDER = 2  # letters that decide the next one
_LENGTHS = range(3, 15)  # letters of an invented word, decomposed
_END = "\n"
_WORD = re.compile(r"[^\W\d_]+")
_MOST_TRIES = 100


def sentences(grammar: Grammar, real: Sequence[str], count: int, seed: int) -> list[str]:
    """Return `count` sentences that keep of real ones only length, punctuation and numbers.

    No invented word is one that the grammar keeps out of training.
    """
    rng = random.Random(f"{seed}|invented|{grammar.language}")
    if grammar.language in UNSPACED:
        return [_chunks(rng.choice(real), real, rng) for _ in range(count)]
    words = sorted({word for text in real for word in _WORD.findall(text.lower())})
    inventor = Inventor(words, {bare("".join(value)) for _, value in grammar.kept_out})
    return [_replaced(rng.choice(real), words, inventor, rng) for _ in range(count)]


def _chunks(shape: str, real: Sequence[str], rng: random.Random) -> str:
    """Fill a sentence's runs of characters with short pieces of others."""

    def filled(match: re.Match[str]) -> str:
        made = ""
        while len(made) < len(match[0]):
            run = rng.choice(_WORD.findall(rng.choice(real)) or [match[0]])
            size = rng.randint(*_CHUNK)
            start = rng.randrange(max(1, len(run) - size + 1))
            made += run[start : start + size]
        return made[: max(2, len(match[0]))]

    return _WORD.sub(filled, shape)


class Inventor:
    """Makes words that do not exist, from which letters follow each other in those that do."""

    def __init__(self, words: Sequence[str], forbidden: set[str]) -> None:
        self._not = forbidden | set(words)
        self._next: dict[str, list[str]] = defaultdict(list)
        for word in words:
            # Decomposed, Hangul is made of its letters, and new syllables come of them.
            letters = unicodedata.normalize("NFD", word) + _END
            for i, letter in enumerate(letters):
                self._next[letters[max(0, i - _ORDER) : i]].append(letter)

    def word(self, rng: random.Random) -> str:
        """Return a word of three letters or more that is in no text."""
        for _ in range(_MOST_TRIES):
            letters = ""
            while len(letters) <= _LENGTHS[-1]:
                letter = rng.choice(self._next[letters[-_ORDER:]])
                if letter == _END:
                    break
                letters += letter
            made = unicodedata.normalize("NFC", letters)
            if len(letters) in _LENGTHS and made not in self._not:
                return made
        raise ValueError("these words leave nothing to invent")


def _replaced(shape: str, words: Sequence[str], inventor: Inventor, rng: random.Random) -> str:
    """Put other words in the place of a sentence's words."""

    def other(match: re.Match[str]) -> str:
        chance = rng.random()
        if chance < _KNOWN:
            made = rng.choice(words)
        elif chance < _KNOWN + _INVENTED:
            made = inventor.word(rng)
        else:
            return match[0]
        return made.capitalize() if match[0][0].isupper() else made

    return _WORD.sub(other, shape)
