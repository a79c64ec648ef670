"""A pack's Whisper on CTranslate2: windows encoded one by one, texts written together.

faster-whisper's feature extractor, tokenizer and alignment are used as they are, so a pack gives
the same here as there; what differs is that a window is as short as its sound, and that windows of
one length share the decoder, whoever speaks in them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import (
    get_compression_ratio,
    get_suppressed_tokens,
    merge_punctuations,
)
from numpy.typing import NDArray

from models.errors import Misconfigured
from models.packs import Pack
from models.transcript import Likely, Word
from transcribe.speech import Samples

# It warns, past our logs, of a pack's type that is converted for this machine, as it should be.
ctranslate2.set_log_level(logging.ERROR)

FRAMES_A_SECOND = 100
FRAMES_A_STATE = 2
STATES_A_SECOND = FRAMES_A_SECOND // FRAMES_A_STATE
LONGEST_WINDOW_SECONDS = 30.0
# Windows are rounded up to these lengths, so that messages of like length share a batch.
BUCKETS_SECONDS = tuple(map(float, (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 23, 26)))
# CTranslate2 writes at most half of the `max_length` that it is given.
MOST_TOKENS = 224
SHORTEST_SAMPLES = 400

PREPENDED = "\"'“¿([{-"
APPENDED = "\"'.。,，!！?？:：”)]}、"
# Scripts without spaces between words, where each character is timed by itself.
UNSPACED = frozenset({"zh", "yue", "wuu", "hak", "nan", "ja", "th", "lo", "my", "km", "bo", "ii"})
REQUIRED_FILES = ("model.bin", "tokenizer.json", "config.json")
SAMPLES_DRAWN = 5


@dataclass(frozen=True)
class Encoded:
    """A window as the encoder gave it.

    states : shape = (n_states, width), STATES_A_SECOND, over the whole window
    content : how many of the states hold sound; the rest is padding
    """

    states: NDArray[np.floating[Any]]
    content: int


@dataclass(frozen=True)
class Written:
    """What the decoder wrote about a window.

    tokens : without special ones
    average_logprob : per token, the end token included; 0 where nothing was written
    steps : tokens written, special ones included
    cut_off : the text went on where the decoder had to stop
    """

    tokens: tuple[int, ...]
    steps: int
    text: str
    average_logprob: float
    no_speech: float
    compression_ratio: float
    cut_off: bool
    temperature: float = 0.0
    beams: int = 1

    @property
    def logprob(self) -> float:
        """Give the natural logarithm of the text's probability, given sound and language."""
        return self.average_logprob * (self.steps + 1)


@dataclass(frozen=True)
class Heard:
    """What the language head hears. outside : mass on languages that the pack does not have"""

    candidates: tuple[Likely, ...]
    outside: float

    @property
    def odds(self) -> dict[str, float]:
        """Give the probability of each language of the pack."""
        return {one.tag: one.probability for one in self.candidates}


class PackTokenizer(Tokenizer):  # type: ignore[misc]  # faster-whisper carries no types
    """faster-whisper's tokenizer for one language of a pack, which may borrow its token."""

    def __init__(self, inner: Any, tag: str, token: str) -> None:
        super().__init__(inner, True, task="transcribe", language=token)
        self.tag = tag

    def split_to_word_tokens(self, tokens: list[int]) -> tuple[list[str], list[list[int]]]:
        """Cut at characters where the real language has no spaces, whatever token it borrows."""
        if self.tag.split("-")[0] in UNSPACED:
            words, parts = self.split_tokens_on_unicode(tokens)
        else:
            words, parts = self.split_tokens_on_spaces(tokens)
        return words, parts


class Whisper:
    """One loaded model. Load it after a fork, never before: CTranslate2 deadlocks in the child."""

    def __init__(
        self, pack: Pack, *, device: str = "auto", compute_type: str = "default", threads: int = 0
    ) -> None:
        self.pack = pack
        for name in REQUIRED_FILES:
            if not (pack.folder / name).is_file():
                raise Misconfigured(
                    f"语言包 {pack.folder} 缺少 {name}，请重新安装。",
                    f"The language pack {pack.folder} lacks {name}: install it again.",
                    code="bad_pack",
                )
        try:
            self._inner = WhisperModel(
                str(pack.folder),
                device=device,
                compute_type=compute_type,
                cpu_threads=threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise Misconfigured(
                f"语言包 {pack.folder} 无法加载：{error}",
                f"The language pack {pack.folder} does not load: {error}",
                code="bad_pack",
            ) from error
        self._model = self._inner.model
        if not self._model.is_multilingual:
            raise Misconfigured(
                f"语言包 {pack.folder} 的词表不是多语言形式（缺少空词条）。",
                f"The vocabulary of the pack {pack.folder} is not of the multilingual form "
                "(no token is the empty string).",
                code="bad_pack",
            )
        self._tokenizers = {
            language.tag: PackTokenizer(self._inner.hf_tokenizer, language.tag, language.token)
            for language in pack.languages
        }
        self._suppressed = list(get_suppressed_tokens(next(iter(self._tokenizers.values())), [-1]))

    @property
    def device(self) -> str:
        """Give where the model runs: cpu or cuda."""
        return str(self._model.device)

    @property
    def compute_type(self) -> str:
        """Give the arithmetic in use, as CTranslate2 names it."""
        return str(self._model.compute_type)

    @property
    def plain(self) -> WhisperModel:
        """Give faster-whisper's own model on the same weights, for comparisons."""
        return self._inner

    def tokenizer(self, tag: str) -> PackTokenizer:
        """Give the tokenizer of a language of the pack."""
        return self._tokenizers[tag]

    def window_frames(self, seconds: float, buckets: Sequence[float] = BUCKETS_SECONDS) -> int:
        """Choose the window for this much sound, by the pack's floor and margin."""
        thresholds = self.pack.thresholds
        wanted = max(thresholds.window_floor_seconds, seconds + thresholds.window_margin_seconds)
        fitting = (bucket for bucket in buckets if bucket >= wanted)
        frames = round(next(fitting, LONGEST_WINDOW_SECONDS) * FRAMES_A_SECOND)
        # States of a window this long have the shape of features, and would be encoded again.
        ambiguous = FRAMES_A_STATE * int(self._model.n_mels)
        return frames + FRAMES_A_STATE if frames == ambiguous else frames

    def features(self, samples: Samples) -> NDArray[np.float32]:
        """Compute log-mel features, shape = (n_mels, n_frames), as faster-whisper does."""
        if len(samples) < SHORTEST_SAMPLES:
            samples = np.pad(samples, (0, SHORTEST_SAMPLES - len(samples)))
        mel: NDArray[np.float32] = self._inner.feature_extractor(samples)
        return mel[:, :-1]

    def encode(self, mels: Sequence[NDArray[np.float32]], frames: int) -> list[Encoded]:
        """Encode windows of one length, each padded with zeros after the log-mel scaling.

        On a CPU one at a time, since its encoder is slower on a batch than on its parts; on a GPU
        together.
        """
        at_once = 1 if self.device == "cpu" else len(mels)
        encoded: list[Encoded] = []
        for start in range(0, len(mels), at_once):
            part = mels[start : start + at_once]
            padded = np.stack([_pad(mel, frames) for mel in part])
            view = ctranslate2.StorageView.from_array(np.ascontiguousarray(padded, np.float32))
            states = np.array(self._model.encode(view, to_cpu=True))
            encoded.extend(
                Encoded(own, min(len(own), math.ceil(mel.shape[1] / FRAMES_A_STATE)))
                for own, mel in zip(states, part, strict=True)
            )
        return encoded

    def languages(self, windows: Sequence[Encoded]) -> list[Heard]:
        """Ask the language head about windows of one length."""
        return [self._heard(found) for found in self._model.detect_language(_stack(windows))]

    def _heard(self, found: list[tuple[str, float]]) -> Heard:
        """Restrict probabilities to the pack's languages and keep what was left out."""
        by_token = {token[2:-2]: probability for token, probability in found}
        inside = {one.tag: by_token.get(one.token, 0.0) for one in self.pack.languages}
        total = sum(inside.values())
        candidates = sorted(
            (
                Likely(tag=tag, probability=min(1.0, mass / total if total else 1 / len(inside)))
                for tag, mass in inside.items()
            ),
            key=lambda likely: -likely.probability,
        )
        return Heard(tuple(candidates), outside=float(np.clip(1 - total, 0, 1)))

    def write(
        self,
        windows: Sequence[Encoded],
        tags: Sequence[str],
        *,
        beams: int = 1,
        temperature: float = 0.0,
        most_tokens: int = MOST_TOKENS,
        forced: bool = False,
    ) -> list[Written]:
        """Write the texts of windows of one length, each in its language.

        most_tokens : where writing stops; forced : do not let it end before, for measurements
        """
        prompts = [self._prompt(tag) for tag in tags]
        end = self._tokenizers[tags[0]].eot
        sampling: dict[str, Any] = {"beam_size": beams}
        if temperature > 0:
            sampling = {
                "beam_size": 1,
                "num_hypotheses": SAMPLES_DRAWN,
                "sampling_topk": 0,
                "sampling_temperature": temperature,
            }
        results = self._model.generate(
            _stack(windows),
            prompts,
            max_length=max(2 * most_tokens, most_tokens + len(prompts[0])),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=not forced,
            suppress_tokens=[*self._suppressed, end] if forced else self._suppressed,
            **sampling,
        )
        return [
            self._written(result, tag, most_tokens, temperature, beams)
            for result, tag in zip(results, tags, strict=True)
        ]

    def _prompt(self, tag: str) -> list[int]:
        """Ask for a transcript without times: those come from the alignment."""
        tokenizer = self._tokenizers[tag]
        return [*tokenizer.sot_sequence, tokenizer.no_timestamps]

    def _written(
        self, result: Any, tag: str, most_tokens: int, temperature: float, beams: int
    ) -> Written:
        tokenizer = self._tokenizers[tag]
        sequence = result.sequences_ids[0]
        tokens = tuple(token for token in sequence if token < tokenizer.eot)
        text = tokenizer.decode(tokens).strip()
        # CTranslate2 divides the sum by the length without the end token.
        total = result.scores[0] * len(sequence)
        return Written(
            tokens=tokens,
            steps=len(sequence),
            text=text,
            average_logprob=total / (len(sequence) + 1) if sequence else 0.0,
            no_speech=min(1.0, float(result.no_speech_prob)),
            compression_ratio=get_compression_ratio(text) if text else 0.0,
            cut_off=len(sequence) >= most_tokens,
            temperature=temperature,
            beams=1 if temperature > 0 else beams,
        )

    def align(
        self, windows: Sequence[Encoded], tag: str, texts: Sequence[Sequence[int]]
    ) -> list[tuple[Word, ...]]:
        """Time the words of texts in one language about windows of one length.

        Times are seconds from the start of the window, from the attention of the decoder on the
        sound (dynamic time warping, as in Whisper).
        """
        tokenizer = self._tokenizers[tag]
        alignments = self._inner.find_alignment(
            tokenizer,
            [list(tokens) for tokens in texts],
            _stack(windows),
            [FRAMES_A_STATE * window.content for window in windows],
        )
        timed = []
        for alignment, window in zip(alignments, windows, strict=True):
            merge_punctuations(alignment, PREPENDED, APPENDED)
            timed.append(_words(alignment, window.content / STATES_A_SECOND))
        return timed


def _pad(mel: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Cut or fill up with zeros to a window."""
    return np.pad(mel[:, :frames], ((0, 0), (0, max(0, frames - mel.shape[1]))))


def _stack(windows: Sequence[Encoded]) -> ctranslate2.StorageView:
    """Put windows of one length into one batch."""
    return ctranslate2.StorageView.from_array(np.stack([window.states for window in windows]))


def _words(alignment: list[dict[str, Any]], seconds: float) -> tuple[Word, ...]:
    """Make words with times that never run backwards nor beyond the sound."""
    words: list[Word] = []
    reached = 0.0
    for one in alignment:
        if not one["word"]:
            continue
        start = min(max(float(one["start"]), reached), seconds)
        end = min(max(float(one["end"]), start), seconds)
        probability = float(np.clip(one["probability"], 0, 1))
        words.append(Word(start=start, end=end, text=one["word"], probability=probability))
        reached = end
    return tuple(words)
