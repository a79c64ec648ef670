"""The benchmark: equal work for all, and figures that follow from what was timed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from transcribe.babble import babble
from transcribe.shapes import SHAPES, Shape, build, random_pack
from transcribe.whisper import Whisper
from workers import bench, machine, overhead
from workers.bench import Plan
from workers.contenders import Message, batched, mix, plain
from workers.crew import Crew, Setup
from workers.transcribe import MOST_JOBS

TINY = Shape(64, 2, 2, 2, text_tokens=600)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    """Make a random Whisper."""
    folder = build(TINY, tmp_path_factory.mktemp("pack"))
    return Whisper(random_pack(folder, ("zh", "ko")), device="cpu", threads=1)


def test_messages_are_as_they_come_off_the_queue() -> None:
    messages = list(mix(40, 1, {}))
    lengths = [message.seconds for message in messages]
    assert 10 < np.median(lengths) < 20
    assert min(lengths) >= 4.9
    assert max(lengths) <= 60.1
    spoken = sum(message.speech_seconds for message in messages) / sum(lengths)
    assert spoken == pytest.approx(0.75, abs=0.01)
    again = list(mix(40, 1, {}))
    assert all((a.samples == b.samples).all() for a, b in zip(messages, again, strict=True))


@pytest.mark.parametrize("seconds", [6.0, 20.0, 45.0])
def test_every_contender_writes_the_same_number_of_tokens(seconds: float, whisper: Whisper) -> None:
    message = next(one for one in mix(60, 2, {}) if one.seconds > seconds)
    for written in (
        plain(whisper.plain, message, 1, forced=True)[1],
        plain(whisper.plain, message, 5, forced=True)[1],
        batched(whisper.plain, message)[1],
    ):
        assert written == pytest.approx(message.tokens, rel=0.06, abs=5)


def test_a_small_run_reports_what_it_promises(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(SHAPES, "small", TINY)
    monkeypatch.setattr(machine, "WIDE", Shape(128, 2, 1, 1, text_tokens=300, languages=1))
    plan = Plan(
        shape="small", messages=2, threads=1, single=False, against=("faster_whisper_beam1",)
    )
    lines: list[str] = []
    report = bench.run(plan, lines.append)
    assert lines
    assert report.messages_per_hour > 0
    assert report.messages_per_hour_again
    assert report.ratio.keys() == {"faster_whisper_beam1"}
    assert 0 < report.limit_share < 1.5
    assert report.peak_rss_mb > 10
    assert report.media_ms > 0
    bench.draw(report, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").stat().st_size > 1_000


def test_clips_are_read_by_the_engine_and_by_faster_whisper(whisper: Whisper) -> None:
    clips = {"zh": [(babble(2.0), "一二三"), (babble(3.0, 1), "四五六")]}
    clocks = bench._read(whisper, clips, Plan(shape="tiny"), lambda _: None)
    for clock in clocks.values():
        assert clock.messages == 2
        assert clock.characters == 6


def test_workers_share_messages_and_decode_one_in_ten_again(
    whisper: Whisper, tmp_path: Path
) -> None:
    messages = [Message(babble(2.0, n), 2.0) for n in range(16)]
    plan = Plan(shape="tiny", against=(), threads=2)
    with bench._Race(plan, whisper, messages, tmp_path) as race:
        clocks = race.run(lambda _: None)
        assert race.engine.peak_mb > 20
    assert race.again == 2
    assert clocks.keys() == {"engine", "engine_again", "engine_one_worker"}
    assert {clock.tokens for clock in clocks.values()} == {clocks["engine"].tokens}
    assert clocks["engine"].processor > 0


def test_a_worker_of_the_benchmark_that_cannot_load_is_an_error(tmp_path: Path) -> None:
    missing = Setup(str(tmp_path), {}, threads=1, device="cpu", compute_type="int8", batch=0)
    with pytest.raises(subprocess.CalledProcessError), Crew(missing, 1, tmp_path):
        pass


def test_the_memory_of_a_long_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPES, "tiny", TINY)
    monkeypatch.setitem(MOST_JOBS, "cpu", 2)
    found = bench.steep(Plan(shape="tiny", threads=1), 20)
    assert len(found.resident_mb) == 10
    assert found.growth == pytest.approx(found.resident_mb[-1] / found.resident_mb[0] - 1, abs=1e-3)


def test_what_a_message_costs_around_the_model_is_told(tmp_path: Path) -> None:
    found = overhead.measure(random_pack(tmp_path), 2)
    assert found.messages == 2
    assert min(found.accept_ms, found.prepare_ms, found.settle_ms, found.media_ms) > 0
    parts = found.accept_ms + found.prepare_ms + found.settle_ms
    assert found.overhead_ms == pytest.approx(parts, abs=0.2)


def test_operations_grow_with_the_window_and_the_shape() -> None:
    small, tiny = SHAPES["small"], SHAPES["tiny"]
    assert small.encoder_operations(600) < small.encoder_operations(1_500) / 2.4
    assert tiny.encoder_operations(1_500) < small.encoder_operations(1_500) / 5
    assert small.decoder_operations(600, 40) < small.decoder_operations(600, 80)


def test_a_message_has_five_tokens_a_second_of_speech() -> None:
    assert Message(np.zeros(16_000, np.float32), 12.0).tokens == 60
