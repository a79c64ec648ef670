"""What this machine can do: the engine against plain faster-whisper, side by side in one run.

A model of random weights in a stock shape costs what the real one costs; a real pack also shows
what is written. Every contender writes the same number of tokens, at temperature 0 (random weights
score so low that faster-whisper would decode six times, and the ratio would be for nothing).
Contenders take turns message by message, so that whatever else runs on the machine hits all alike.
"""

from __future__ import annotations

import itertools
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from pydantic import Field

from models.packs import Pack
from models.packs import read as read_pack
from models.transcript import Frozen, Recognition
from transcribe import shapes, speech, tagger
from transcribe.audio import Audio, decode
from transcribe.babble import babble, silence
from transcribe.engine import Options, Request, WhisperEngine
from transcribe.listening import listening_copy
from transcribe.shapes import SHAPES, Shape
from transcribe.sound import measure, peaks
from transcribe.whisper import STATES_A_SECOND, Whisper
from transcribe.windows import lay
from workers.contenders import (
    BEAMS,
    TOKENS_A_SECOND,
    Clips,
    Message,
    batched,
    mix,
    plain,
    read_clips,
    rq_fork,
    save,
)

# Messages that the warm worker takes off the queue at a time.
DRAINED = 16
MEDIA_SECONDS = 15.0
# A matrix multiplication so wide that nothing else counts, to learn what the machine can do.
WIDE = Shape(2_048, 16, 1, 1, text_tokens=300, languages=1)
WIDE_SECONDS = 6.0
CONTENDERS = ("faster_whisper_beam5", "faster_whisper_beam1", "batched_pipeline", "rq_fork")


class Cost(Frozen):
    """What a contender took for its messages."""

    messages: int
    wall_seconds: float
    processor_seconds: float
    tokens: int
    messages_per_hour: float
    sound_seconds_a_second: float
    processor_seconds_a_minute: float
    cer: float | None = None


class Ratio(Frozen):
    """How many times faster the engine is, by wall clock and by processor time."""

    wall: float
    processor: float


class Report(Frozen):
    """What the benchmark found.

    messages_per_hour : of the engine with no second decoding; again : with one message in ten
    decoded a second time
    ratio : by contender, of messages an hour; processor_ratio : of processor time
    limit_share : operations counted from the shapes over the matrix speed measured in this run
    media_ms : processor time to decode, find speech, make the copy and peaks of 15 s of sound
    """

    model: str
    threads: int
    batch: int
    compute_type: str
    device: str
    load: float = Field(description="of the machine when the run began; over its cores, distorted")
    mix: dict[str, float]
    messages_per_hour: float
    messages_per_hour_again: float | None
    ratio: dict[str, float]
    ratio_again: dict[str, float]
    processor_ratio: dict[str, float]
    limit_share: float
    matrix_gops: float
    peak_rss_mb: float
    media_ms: float
    cer: float | None
    costs: dict[str, Cost]
    two_workers: float | None = Field(
        None, description="messages an hour of two workers with a thread each over one with two"
    )


@dataclass(frozen=True)
class Plan:
    """What to run.

    shape : of random weights, or pack : a folder with real ones
    against : contenders; workers : also compare two workers with one
    heldout : manifest with clips whose texts are known, for a pack
    """

    shape: str = ""
    pack: Path | None = None
    messages: int = 32
    threads: int = 0
    batch: int = 0
    device: str = "cpu"
    compute_type: str = "int8"
    against: tuple[str, ...] = CONTENDERS
    again: bool = True
    workers: bool = True
    heldout: Path | None = None
    seed: int = 1


@dataclass
class _Clock:
    """Add up what a contender takes over its turns."""

    wall: float = 0.0
    processor: float = 0.0
    sound: float = 0.0
    messages: int = 0
    tokens: int = 0
    errors: int = 0
    characters: int = 0
    texts: list[str] = field(default_factory=list)

    def run(
        self, messages: Sequence[Message], work: Callable[[], Sequence[tuple[str, int]]]
    ) -> None:
        """Time one turn; `work` gives the text and the number of tokens of each message."""
        wall, processor = time.perf_counter(), _processor_seconds()
        done = work()
        self.wall += time.perf_counter() - wall
        self.processor += _processor_seconds() - processor
        self.sound += sum(message.seconds for message in messages)
        self.messages += len(messages)
        self.tokens += sum(tokens for _, tokens in done)
        for message, (text, _) in zip(messages, done, strict=True):
            self.texts.append(text)
            if message.text:
                self.errors += _edits(message.text, text)
                self.characters += len(_bare(message.text))

    def cost(self) -> Cost:
        """Sum up."""
        wall = max(self.wall, 1e-9)
        return Cost(
            messages=self.messages,
            wall_seconds=round(self.wall, 3),
            processor_seconds=round(self.processor, 3),
            tokens=self.tokens,
            messages_per_hour=round(3_600 * self.messages / wall, 1),
            sound_seconds_a_second=round(self.sound / wall, 2),
            processor_seconds_a_minute=round(60 * self.processor / max(self.sound, 1e-9), 2),
            cer=round(self.errors / self.characters, 5) if self.characters else None,
        )


def run(plan: Plan, tell: Callable[[str], None] = lambda line: None) -> Report:
    """Run the benchmark; `tell` is given a line whenever something is done."""
    load = os.getloadavg()[0]
    threads = plan.threads or os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        pack, shape = _model(plan, Path(folder))
        messages = list(mix(plan.messages, plan.seed, _clips(plan)))
        tell(f"{pack.label}: {len(messages)} messages, {sum(m.seconds for m in messages):.0f} s")
        whisper = Whisper(pack, device=plan.device, compute_type=plan.compute_type, threads=threads)
        bench = _Bench(plan, whisper, pack, messages)
        bench.warm()
        clocks = bench.race(tell)
        if "rq_fork" in plan.against:
            work = rq_fork(pack.folder, messages, threads, plan.compute_type, Path(folder))
            clocks["rq_fork"] = _Clock()
            clocks["rq_fork"].run(messages, work)
            tell("rq_fork done")
        two = _two_workers(pack, messages, plan, threads) if plan.workers and threads > 1 else None
        gops = matrix_gops(threads, plan.compute_type, Path(folder))
    costs = {name: clock.cost() for name, clock in clocks.items()}
    engine, again = costs["engine"], costs.get("engine_again")
    operations = sum(_operations(message, whisper, shape) for message in messages)
    return Report(
        model=pack.label,
        threads=threads,
        batch=bench.engine.batch,
        compute_type=whisper.compute_type,
        device=whisper.device,
        load=round(load, 2),
        mix=_described(messages),
        messages_per_hour=engine.messages_per_hour,
        messages_per_hour_again=again.messages_per_hour if again else None,
        ratio=_ratios(engine, costs, lambda cost: cost.wall_seconds),
        ratio_again=_ratios(again, costs, lambda cost: cost.wall_seconds) if again else {},
        processor_ratio=_ratios(engine, costs, lambda cost: cost.processor_seconds),
        limit_share=round(operations / 1e9 / gops / engine.wall_seconds, 3),
        matrix_gops=round(gops, 1),
        peak_rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        media_ms=round(media_ms(), 1),
        cer=engine.cer,
        costs=costs,
        two_workers=two,
    )


def _model(plan: Plan, folder: Path) -> tuple[Pack, Shape | None]:
    """Read the pack, or build random weights in a shape."""
    if plan.pack is not None:
        return read_pack(plan.pack), None
    shape = SHAPES[plan.shape or "small"]
    built = shapes.build(shape, folder / "model")
    named = shapes.random_pack(built, tags=("zh", "yue", "kk", "ko"))
    return named.model_copy(update={"name": f"random {plan.shape or 'small'}"}), shape


def _clips(plan: Plan) -> Clips:
    """Read the clips of a plan, which only a real pack understands."""
    if plan.pack is None or plan.heldout is None:
        return {}
    return read_clips(plan.heldout)


class _Bench:
    """Contenders on one model that is loaded once."""

    def __init__(
        self, plan: Plan, whisper: Whisper, pack: Pack, messages: Sequence[Message]
    ) -> None:
        self._plan = plan
        self._whisper = whisper
        self._messages = messages
        self._forced = plan.pack is None
        rate = TOKENS_A_SECOND if self._forced else None
        witness = tagger.load(pack.folder)
        self.engine = WhisperEngine(
            whisper,
            witness,
            Options(
                batch=plan.batch,
                again="never" if self._forced else "poor",
                forced_tokens_a_second=rate,
            ),
        )
        self._again = WhisperEngine(
            whisper,
            witness,
            Options(batch=plan.batch, again="tenth", forced_tokens_a_second=rate),
        )

    def warm(self) -> None:
        """Run everything once on something short, so that no first call is timed."""
        short = Message(babble(3.0), 3.0)
        self._recognise(self.engine, [short])
        for name in self._plan.against:
            if name != "rq_fork":
                self._contender(name, short)

    def race(self, tell: Callable[[str], None]) -> dict[str, _Clock]:
        """Let all take turns over the messages."""
        clocks: dict[str, _Clock] = {"engine": _Clock()}
        again = self._plan.again and self._forced
        alone = [name for name in self._plan.against if name != "rq_fork"]
        for start in range(0, len(self._messages), DRAINED):
            part = self._messages[start : start + DRAINED]
            clocks["engine"].run(part, partial(self._recognise, self.engine, part))
            if again:
                clock = clocks.setdefault("engine_again", _Clock())
                clock.run(part, partial(self._recognise, self._again, part))
            for name, message in itertools.product(alone, part):
                clock = clocks.setdefault(name, _Clock())
                clock.run([message], partial(self._one, name, message))
            tell(f"{start + len(part)} of {len(self._messages)} messages")
        return clocks

    def _recognise(
        self, engine: WhisperEngine, messages: Sequence[Message]
    ) -> list[tuple[str, int]]:
        outcomes = engine.recognise([Request(message.samples) for message in messages])
        done = []
        for message, outcome in zip(messages, outcomes, strict=True):
            if not isinstance(outcome, Recognition):
                raise outcome
            done.append((outcome.text, message.tokens))
        return done

    def _one(self, name: str, message: Message) -> list[tuple[str, int]]:
        return [self._contender(name, message)]

    def _contender(self, name: str, message: Message) -> tuple[str, int]:
        if name == "batched_pipeline":
            return batched(self._whisper.plain, message, forced=self._forced)
        return plain(self._whisper.plain, message, BEAMS[name], forced=self._forced)


def _operations(message: Message, whisper: Whisper, shape: Shape | None) -> float:
    """Count the operations that one message needs in the windows that the engine chooses."""
    shape = shape or _shape_of(whisper)
    needed = 0.0
    for window in lay(0, speech.find(message.samples)):
        states = whisper.window_frames(window.seconds) // 2
        tokens = round(TOKENS_A_SECOND * window.seconds)
        needed += shape.encoder_operations(states) + shape.decoder_operations(states, tokens)
    return needed


def _shape_of(whisper: Whisper) -> Shape:
    """Read a pack's sizes: layers by their names in the model file, the width by what comes out."""
    content = (whisper.pack.folder / "model.bin").read_bytes()
    layers = {
        part: len(set(re.findall(part + rb"/layer_(\d+)/", content)))
        for part in (b"encoder", b"decoder")
    }
    mel = whisper.features(silence(1.0))
    width = whisper.encode([mel], 2 * len(mel) + 2)[0].states.shape[1]
    end = whisper.tokenizer(whisper.pack.tags[0]).eot
    return Shape(
        width=int(width),
        heads=1,
        encoder_layers=layers[b"encoder"],
        decoder_layers=layers[b"decoder"],
        mels=len(mel),
        text_tokens=int(end),
        languages=len(whisper.pack.tags),
    )


def matrix_gops(threads: int, compute_type: str, folder: Path) -> float:
    """Measure the speed of matrix multiplication with this arithmetic, in 1e9 operations a second.

    The best of several encodings by one very wide layer, in which nothing else takes time.
    """
    import ctranslate2

    model = ctranslate2.models.Whisper(
        str(shapes.build(WIDE, folder / "wide")), compute_type=compute_type, intra_threads=threads
    )
    states = int(WIDE_SECONDS * STATES_A_SECOND)
    sound = np.zeros((1, WIDE.mels, 2 * states), np.float32)
    features = ctranslate2.StorageView.from_array(sound)
    model.encode(features)
    best = min(_timed(lambda: model.encode(features)) for _ in range(5))
    return WIDE.encoder_operations(states) / best / 1e9


def media_ms() -> float:
    """Measure what `prepare` does to MEDIA_SECONDS of sound, in processor milliseconds."""
    sound = np.concatenate([babble(MEDIA_SECONDS * 0.75), silence(MEDIA_SECONDS * 0.25)])
    content, _ = listening_copy(Audio(sound), disguised=False)
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        path = Path(folder) / "message.m4a"
        path.write_bytes(content)
        taken = []
        for _ in range(4):
            start = time.process_time()
            audio = decode(path, max_seconds=60)
            spans = speech.find(audio.samples)
            measure(audio, spans)
            listening_copy(audio, disguised=False, spans=spans)
            peaks(audio)
            taken.append(time.process_time() - start)
    return 1_000 * min(taken)


def _two_workers(pack: Pack, messages: Sequence[Message], plan: Plan, threads: int) -> float:
    """Compare two processes of half the threads each with one process of all."""
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        paths = [save(message, Path(folder), n) for n, message in enumerate(messages)]
        one = _alone([paths], pack, plan, threads)
        two = _alone([paths[::2], paths[1::2]], pack, plan, max(1, threads // 2))
    return round(one / two, 3)


def _alone(shares: Sequence[Sequence[Path]], pack: Pack, plan: Plan, threads: int) -> float:
    """Time processes that start together and each recognise their share; loading not counted."""
    commands = [
        [
            *(sys.executable, "-m", "workers.bench", str(pack.folder), str(threads)),
            *(plan.device, plan.compute_type, str(plan.batch), *map(str, share)),
        ]
        for share in shares
    ]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    start = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return time.perf_counter() - start


def share(arguments: Sequence[str]) -> None:
    """Be one of the processes of `_alone`: load, say so, wait for the word, recognise."""
    folder, threads, device, compute_type, batch, *paths = arguments
    pack = _read(Path(folder))
    whisper = Whisper(pack, device=device, compute_type=compute_type, threads=int(threads))
    options = Options(batch=int(batch), again="never", forced_tokens_a_second=TOKENS_A_SECOND)
    engine = WhisperEngine(whisper, None, options)
    requests = [Request(np.load(path)) for path in paths]
    engine.recognise([Request(babble(3.0))])
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, len(requests), DRAINED):
        engine.recognise(requests[start : start + DRAINED])


def _read(folder: Path) -> Pack:
    """Read a pack, or take a folder without a page for a random Whisper."""
    if (folder / "pack.toml").is_file():
        return read_pack(folder)
    return shapes.random_pack(folder, tags=("zh", "yue", "kk", "ko"))


def _processor_seconds() -> float:
    """Give the processor time of this process and its ended children."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _ratios(
    engine: Cost, costs: dict[str, Cost], measure: Callable[[Cost], float]
) -> dict[str, float]:
    """Give how many times what the engine takes each contender takes."""
    return {
        name: round(measure(costs[name]) / max(measure(engine), 1e-9), 2)
        for name in CONTENDERS
        if name in costs
    }


def _described(messages: Sequence[Message]) -> dict[str, float]:
    lengths = [message.seconds for message in messages]
    return {
        "messages": len(messages),
        "seconds": round(sum(lengths), 1),
        "median_seconds": round(float(np.median(lengths)), 1),
        "speech_seconds": round(sum(message.speech_seconds for message in messages), 1),
        "tokens_a_second": TOKENS_A_SECOND,
    }


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _edits(truth: str, written: str) -> int:
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(_bare(truth), _bare(written)))


def draw(report: Report, path: Path) -> None:
    """Draw messages an hour of all contenders as bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(report.costs)
    figure, axes = pyplot.subplots(figsize=(8, 0.6 * len(names) + 1.4))
    bars = axes.barh(names, [report.costs[name].messages_per_hour for name in names])
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("messages an hour")
    axes.set_title(f"{report.model}, {report.compute_type}, {report.threads} threads")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def soak(plan: Plan, messages: int, tell: Callable[[str], None] = lambda line: None) -> list[float]:
    """Recognise many messages and give the resident memory in MB after each tenth of them."""
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        pack, _ = _model(plan, Path(folder))
        whisper = Whisper(
            pack, device=plan.device, compute_type=plan.compute_type, threads=plan.threads or 1
        )
        engine = WhisperEngine(
            whisper, None, Options(again="never", forced_tokens_a_second=TOKENS_A_SECOND)
        )
        sounds = list(mix(plan.messages, plan.seed, _clips(plan)))
        memory = []
        for done in range(0, messages, DRAINED):
            part = [sounds[(done + n) % len(sounds)] for n in range(DRAINED)]
            engine.recognise([Request(one.samples) for one in part])
            if (done // DRAINED) % max(1, messages // DRAINED // 10) == 0:
                memory.append(round(psutil.Process().memory_info().rss / 2**20, 1))
                tell(f"{done + DRAINED} messages, {memory[-1]} MB")
        return memory


if __name__ == "__main__":
    share(sys.argv[1:])
