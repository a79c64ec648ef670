"""Measure a pack: what it hears in clips whose words are known."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from models import packs
from transcribe import language
from transcribe.audio import decode
from transcribe.train import manifest
from transcribe.train.grammar import bare
from transcribe.train.manifest import Entry
from transcribe.whisper import Encoded, Whisper, Written

SAMPLE_RATE = 16_000
_BATCH = 16


@dataclass(frozen=True)
class Known:
    """A clip whose words are known.

    pcm : float32, mono, 16 kHz; words : text, start and end in seconds, where times are known
    """

    pcm: npt.NDArray[np.float32]
    text: str
    language: str
    condition: str = ""
    words: tuple[tuple[str, float, float], ...] = ()

    @property
    def seconds(self) -> float:
        """Return the clip's length."""
        return len(self.pcm) / SAMPLE_RATE


@dataclass(frozen=True)
class Heard:
    """What a pack heard: told the language it writes, asked for the language it tags."""

    text: str
    tag: str
    words: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Score:
    """One clip's errors.

    letters, wrong : bare characters of the true text, and edits from them to what was heard
    syllables, wrong_syllables : the same with toned pinyin, for Mandarin only
    word_errors : seconds between true and heard times of words that were heard rightly
    """

    language: str
    condition: str
    seconds: float
    letters: int
    wrong: int
    syllables: int
    wrong_syllables: int
    tagged: bool
    word_errors: tuple[float, ...]


class Recogniser:
    """A pack opened for measuring: it hears and writes as the engine does, without a tagger."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self.pack = packs.read(folder)
        self._whisper = Whisper(self.pack, device="cpu", threads=threads)

    def hear(self, clips: Sequence[Known]) -> list[Heard]:
        """Hear clips of one language and about equal length together; raise Invalid if unknown."""
        whisper, told = self._whisper, clips[0].language
        if self.pack.language(told) is None:
            raise manifest.bad(
                f"语言包 {self.pack.name} 不会 {told}。",
                f"The pack {self.pack.name} does not know {told}.",
            )
        frames = whisper.window_frames(max(clip.seconds for clip in clips))
        encoded = whisper.encode([whisper.features(clip.pcm) for clip in clips], frames)
        written = self._write(encoded, [told] * len(clips))
        tags = self._tags(encoded, told, written)
        timed = whisper.align(encoded, told, [text.tokens for text in written])
        return [
            Heard(text.text, tag, tuple((word.text, word.start, word.end) for word in words))
            for text, tag, words in zip(written, tags, timed, strict=True)
        ]

    def _write(self, windows: Sequence[Encoded], tags: Sequence[str]) -> list[Written]:
        beams = self.pack.thresholds.beams
        return self._whisper.write(windows, tags, beams=beams)

    def _tags(self, windows: Sequence[Encoded], told: str, written: Sequence[Written]) -> list[str]:
        """Tag windows: by the language head, and where languages are near by their texts too.

        written : in the language that was told, which is not written once more
        """
        odds = [heard.odds for heard in self._whisper.languages(windows)]
        rivals = [language.rivals(own, self.pack.tags) for own in odds]
        texts: list[dict[str, Written]] = [{told: text} for text in written]
        tries = [(row, tag) for row, tags in enumerate(rivals) for tag in tags if tag != told]
        if tries:
            found = self._write([windows[row] for row, _ in tries], [tag for _, tag in tries])
            for (row, tag), text in zip(tries, found, strict=True):
                texts[row][tag] = text
        return [
            language.best(language.told(own, {tag: tried[tag] for tag in tags}), tags)
            for own, tags, tried in zip(odds, rivals, texts, strict=True)
        ]


def known(entries: Iterable[Entry]) -> Iterator[Known]:
    """Yield the sound and words of manifest entries, file by file."""
    for entry in entries:
        samples = decode(entry.audio, max_seconds=entry.end + 1).samples
        pcm = samples[int(entry.start * SAMPLE_RATE) : int(entry.end * SAMPLE_RATE)]
        yield Known(pcm, entry.text, entry.language, entry.condition, entry.words)


def measure(
    recogniser: Recogniser, clips: Iterable[Known], watch: Callable[[int], None] = lambda done: None
) -> list[Score]:
    """Score clips; those of one language and similar length go together."""
    scores: list[Score] = []
    pool: list[Known] = []

    def empty() -> None:
        for one in _scored(recogniser, pool):
            scores.append(one)
            watch(len(scores))
        pool.clear()

    for clip in clips:
        pool.append(clip)
        if len(pool) == 16 * _BATCH:
            empty()
    empty()
    return scores


def _scored(recogniser: Recogniser, pool: list[Known]) -> Iterator[Score]:
    for tag in sorted({clip.language for clip in pool}):
        own = sorted((c for c in pool if c.language == tag), key=lambda c: len(c.pcm))
        for first in range(0, len(own), _BATCH):
            group = own[first : first + _BATCH]
            for clip, heard in zip(group, recogniser.hear(group), strict=True):
                yield score(clip, heard)


def score(clip: Known, heard: Heard) -> Score:
    """Compare what was heard with what was said."""
    true, text = bare(clip.text), bare(heard.text)
    true_tones, tones = (_toned(t) if clip.language == "zh" else [] for t in (true, text))
    return Score(
        language=clip.language,
        condition=clip.condition,
        seconds=clip.seconds,
        letters=len(true),
        wrong=Levenshtein.distance(true, text),
        syllables=len(true_tones),
        wrong_syllables=Levenshtein.distance(true_tones, tones),
        tagged=heard.tag == clip.language,
        word_errors=tuple(_word_errors(clip.words, heard.words)),
    )


def _toned(text: str) -> list[str]:
    """Return the toned syllables of Mandarin, as pypinyin reads it."""
    from pypinyin import Style, lazy_pinyin

    return list(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True))


def _word_errors(
    true: Sequence[tuple[str, float, float]], heard: Sequence[tuple[str, float, float]]
) -> Iterator[float]:
    names, found = [bare(w[0]) for w in true], [bare(w[0]) for w in heard]
    for move in Levenshtein.opcodes(names, found):
        if move.tag != "equal":
            continue
        for i, j in zip(
            range(move.src_start, move.src_end),
            range(move.dest_start, move.dest_end),
            strict=True,
        ):
            yield abs(true[i][1] - heard[j][1])
            yield abs(true[i][2] - heard[j][2])


def median_word_error(scores: Iterable[Score]) -> float | None:
    """Return the median distance of word times in seconds, None where no word was timed."""
    errors = [error for one in scores for error in one.word_errors]
    return median(errors) if errors else None
