"""How usual the letters of a text are in a language: what a recogniser writes of another is not.

A recogniser hears a language that lies near one of its own so well that its scores say little; but
the words that it makes of it are not spelt as words are. Letters are weighed by those before them,
with Witten and Bell's interpolation (1991), as in language identification since Dunning (1994). For
scripts with letters: Chinese characters are too many to learn what follows which from a few texts.
What is kept counts runs of a few letters over all texts, and no text.
"""

from __future__ import annotations

import gzip
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from models.errors import Misconfigured
from models.transcript import Frozen
from transcribe.whisper import UNSPACED

FILE = "spelling.json.gz"
ORDER = 4
LEAST_LETTERS = 8
# Letters of all texts, some two hours of speech: from less, every new word would seem misspelt.
LEAST_LEARNT = 100_000
# A run that was seen once says as much by being left out, and may be part of a name.
LEAST_COUNT = 2
_EDGE = " "


class Spelling(Frozen):
    """Counts of runs of up to ORDER letters by language, a space standing for an end of a word."""

    runs: dict[str, dict[str, int]]

    def usual(self, tag: str, text: str) -> float | None:
        """Give the mean natural logarithm of each letter's probability in a language.

        None where the language is not known or the text is too short to tell.
        """
        spelt = letters(text)
        if tag not in self.runs or len(spelt) < LEAST_LETTERS:
            return None
        follow = self._followers[tag]
        counts = self.runs[tag]
        alphabet = sum(len(run) == 1 for run in counts) + 1
        total = 0.0
        for place in range(1, len(spelt)):
            probability = 1 / alphabet
            for length in range(min(ORDER, place + 1)):
                before = spelt[place - length : place]
                seen, kinds = follow.get(before, (0, 0))
                if seen:
                    own = counts.get(before + spelt[place], 0)
                    probability = (own + kinds * probability) / (seen + kinds)
            total += math.log(probability)
        return total / (len(spelt) - 1)

    @cached_property
    def _followers(self) -> Mapping[str, Mapping[str, tuple[int, int]]]:
        """Give by language, for each run, how many letters follow it, and how many kinds."""
        found = {}
        for tag, counts in self.runs.items():
            seen: Counter[str] = Counter()
            kinds: Counter[str] = Counter()
            for run, count in counts.items():
                seen[run[:-1]] += count
                kinds[run[:-1]] += 1
            found[tag] = {before: (seen[before], kinds[before]) for before in seen}
        return found

    def with_(self, other: Spelling) -> Spelling:
        """Give both, the other's counts where both know a language."""
        return Spelling(runs={**self.runs, **other.runs})


def letters(text: str) -> str:
    """Give the letters of a text, without case and composed signs, with one space between words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (c if unicodedata.category(c)[0] in "LM" else _EDGE for c in plain)
    return _EDGE + "".join(f"{word}{_EDGE}" for word in "".join(kept).split())


def learn(texts: Mapping[str, Iterable[str]]) -> Spelling:
    """Count the runs of letters in texts by language, where it has letters and texts enough."""
    spaced = {tag: list(said) for tag, said in texts.items() if tag.split("-")[0] not in UNSPACED}
    return Spelling(
        runs={
            tag: _counts(said)
            for tag, said in spaced.items()
            if sum(len(letters(text)) for text in said) >= LEAST_LEARNT
        }
    )


def _counts(texts: Iterable[str]) -> dict[str, int]:
    words = Counter(word for text in texts for word in letters(text).split())
    counts: Counter[str] = Counter()
    for word, times in words.items():
        spelt = f"{_EDGE}{word}{_EDGE}"
        for length in range(1, ORDER + 1):
            for first in range(len(spelt) - length + 1):
                counts[spelt[first : first + length]] += times
    return {run: count for run, count in sorted(counts.items()) if count >= LEAST_COUNT}


def load(folder: Path) -> Spelling:
    """Read the counts beside a pack; none where there is no file."""
    path = folder / FILE
    if not path.is_file():
        return Spelling(runs={})
    try:
        return Spelling.model_validate_json(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError) as error:
        raise Misconfigured(
            f"{path} 不是可用的拼写文件：{error}。请重新训练语言包或删除它。",
            f"{path} holds no usable spelling ({error}): train the pack again or remove it.",
            code="bad_spelling",
        ) from error


def save(spelling: Spelling, folder: Path) -> None:
    """Write the counts beside a pack; the same counts give the same bytes."""
    content = json.dumps(spelling.model_dump(), ensure_ascii=False, separators=(",", ":"))
    (folder / FILE).write_bytes(gzip.compress(content.encode(), mtime=0))
