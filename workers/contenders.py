"""Those whom the benchmark races: their messages, and what plain faster-whisper makes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from numpy.typing import NDArray
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from transcribe import speech
from transcribe.audio import decode
from transcribe.babble import babble, silence
from transcribe.speech import SAMPLE_RATE, Samples
from transcribe.whisper import MOST_TOKENS
from transcribe.windows import lay
from workers.valkey import Valkey

# Voice messages as they come off the queue: log-normal, a quarter of them silence.
MEDIAN_SECONDS = 15.0
SIGMA = 0.6
SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 60.0
SILENT_SHARE = 0.25
# Between two pauses, on the average: half of it to half as much again.
PHRASE_SECONDS = 4.0
TOKENS_A_SECOND = 5.0
WINDOW_SECONDS = 30.0
PIPELINE_BATCH = 8
BEAMS = {"faster_whisper_beam5": 5, "faster_whisper_beam1": 1}
RQ_SECONDS = 900
ROOT = Path(__file__).resolve().parents[1]

Clips = dict[str, list[tuple[Samples, str]]]


@dataclass(frozen=True)
class Message:
    """One voice message. text : what is said, where known; tag : its language, where known"""

    samples: Samples
    speech_seconds: float
    text: str = ""
    tag: str = ""

    @property
    def seconds(self) -> float:
        """Give its length."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def tokens(self) -> int:
        """Give how many tokens every contender writes about it."""
        return max(4, round(TOKENS_A_SECOND * self.speech_seconds))


def mix(count: int, seed: int, clips: Clips) -> Iterator[Message]:
    """Make messages: of clips with known texts, or of what nobody said where there are none.

    People who tell something pause every few seconds; that is where long messages are cut.
    """
    draw = np.random.default_rng(seed)
    for number in range(count):
        wanted = float(
            np.clip(
                MEDIAN_SECONDS * np.exp(SIGMA * draw.standard_normal()),
                SHORTEST_SECONDS,
                LONGEST_SECONDS,
            )
        )
        spoken = wanted * (1 - SILENT_SHARE)
        if clips:
            yield _joined(clips, spoken, draw)
        else:
            yield Message(_told(wanted, draw, number), spoken)


def _told(wanted: float, draw: np.random.Generator, seed: int) -> Samples:
    """Tell something in phrases with pauses: a breath before and after, the rest in between."""
    spoken, quiet = wanted * (1 - SILENT_SHARE), wanted * SILENT_SHARE
    count = max(1, round(spoken / PHRASE_SECONDS))
    phrases = _parted(spoken, draw.uniform(0.5, 1.5, count))
    pauses = _parted(quiet, draw.uniform(0.5, 1.5, count + 1))
    parts = [silence(pauses[0])]
    for number, (phrase, pause) in enumerate(zip(phrases, pauses[1:], strict=True)):
        parts += [babble(phrase, 1_000 * seed + number), silence(pause)]
    return np.concatenate(parts)


def _parted(total: float, weights: NDArray[np.float64]) -> list[float]:
    """Part seconds by weights."""
    return [float(part) for part in total * weights / weights.sum()]


def read_clips(manifest: Path) -> Clips:
    """Read clips with known texts by language."""
    found: Clips = {}
    for line in manifest.read_text("utf-8").splitlines():
        row = json.loads(line)
        samples = decode(manifest.parent / row["audio"], max_seconds=LONGEST_SECONDS).samples
        found.setdefault(row["language"], []).append((samples, row["text"]))
    return found


def _joined(clips: Clips, spoken: float, draw: np.random.Generator) -> Message:
    """Join clips of one language with pauses until there is so much speech."""
    tag = str(draw.choice(sorted(clips)))
    order = draw.permutation(len(clips[tag]))
    parts: list[Samples] = []
    texts: list[str] = []
    heard = 0.0
    for place in order:
        samples, text = clips[tag][int(place)]
        length = len(samples) / SAMPLE_RATE
        if parts and heard + length > spoken:
            break
        pause = length * SILENT_SHARE / (1 - SILENT_SHARE)
        parts += [samples, silence(pause)]
        texts.append(text)
        heard += length
    return Message(np.concatenate(parts), heard, " ".join(texts), tag)


def plain(model: Any, message: Message, beams: int, *, forced: bool) -> tuple[str, int]:
    """Recognise with `WhisperModel.transcribe`; with forced tokens window by window.

    CTranslate2 writes half of the `max_length` that it is given, so twice the number is asked for.
    """
    if not forced:
        segments, _ = model.transcribe(message.samples, beam_size=beams)
        return " ".join(segment.text for segment in segments), message.tokens
    step = int(WINDOW_SECONDS * SAMPLE_RATE)
    written = 0
    windows = range(0, len(message.samples), step)
    for start in windows:
        part = message.samples[start : start + step]
        share = len(part) / len(message.samples)
        written += _forced_tokens(
            model.transcribe, part, round(share * message.tokens), model, beam_size=beams
        )
    return "", written


def batched(model: Any, message: Message) -> tuple[str, int]:
    """Recognise with `BatchedInferencePipeline`, which batches the windows of one message."""
    windows = max(1, len(lay(0, speech.find(message.samples))))
    each = round(message.tokens / windows)
    transcribe = BatchedInferencePipeline(model).transcribe
    return "", _forced_tokens(transcribe, message.samples, each, model, batch_size=PIPELINE_BATCH)


def _forced_tokens(
    transcribe: Callable[..., Any], samples: Samples, count: int, model: Any, **more: int
) -> int:
    """Write exactly so many tokens a window and count those written."""
    end = model.hf_tokenizer.token_to_id("<|endoftext|>")
    count = min(max(count, 4), MOST_TOKENS - 4)
    segments, _ = transcribe(
        samples,
        temperature=0.0,
        without_timestamps=True,
        condition_on_previous_text=False,
        max_new_tokens=min(2 * count - 4, 444),
        suppress_tokens=[end],
        suppress_blank=False,
        no_speech_threshold=None,
        log_prob_threshold=None,
        compression_ratio_threshold=None,
        **more,
    )
    return sum(len(segment.tokens) for segment in segments)


def save(message: Message, folder: Path, number: int) -> Path:
    """Write the sound of a message for another process."""
    path = folder / f"{number:05}.npy"
    np.save(path, message.samples)
    return path


def rq_job(path: str, folder: str, threads: int, compute_type: str, tokens: int) -> int:
    """Do what a plain RQ job does: load the model, transcribe one message with five beams."""
    model = WhisperModel(folder, device="cpu", compute_type=compute_type, cpu_threads=threads)
    samples = np.load(path)
    message = Message(samples, tokens / TOKENS_A_SECOND)
    return plain(model, message, 5, forced=True)[1]


def rq_fork(
    folder: Path, messages: Sequence[Message], threads: int, compute_type: str, scratch: Path
) -> Callable[[], list[tuple[str, int]]]:
    """Put a job a message into an embedded Valkey; what is returned runs RQ's forking worker."""
    server = Valkey(scratch)
    server.start()
    queue = Queue("bench", connection=Redis.from_url(server.url), serializer=JSONSerializer)
    for number, message in enumerate(messages):
        path = save(message, scratch, number)
        queue.enqueue(
            "workers.contenders.rq_job",
            args=(str(path), str(folder), threads, compute_type, message.tokens),
            job_timeout=RQ_SECONDS,
        )

    def work() -> list[tuple[str, int]]:
        try:
            command = [sys.executable, "-m", "rq.cli", "worker", "--burst", "--quiet"]
            serializer = "rq.serializers.JSONSerializer"
            command += ["--url", server.url, "--serializer", serializer, "bench"]
            subprocess.run(command, check=True, cwd=ROOT)
            if failed := queue.failed_job_registry.count:
                raise RuntimeError(f"{failed} of {len(messages)} jobs failed")
        finally:
            server.stop()
        return [("", message.tokens) for message in messages]

    return work
