"""Measure a pack: what it hears in clips whose words are known."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import ctranslate2
import numpy as np
import numpy.typing as npt
import tokenizers
from rapidfuzz.distance import Levenshtein

from models import packs
from transcribe.audio import decode
from transcribe.train import tokens
from transcribe.train.features import FRAMES_A_SECOND, WINDOW_FRAMES, log_mel
from transcribe.train.grammar import bare
from transcribe.train.manifest import Entry
from transcribe.whisper import UNSPACED

SAMPLE_RATE = 16_000
_BATCH = 16
_LONGEST = 224  # tokens: a whole window of a language that a stock tokenizer cuts into bytes
_STATE_SECONDS = 0.02


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
    """A pack opened for measuring: with its own beams, in windows as short as it allows."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self.pack = packs.read(folder)
        self._model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads
        )
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._prompt = tokens.prompt(self._tokenizer)

    def hear(self, clips: Sequence[Known]) -> list[Heard]:
        """Hear clips of about equal length together."""
        mels = [log_mel(clip.pcm, self._model.n_mels)[:WINDOW_FRAMES] for clip in clips]
        frames = self._window(max(len(mel) for mel in mels))
        window = np.zeros((len(clips), self._model.n_mels, frames), np.float32)
        for row, mel in enumerate(mels):
            window[row, :, : len(mel)] = mel.T
        encoded = self._model.encode(ctranslate2.StorageView.from_array(window))
        tags = [self._tag(ranked) for ranked in self._model.detect_language(encoded)]
        prompts = [self._start(clip.language) for clip in clips]
        written = self._model.generate(
            encoded,
            prompts,
            beam_size=self.pack.thresholds.beams,
            max_length=_LONGEST,
            suppress_blank=False,
        )
        ids = [[i for i in w.sequences_ids[0] if i < self._prompt.end] for w in written]
        words = self._timed(encoded, ids, clips, [len(mel) for mel in mels])
        return [
            Heard(self._tokenizer.decode(i).strip(), tag, timed)
            for i, tag, timed in zip(ids, tags, words, strict=True)
        ]

    def _window(self, longest: int) -> int:
        limits = self.pack.thresholds
        margin = int(limits.window_margin_seconds * FRAMES_A_SECOND)
        floor = int(limits.window_floor_seconds * FRAMES_A_SECOND)
        frames = min(WINDOW_FRAMES, max(floor, longest + margin))
        return frames + frames % 2

    def _start(self, tag: str) -> list[int]:
        language = self.pack.language(tag)
        if language is None:
            raise ValueError(f"the pack {self.pack.name} does not know {tag}")
        code = self._prompt.languages[language.token]
        return [self._prompt.start, code, self._prompt.transcribe, self._prompt.no_times]

    def _tag(self, ranked: Sequence[tuple[str, float]]) -> str:
        for token, _ in ranked:
            if (language := self.pack.by_token(token[2:-2])) is not None:
                return language.tag
        return "und"

    def _timed(
        self,
        encoded: ctranslate2.StorageView,
        ids: Sequence[list[int]],
        clips: Sequence[Known],
        frames: Sequence[int],
    ) -> list[tuple[tuple[str, float, float], ...]]:
        if not any(clip.words for clip in clips):
            return [()] * len(clips)
        found: list[tuple[tuple[str, float, float], ...]] = []
        # The call takes one start for a batch; clips of one language are asked for together.
        starts = {clip.language: self._start(clip.language)[:3] for clip in clips}
        if len(starts) > 1:
            return [()] * len(clips)
        (start,) = starts.values()
        aligned = self._model.align(encoded, start, list(ids), list(frames), median_filter_width=3)
        for own, alignment, clip in zip(ids, aligned, clips, strict=True):
            found.append(tuple(self._words(own, alignment.alignments, clip)))
        return found

    def _words(
        self, ids: list[int], pairs: Sequence[tuple[int, int]], clip: Known
    ) -> Iterator[tuple[str, float, float]]:
        """Yield words with times: where attention first moves on to each token."""
        first: dict[int, int] = {}
        for token, state in pairs:
            first.setdefault(token, state)
        last = max((state for _, state in pairs), default=0)
        times = [first.get(i, last) * _STATE_SECONDS for i in range(len(ids) + 1)]
        pieces: list[tuple[list[int], float, float]] = []
        for index, number in enumerate(ids):
            written = self._tokenizer.decode([number])
            opens = clip.language in UNSPACED or written.startswith(" ") or not pieces
            if opens and (bare(written) or not pieces or written.startswith(" ")):
                pieces.append(([number], times[index], times[index + 1]))
            else:
                earlier, start, _ = pieces[-1]
                pieces[-1] = ([*earlier, number], start, times[index + 1])
        for numbers, start, end in pieces:
            yield self._tokenizer.decode(numbers), start, end


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
    for language in sorted({clip.language for clip in pool}):
        own = sorted((c for c in pool if c.language == language), key=lambda c: len(c.pcm))
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
