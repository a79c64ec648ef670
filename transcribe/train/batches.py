"""From clips to tensors: token sequences, targets of the sound head and of attention."""

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tokenizers
import torch
from torch import Tensor

from transcribe.train import tokens
from transcribe.train.clips import Clip, Stored
from transcribe.train.espeak import Timed
from transcribe.train.features import FRAMES_A_SECOND, WINDOW_FRAMES
from transcribe.train.grammar import bare
from transcribe.whisper import UNSPACED

IGNORED = -100
MAX_TOKENS = 440
_STATES_A_SECOND = FRAMES_A_SECOND // 2


@dataclass(frozen=True)
class Vocabulary:
    """How texts and sounds become numbers."""

    tokenizer: tokenizers.Tokenizer
    prompt: tokens.Prompt
    whisper_codes: dict[str, str]  # Whisper's language code by tag
    sounds: dict[str, int]  # 0 is silence and what is not listed

    def language(self, tag: str) -> int:
        """Return the token of a language."""
        return self.prompt.languages[self.whisper_codes[tag]]


@dataclass(frozen=True)
class Example:
    """One clip as numbers.

    inputs, targets : token ids of equal length; targets are IGNORED where nothing is asked
    spans : for each position the encoder states in which the target token is said, or (-1, -1)
    sounds : class of each encoder state, or None; labels : classes in order for CTC
    """

    stored: Stored
    inputs: tuple[int, ...]
    targets: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    sounds: npt.NDArray[np.int64] | None
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Batch:
    """Examples padded to one size.

    mel : shape = (batch, 80, frames); inputs, targets : shape = (batch, n_tokens)
    spans : shape = (batch, n_tokens, 2); sounds : shape = (batch, frames / 2)
    labels : all CTC labels one after the other, with label_lengths; state_lengths : encoder states
    languages : tag of each row
    """

    mel: Tensor
    inputs: Tensor
    targets: Tensor
    spans: Tensor
    sounds: Tensor
    labels: Tensor
    label_lengths: Tensor
    state_lengths: Tensor
    languages: tuple[str, ...]


def written(text: str, language: str) -> str:
    """Return a text as the decoder writes it: a space first where the language has spaces."""
    return text if language in UNSPACED else f" {text}"


class Examples:
    """Make examples of clips: with or without times, sometimes after a previous text."""

    def __init__(self, vocabulary: Vocabulary, with_times: float, with_previous: float) -> None:
        self.vocabulary = vocabulary
        self.with_times = with_times
        self.with_previous = with_previous

    def of(self, drawn: Sequence[Stored], rng: random.Random) -> list[Example]:
        """Return clips as numbers; the text before one is that of another, as if said before."""
        made = []
        texts: dict[str, str] = {}
        for stored in drawn:
            clip = stored.clip
            earlier = texts.get(clip.language, "") if rng.random() < self.with_previous else ""
            made.append(self.make(stored, rng, earlier))
            if clip.parts:
                texts[clip.language] = clip.parts[-1].text
        return made

    def make(self, stored: Stored, rng: random.Random, earlier: str = "") -> Example:
        """Return one clip as numbers; what is drawn comes from `rng` alone."""
        clip, prompt = stored.clip, self.vocabulary.prompt
        language = self.vocabulary.language(clip.language)
        timed = rng.random() < self.with_times
        if not clip.parts:
            mode = prompt.first_time if timed else prompt.no_times
            return Example(
                stored,
                (prompt.start, language, prompt.transcribe, mode),
                (prompt.no_speech, IGNORED, IGNORED, prompt.end),
                ((-1, -1),) * 4,
                np.zeros(stored.frames // 2, np.int64),
                (),
            )
        body, spans = self._body(clip, timed)
        before = self._before(clip.language, earlier)
        sequence = [*before, prompt.start, language, prompt.transcribe, *body, prompt.end]
        inputs, targets = sequence[:-1], sequence[1:]
        skipped = len(before)
        targets[:skipped] = [IGNORED] * skipped
        every = [(-1, -1)] * (skipped + 2) + spans + [(-1, -1)]
        return Example(
            stored,
            tuple(inputs[:MAX_TOKENS]),
            tuple(targets[:MAX_TOKENS]),
            tuple(every[:MAX_TOKENS]),
            self._frames(stored),
            self._labels(clip),
        )

    def _before(self, language: str, earlier: str) -> list[int]:
        if not earlier:
            return []
        tokenizer = self.vocabulary.tokenizer
        ids = tokenizer.encode(written(earlier, language), add_special_tokens=False).ids
        return [self.vocabulary.prompt.before, *ids[-60:]]

    def _body(self, clip: Clip, timed: bool) -> tuple[list[int], list[tuple[int, int]]]:
        prompt = self.vocabulary.prompt
        ids: list[int] = [] if timed else [prompt.no_times]
        spans: list[tuple[int, int]] = [] if timed else [(-1, -1)]
        words = list(clip.words)
        for part in clip.parts:
            text = written(part.text, clip.language)
            encoded = self.vocabulary.tokenizer.encode(text, add_special_tokens=False)
            own = [w for w in words if part.start - 0.05 <= w.start < part.end + 0.05]
            if timed:
                ids.append(_time(prompt, part.start))
                spans.append((-1, -1))
            ids += encoded.ids
            spans += _spans(text, encoded.offsets, own)
            if timed:
                ids.append(_time(prompt, part.end))
                spans.append((-1, -1))
        return ids, spans

    def _frames(self, stored: Stored) -> npt.NDArray[np.int64] | None:
        if not stored.clip.phones:
            return None
        frames = np.zeros((stored.frames + 1) // 2, np.int64)
        for phone in stored.clip.phones:
            first, last = (round(s * _STATES_A_SECOND) for s in (phone.start, phone.end))
            frames[first : max(first + 1, last)] = self.vocabulary.sounds.get(phone.label, 0)
        return frames

    def _labels(self, clip: Clip) -> tuple[int, ...]:
        if clip.phones:
            return ()
        known = self.vocabulary.sounds
        return tuple(known[c] for p in clip.parts for c in bare(p.text) if c in known)


def _time(prompt: tokens.Prompt, seconds: float) -> int:
    step = round(seconds / tokens.TIME_STEP_SECONDS)
    return prompt.first_time + min(max(step, 0), tokens.TIME_TOKENS - 1)


def _spans(
    text: str, offsets: Sequence[tuple[int, int]], words: Sequence[Timed]
) -> list[tuple[int, int]]:
    """Return in which encoder states each token is said, from the times of the words.

    A token inside a word gets its share of the word's time by its letters.
    """
    place = [(-1.0, -1.0)] * len(text)
    at = 0
    for word in words:
        found = text.find(word.label, at)
        if found < 0:
            return [(-1, -1)] * len(offsets)
        letters = [i for i in range(found, found + len(word.label)) if bare(text[i])]
        step = (word.end - word.start) / max(1, len(letters))
        for order, letter in enumerate(letters):
            place[letter] = (word.start + order * step, word.start + (order + 1) * step)
        at = found + len(word.label)
    spans = []
    for first, last in offsets:
        inside = [place[i] for i in range(first, min(last, len(text))) if place[i][0] >= 0]
        if inside:
            start = int(inside[0][0] * _STATES_A_SECOND)
            spans.append((start, max(start + 1, round(inside[-1][1] * _STATES_A_SECOND))))
        else:
            spans.append((-1, -1))
    return spans


def sounds_of(clips: Sequence[Clip], most: int = 4000) -> dict[str, int]:
    """List the sounds of clips: their phones, or where they have none their texts' letters."""
    labels = {p.label for clip in clips for p in clip.phones if not p.label.startswith("_")}
    if not labels:
        labels = {c for clip in clips for p in clip.parts for c in bare(p.text)}
    return {label: number for number, label in enumerate(sorted(labels)[:most], start=1)}


def collate(
    examples: Sequence[Example],
    pad_token: int,
    rng: random.Random,
    whole_window: bool,
    masked: bool = True,
) -> Batch:
    """Pad examples to one size with zeros, as faster-whisper does; mask small bands in training."""
    longest = max(e.stored.frames for e in examples)
    frames = WINDOW_FRAMES if whole_window else min(WINDOW_FRAMES, longest + rng.randrange(0, 60))
    frames = min(WINDOW_FRAMES, frames + -frames % 64)
    mels = examples[0].stored.features().shape[1]
    mel = np.zeros((len(examples), frames, mels), np.float32)
    states = frames // 2
    width = max(len(e.inputs) for e in examples)
    inputs = np.full((len(examples), width), pad_token)
    targets = np.full((len(examples), width), IGNORED)
    spans = np.full((len(examples), width, 2), -1)
    sounds = np.full((len(examples), states), IGNORED)
    for row, example in enumerate(examples):
        features = example.stored.features()[:frames]
        loud = features.astype(np.float32)
        mel[row, : len(features)] = _masked(loud, rng) if masked else loud
        inputs[row, : len(example.inputs)] = example.inputs
        targets[row, : len(example.targets)] = example.targets
        spans[row, : len(example.spans)] = example.spans
        if example.sounds is not None:
            sounds[row] = 0
            sounds[row, : min(states, len(example.sounds))] = example.sounds[:states]
    return Batch(
        mel=torch.from_numpy(mel).transpose(1, 2).contiguous(),
        inputs=torch.from_numpy(inputs),
        targets=torch.from_numpy(targets),
        spans=torch.from_numpy(spans),
        sounds=torch.from_numpy(sounds),
        labels=torch.tensor([x for e in examples for x in e.labels], dtype=torch.long),
        label_lengths=torch.tensor([len(e.labels) for e in examples]),
        state_lengths=torch.tensor([min(states, e.stored.frames // 2) for e in examples]),
        languages=tuple(e.stored.clip.language for e in examples),
    )


def _masked(mel: npt.NDArray[np.float32], rng: random.Random) -> npt.NDArray[np.float32]:
    """Blank small bands of frequency and time (Park et al., 2019); shape = (n_frames, mels)."""
    if rng.random() < 0.5:
        width = rng.randrange(0, 14)
        low = rng.randrange(0, mel.shape[1] - width)
        mel[:, low : low + width] = 0
    for _ in range(len(mel) // 200):
        width = rng.randrange(0, 10)
        start = rng.randrange(0, max(1, len(mel) - width))
        mel[start : start + width] = 0
    return mel


def rounds(
    stored: Sequence[Stored],
    frames: int,
    rng: random.Random,
    size: int,
    weights: Mapping[str, float] | None = None,
) -> Iterator[list[Stored]]:
    """Draw `size` clips, sort them by length, yield batches of at most `frames` in any order.

    weights : chance of a clip by its language, 1 where none is given
    """
    known = weights or {}
    # The largest u^(1/w) are a sample without replacement (Efraimidis and Spirakis, 2006).
    keys = [rng.random() ** (1 / known.get(clip.clip.language, 1.0)) for clip in stored]
    drawn = [stored[i] for i in heapq.nlargest(size, range(len(stored)), key=keys.__getitem__)]
    drawn.sort(key=lambda clip: clip.frames)
    batches: list[list[Stored]] = [[]]
    for clip in drawn:
        if batches[-1] and (len(batches[-1]) + 1) * clip.frames > frames:
            batches.append([])
        batches[-1].append(clip)
    rng.shuffle(batches)
    yield from batches
