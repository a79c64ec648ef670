"""What this machine can do: the engine against plain faster-whisper, side by side in one run.

A model of random weights in a stock shape costs what the real one costs; a real pack also shows
what is written. Every contender writes the same number of tokens, at temperature 0 (random weights
score so low that faster-whisper would decode six times, and the ratio would be for nothing).
The engine runs as an installation does, in a worker a core, beside one worker with all of them.
Contenders take turns over the same messages, so that whatever else runs on the machine hits all
alike.
How well texts are read is measured apart from that, with decoding as it comes.
"""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from models.packs import Pack
from models.packs import read as read_pack
from models.transcript import Frozen
from transcribe import shapes, speech, tagger
from transcribe.babble import babble, silence
from transcribe.engine import BATCH, Options, Request, WhisperEngine
from transcribe.shapes import SHAPES, Shape
from transcribe.whisper import Whisper
from transcribe.windows import fill_seconds, lay
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
)
from workers.crew import RANDOM_TAGS, Crew, Setup, recognise
from workers.machine import matrix_gops, media_ms
from workers.soak import Soak, soak
from workers.timing import Clock, Cost
from workers.transcribe import MOST_JOBS

CONTENDERS = ("faster_whisper_beam5", "faster_whisper_beam1", "batched_pipeline", "rq_fork")
# Clips that the error rates are measured on: so many, spread evenly over those there are.
CLIPS = 110
TENTH = 10  # one message in so many is decoded a second time


class Report(Frozen):
    """What the benchmark found.

    messages_per_hour : of the engine with no second decoding; again : with one message in ten
    decoded a second time (again_share says how many were)
    ratio : by contender, of messages an hour; processor_ratio : of processor time
    limit_share : operations counted from the shapes over the matrix speed measured in this run
    media_ms : processor time to decode, find speech, make the copy and peaks of 15 s of sound
    two_workers : messages an hour of as many workers of one thread over those of one with all
    peak_rss_mb : of all processes with an engine together
    cer : of the engine on clips with known texts; cer_beam5 : of plain faster-whisper on the same
    """

    model: str
    workers: int
    threads: int
    batch: int
    drained: int
    compute_type: str
    device: str
    load: float = Field(description="of the machine when the run began; over its cores, distorted")
    mix: dict[str, float]
    messages_per_hour: float
    messages_per_hour_again: float | None
    again_share: float | None
    ratio: dict[str, float]
    ratio_again: dict[str, float]
    processor_ratio: dict[str, float]
    processor_ratio_again: dict[str, float]
    limit_share: float
    matrix_gops: float
    peak_rss_mb: float
    media_ms: float
    two_workers: float | None
    cer: float | None
    cer_beam5: float | None
    costs: dict[str, Cost]


@dataclass(frozen=True)
class Plan:
    """What to run.

    shape : of random weights, or pack : a folder with real ones
    against : contenders; workers : of one thread each, 0 for one a thread (one in all on a GPU)
    single : also compare them with one worker that has all threads
    heldout : manifest with clips whose texts are known, for a pack
    floor, margin : of the windows in seconds, in place of what the pack says
    """

    shape: str = ""
    pack: Path | None = None
    messages: int = 40
    threads: int = 0
    batch: int = 0
    device: str = "cpu"
    compute_type: str = "int8"
    against: tuple[str, ...] = CONTENDERS
    again: bool = True
    workers: int = 0
    single: bool = True
    heldout: Path | None = None
    floor: float | None = None
    margin: float | None = None
    seed: int = 1

    @property
    def used_threads(self) -> int:
        """Give the threads, all cores' by default."""
        return self.threads or os.cpu_count() or 1

    @property
    def used_workers(self) -> int:
        """Give the workers, one a thread by default; a GPU is better kept busy by one alone."""
        return self.workers or (1 if self.device == "cuda" else self.used_threads)


def run(plan: Plan, tell: Callable[[str], None] = lambda line: None) -> Report:
    """Run the benchmark; `tell` is given a line whenever something is done."""
    load, threads = os.getloadavg()[0], plan.used_threads
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        pack, shape = _model(plan, Path(folder))
        clips = read_clips(plan.heldout) if plan.pack and plan.heldout else {}
        # Forced to a length, no text is worth comparing: that is done on the clips.
        messages = [replace(one, text="") for one in mix(plan.messages, plan.seed, clips)]
        tell(f"{pack.label}: {len(messages)} messages, {sum(m.seconds for m in messages):.0f} s")
        whisper = _whisper(plan, pack)
        with _Race(plan, whisper, messages, Path(folder)) as race:
            race.warm()
            clocks = race.run(tell)
            peak = race.engine.peak_mb
        if "rq_fork" in plan.against:
            work = rq_fork(pack.folder, messages, threads, plan.compute_type, Path(folder))
            clocks["rq_fork"] = Clock()
            clocks["rq_fork"].run(messages, work)
            tell("rq_fork done")
        read = _read(whisper, clips, plan, tell)
        gops = matrix_gops(threads, plan.compute_type, Path(folder))
    costs = {name: clock.cost() for name, clock in (clocks | read).items()}
    engine, again = costs["engine"], costs.get("engine_again")
    single = costs.get("engine_one_worker")
    operations = sum(_operations(message, whisper, shape) for message in messages)
    return Report(
        model=pack.label,
        workers=plan.used_workers,
        threads=threads,
        batch=plan.batch or BATCH[whisper.device],
        drained=MOST_JOBS[whisper.device],
        compute_type=whisper.compute_type,
        device=whisper.device,
        load=round(load, 2),
        mix=_described(messages, pack),
        messages_per_hour=engine.messages_per_hour,
        messages_per_hour_again=again.messages_per_hour if again else None,
        again_share=round(race.again / len(messages), 3) if again else None,
        ratio=_ratios(engine, costs, lambda cost: cost.wall_seconds),
        ratio_again=_ratios(again, costs, lambda cost: cost.wall_seconds) if again else {},
        processor_ratio=_ratios(engine, costs, lambda cost: cost.processor_seconds),
        processor_ratio_again=_ratios(again, costs, lambda cost: cost.processor_seconds)
        if again
        else {},
        limit_share=round(operations / 1e9 / gops / engine.wall_seconds, 3),
        matrix_gops=round(gops, 1),
        peak_rss_mb=peak,
        media_ms=round(media_ms(), 1),
        two_workers=round(single.wall_seconds / engine.wall_seconds, 3) if single else None,
        cer=costs["engine_clips"].cer if read else None,
        cer_beam5=costs["faster_whisper_beam5_clips"].cer if read else None,
        costs=costs,
    )


def steep(plan: Plan, messages: int, tell: Callable[[str], None] = lambda line: None) -> Soak:
    """Recognise many messages with one engine and watch its memory."""
    with tempfile.TemporaryDirectory(prefix="xiangyin-bench-") as folder:
        pack, _ = _model(plan, Path(folder))
        whisper = _whisper(plan, pack)
        engine = WhisperEngine(
            whisper, tagger.load(pack.folder), _options(plan, "never", TOKENS_A_SECOND)
        )
        return soak(engine, whisper.device, mix(messages, plan.seed, {}), messages, tell)


def _whisper(plan: Plan, pack: Pack) -> Whisper:
    return Whisper(
        pack, device=plan.device, compute_type=plan.compute_type, threads=plan.used_threads
    )


def _options(plan: Plan, again: Literal["poor", "never"], rate: float | None) -> Options:
    return Options(batch=plan.batch, again=again, forced_tokens_a_second=rate)


def _changed(plan: Plan) -> dict[str, float]:
    wanted = {"window_floor_seconds": plan.floor, "window_margin_seconds": plan.margin}
    return {name: value for name, value in wanted.items() if value is not None}


def _model(plan: Plan, folder: Path) -> tuple[Pack, Shape | None]:
    """Read the pack, or build random weights in a shape; windows as the plan says."""
    shape = None
    if plan.pack is not None:
        pack = read_pack(plan.pack)
    else:
        name = plan.shape or "small"
        shape = SHAPES[name]
        built = shapes.build(shape, folder / "model")
        pack = shapes.random_pack(built, tags=RANDOM_TAGS)
        pack = pack.model_copy(update={"name": f"random {name}"})
    thresholds = pack.thresholds.model_copy(update=_changed(plan))
    return pack.model_copy(update={"thresholds": thresholds}), shape


class _Race:
    """Contenders over the same messages, each loaded once.

    engine : the workers of an installation; again : messages that they decoded a second time
    """

    def __init__(
        self, plan: Plan, whisper: Whisper, messages: Sequence[Message], scratch: Path
    ) -> None:
        self._plan = plan
        self._whisper = whisper
        self._messages = messages
        self.again = 0
        self._open = ExitStack()
        one = Setup(
            folder=str(whisper.pack.folder),
            thresholds=_changed(plan),
            threads=1 if plan.used_workers > 1 else plan.used_threads,
            device=plan.device,
            compute_type=plan.compute_type,
            batch=plan.batch,
            again=True,
        )
        self.engine = self._open.enter_context(Crew(one, plan.used_workers, scratch))
        self._single: Crew | None = None
        if plan.single and plan.used_workers > 1:
            all_threads = replace(one, threads=plan.used_threads)
            self._single = self._open.enter_context(Crew(all_threads, 1, scratch))

    def __enter__(self) -> _Race:
        return self

    def __exit__(self, *why: object) -> None:
        self._open.close()

    def warm(self) -> None:
        """Let the contenders in this process do something short, so that no first call is timed."""
        short = Message(babble(3.0), 3.0)
        for name in self._plan.against:
            if name != "rq_fork":
                self._contender(name, short)

    def run(self, tell: Callable[[str], None]) -> dict[str, Clock]:
        """Let all take turns over the messages."""
        clocks = {"engine": Clock()}
        alone = [name for name in self._plan.against if name != "rq_fork"]
        drained = MOST_JOBS[self._whisper.device] * self._plan.used_workers
        for start in range(0, len(self._messages), drained):
            part = self._messages[start : start + drained]
            clocks["engine"].run(part, partial(self.engine.recognise, part))
            if self._plan.again:
                marked = [
                    number % TENTH == TENTH // 2 for number in range(start, start + len(part))
                ]
                self.again += sum(marked)
                clock = clocks.setdefault("engine_again", Clock())
                clock.run(part, partial(self.engine.recognise, part, marked))
            if self._single:
                clock = clocks.setdefault("engine_one_worker", Clock())
                clock.run(part, partial(self._single.recognise, part))
            for name, message in itertools.product(alone, part):
                clock = clocks.setdefault(name, Clock())
                clock.run([message], partial(self._one, name, message))
            tell(f"{start + len(part)} of {len(self._messages)} messages")
        return clocks

    def _one(self, name: str, message: Message) -> list[tuple[str, int]]:
        return [self._contender(name, message)]

    def _contender(self, name: str, message: Message) -> tuple[str, int]:
        if name == "batched_pipeline":
            return batched(self._whisper.plain, message)
        return plain(self._whisper.plain, message, BEAMS[name], forced=True)


def _read(
    whisper: Whisper, clips: Clips, plan: Plan, tell: Callable[[str], None]
) -> dict[str, Clock]:
    """Let the engine and plain faster-whisper read clips as they come, nothing forced."""
    listed = [
        Message(samples, len(samples) / speech.SAMPLE_RATE, text, tag)
        for tag, own in clips.items()
        for samples, text in own
    ]
    if not listed:
        return {}
    listed = listed[:: -(-len(listed) // CLIPS)]
    engine = WhisperEngine(whisper, tagger.load(whisper.pack.folder), _options(plan, "poor", None))
    clocks = {"engine_clips": Clock(), "faster_whisper_beam5_clips": Clock()}
    drained = MOST_JOBS[whisper.device]
    for start in range(0, len(listed), drained):
        part = listed[start : start + drained]
        clocks["engine_clips"].run(part, partial(_recognise, engine, part))
        clocks["faster_whisper_beam5_clips"].run(part, partial(_plainly, whisper, part))
    tell(f"{len(listed)} clips read")
    return clocks


def _recognise(engine: WhisperEngine, part: Sequence[Message]) -> list[tuple[str, int]]:
    return recognise(engine, [Request(message.samples) for message in part])


def _plainly(whisper: Whisper, part: Sequence[Message]) -> list[tuple[str, int]]:
    """Read messages as faster-whisper by itself would, one after the other."""
    return [plain(whisper.plain, one, 5, forced=False) for one in part]


def _operations(message: Message, whisper: Whisper, shape: Shape | None) -> float:
    """Count the operations that one message needs in the windows that the engine chooses."""
    shape = shape or _shape_of(whisper)
    needed = 0.0
    fill = fill_seconds(whisper.pack.thresholds)
    for window in lay(0, speech.find(message.samples), fill):
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


def _ratios(
    engine: Cost, costs: dict[str, Cost], measure: Callable[[Cost], float]
) -> dict[str, float]:
    """Give how many times what the engine takes each contender takes."""
    return {
        name: round(measure(costs[name]) / max(measure(engine), 1e-9), 2)
        for name in CONTENDERS
        if name in costs
    }


def _described(messages: Sequence[Message], pack: Pack) -> dict[str, float]:
    lengths = [message.seconds for message in messages]
    return {
        "messages": len(messages),
        "seconds": round(sum(lengths), 1),
        "median_seconds": round(float(np.median(lengths)), 1),
        "speech_seconds": round(sum(message.speech_seconds for message in messages), 1),
        "tokens_a_second": TOKENS_A_SECOND,
        "window_floor_seconds": pack.thresholds.window_floor_seconds,
        "window_margin_seconds": pack.thresholds.window_margin_seconds,
    }


def draw(report: Report, path: Path) -> None:
    """Draw messages an hour of all contenders as bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in report.costs if not name.endswith("_clips")]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 * len(names) + 1.4))
    bars = axes.barh(names, [report.costs[name].messages_per_hour for name in names])
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("messages an hour")
    axes.set_title(f"{report.model}, {report.compute_type}, {report.threads} threads")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
