"""The engine as a whole, on a Whisper of random weights: what holds whatever a model writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.errors import Misconfigured, XiangyinError
from models.packs import Pack, Thresholds
from models.transcript import Likely, ListenerReason, Recognition
from tests.unit.transcribe.conftest import RATE, Floats
from transcribe.babble import babble, silence
from transcribe.engine import Options, Request, WhisperEngine, load
from transcribe.shapes import Shape, build, random_pack
from transcribe.whisper import Encoded, Whisper

TINY = Shape(64, 2, 2, 2, text_tokens=600)
CODES = ("zh", "yue", "uz", "kk", "ko")
# Random weights write nonsense with a log-probability about -7: let it through the gates.
LENIENT = Thresholds(
    window_floor_seconds=2.0,
    window_margin_seconds=0.5,
    language=0.2,
    average_logprob=-20.0,
    characters_per_second=500.0,
    compression_ratio=50.0,
)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Make a random Whisper with five languages."""
    folder = build(TINY, tmp_path_factory.mktemp("pack"), codes=CODES)
    return random_pack(folder).model_copy(update={"thresholds": LENIENT})


@pytest.fixture(scope="module")
def whisper(pack: Pack) -> Whisper:
    """Load it."""
    return Whisper(pack, device="cpu", threads=1)


@pytest.fixture(scope="module")
def engine(whisper: Whisper) -> WhisperEngine:
    """Make an engine that decodes once, so that tests are quick."""
    return WhisperEngine(whisper, None, Options(again="never"))


def sounds() -> list[Floats]:
    """Make messages of several lengths with pauses."""
    return [
        np.concatenate([silence(0.5), babble(length, seed), silence(1.5), babble(2.0, seed + 50)])
        for seed, length in enumerate((1.5, 3.0, 3.2, 6.0, 12.0))
    ]


def done(outcomes: Sequence[Recognition | XiangyinError]) -> list[Recognition]:
    """Take outcomes that are no errors."""
    assert all(isinstance(outcome, Recognition) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Recognition)]


def check(recognition: Recognition) -> None:
    """Hold what every transcript must hold."""
    reached = 0.0
    for segment in recognition.segments:
        assert 0 <= segment.start < segment.end <= recognition.seconds + 0.01
        assert segment.start >= reached - 1e-6
        assert segment.text == "".join(word.text for word in segment.words)
        assert segment.text.strip()
        for word in segment.words:
            assert segment.start - 1e-6 <= word.start <= word.end <= segment.end + 0.03
            assert word.start >= reached - 1e-6
            reached = word.start
    for language in recognition.languages:
        assert 0 <= language.confidence <= 1
    assert not recognition.languages or sum(one.share for one in recognition.languages) <= 1.001


def test_text_equals_joined_segments_and_times_run_forwards(engine: WhisperEngine) -> None:
    recognised = done(engine.recognise([Request(sound) for sound in sounds()]))
    assert all(one.segments for one in recognised)
    for one in recognised:
        check(one)
        for segment in one.segments:
            assert segment.text.strip() in one.text


def test_a_batch_gives_the_same_as_one_at_a_time(engine: WhisperEngine) -> None:
    requests = [Request(sound) for sound in sounds()]
    together = done(engine.recognise(requests))
    alone = [done(engine.recognise([request]))[0] for request in requests]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.language.tag for one in together] == [one.language.tag for one in alone]


def test_times_survive_the_silence_that_is_left_out(engine: WhisperEngine) -> None:
    sound = np.concatenate([silence(3), babble(2), silence(9), babble(2, 1), silence(2)])
    recognition = done(engine.recognise([Request(sound)]))[0]
    spoken = [(2.6, 5.5), (13.6, 16.5)]
    for word in (word for segment in recognition.segments for word in segment.words):
        assert any(low <= word.start and word.end <= high for low, high in spoken)


def test_a_long_recording_is_done_in_rounds_of_bounded_size(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = WhisperEngine(whisper, None, Options(batch=2, again="never"))
    alive: list[int] = []
    encode = Whisper.encode

    def counting(self: Whisper, mels: Sequence[Floats], frames: int) -> list[Encoded]:
        alive.append(len(mels))
        return encode(self, mels, frames)

    monkeypatch.setattr(Whisper, "encode", counting)
    part = np.concatenate([babble(20), silence(3)])
    recognition = done(engine.recognise([Request(np.tile(part, 7))]))[0]
    check(recognition)
    assert max(alive) <= 2
    assert recognition.segments[-1].end > 150
    assert len({one.start for one in recognition.evidence}) > 6


def test_a_bad_request_fails_alone(engine: WhisperEngine) -> None:
    good = Request(sounds()[0])
    bad = [
        Request(np.zeros(0, np.float32)),
        Request(np.full(RATE, np.nan, np.float32)),
        Request(np.zeros((2, RATE), np.float32)),
    ]
    outcomes = engine.recognise([good, *bad, good])
    assert [isinstance(outcome, XiangyinError) for outcome in outcomes] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert done([outcomes[0]])[0].text == done([outcomes[-1]])[0].text


def test_a_batch_that_fails_is_done_one_by_one(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = WhisperEngine(whisper, None, Options(again="never"))
    write = Whisper.write
    spoilt = 6.05

    def failing(self: Whisper, windows: Sequence[Encoded], *rest: object, **more: object) -> object:
        if any(window.content > spoilt * 50 for window in windows):
            raise RuntimeError("out of memory")
        return write(self, windows, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Whisper, "write", failing)
    outcomes = engine.recognise([Request(sound) for sound in sounds()])
    assert [isinstance(outcome, XiangyinError) for outcome in outcomes] == [
        False, False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["silence", "hum", "click", "faint", "one sample"])
def test_where_nobody_speaks_nothing_is_written(kind: str, engine: WhisperEngine) -> None:
    time = np.arange(4 * RATE) / RATE
    sound = {
        "silence": silence(4),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * time),
        "click": np.where(np.arange(4 * RATE) % 8_000 == 0, 0.9, 0.0),
        "faint": 1e-5 * babble(4),
        "one sample": np.ones(1),
    }[kind]
    recognition = done(engine.recognise([Request(sound.astype(np.float32))]))[0]
    assert recognition.reason is ListenerReason.NO_SPEECH
    assert recognition.text == ""


def test_text_that_could_not_be_written_well_is_never_trusted(pack: Pack) -> None:
    strict = pack.model_copy(update={"thresholds": Thresholds()})
    engine = WhisperEngine(Whisper(strict, device="cpu", threads=1), None)
    recognition = done(engine.recognise([Request(sounds()[1])]))[0]
    assert recognition.reason is not None
    assert recognition.language.tag == "und"
    assert recognition.segments
    for segment in recognition.segments:
        assert not segment.trusted
        assert segment.flags


def test_what_was_declared_and_what_was_heard_are_both_kept(engine: WhisperEngine) -> None:
    likely = (Likely(tag="ug", probability=0.7), Likely(tag="zh", probability=0.3))
    request = Request(sounds()[0], declared="kk", likely=likely)
    recognition = done(engine.recognise([request]))[0]
    by = {one.by: one for one in recognition.evidence}
    assert by["declared"].candidates == (Likely(tag="kk", probability=1.0),)
    assert by["channel"].candidates == likely
    assert by["whisper"].candidates


def test_what_a_window_was_written_in_beside_its_language_is_kept(engine: WhisperEngine) -> None:
    """The languages of a random model lie near one another."""
    recognition = done(engine.recognise([Request(sounds()[0])]))[0]
    tried = next(one for one in recognition.evidence if one.by == "text")
    assert len(tried.candidates) > 1
    assert tried.candidates[0].tag in {one.language for one in recognition.segments}


def test_another_language_ends_with_a_listener(pack: Pack) -> None:
    unsure = pack.thresholds.model_copy(update={"average_logprob": 0.0})
    engine = WhisperEngine(
        Whisper(pack.model_copy(update={"thresholds": unsure}), device="cpu", threads=1),
        None,
        Options(again="never"),
    )
    outcomes = done(engine.recognise([Request(sounds()[0], declared=tag) for tag in ("und", "ii")]))
    assert [one.reason for one in outcomes] == [
        ListenerReason.ASKED_FOR,
        ListenerReason.UNSUPPORTED_LANGUAGE,
    ]


def test_poor_scores_are_decoded_again_and_the_agreement_is_told(pack: Pack) -> None:
    thresholds = LENIENT.model_copy(update={"average_logprob": -0.5, "language": 0.0})
    strict = pack.model_copy(update={"thresholds": thresholds})
    engine = WhisperEngine(Whisper(strict, device="cpu", threads=1), None)
    recognition = done(engine.recognise([Request(sounds()[0], declared="zh")]))[0]
    assert recognition.settings["decoded_again"]
    assert not any(segment.trusted for segment in recognition.segments)


def test_doubtful_neighbours_are_decoded_again_in_one_window(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = WhisperEngine(whisper, None, Options(again="marked", forced_tokens_a_second=3.0))
    encoded: list[int] = []
    encode = Whisper.encode

    def counting(self: Whisper, mels: Sequence[Floats], frames: int) -> list[Encoded]:
        encoded.extend([frames] * len(mels))
        return encode(self, mels, frames)

    monkeypatch.setattr(Whisper, "encode", counting)
    sound = np.concatenate([part for n in range(4) for part in (babble(4, n), silence(1.0))])
    recognition = done(engine.recognise([Request(sound, declared="zh", again=True)]))[0]
    check(recognition)
    assert len(encoded) > 3
    assert encoded.count(3_000) == 1
    assert recognition.settings["decoded_again"]


def test_a_caller_hears_of_every_native_call_and_can_end_the_work(engine: WhisperEngine) -> None:
    told: list[float] = []
    engine.recognise([Request(sound) for sound in sounds()], told.append)
    longest = max(len(sound) / RATE for sound in sounds())
    assert len(told) > len(sounds())
    assert max(told) <= engine.batch * longest

    class Enough(Exception):
        """The caller has had enough."""

    def stop(_: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        engine.recognise([Request(sounds()[0])], stop)


def test_on_a_gpu_windows_are_encoded_together_and_batches_are_larger(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Whisper(pack, device="cpu", threads=1)
    alone = WhisperEngine(model, None, Options(again="never"))
    expected = [one.text for one in done(alone.recognise([Request(one) for one in sounds()]))]
    monkeypatch.setattr(Whisper, "device", "cuda")
    engine = WhisperEngine(model, None, Options(again="never"))
    assert engine.batch > alone.batch
    mel = model.features(babble(2))
    assert len(model.encode([mel, mel, mel], 300)) == 3
    recognised = done(engine.recognise([Request(sound) for sound in sounds()]))
    assert [one.text for one in recognised] == expected


def test_forced_tokens_are_written_to_the_number(pack: Pack, whisper: Whisper) -> None:
    mel = whisper.features(babble(3))
    encoded = whisper.encode([mel, mel], 400)
    for count in (4, 40, 224):
        written = whisper.write(encoded, ["zh", "ko"], most_tokens=count, forced=True)
        assert [one.steps for one in written] == [count, count]


def test_a_window_never_has_the_shape_of_features(whisper: Whisper) -> None:
    lengths = {whisper.window_frames(seconds, (1.6, 2.0)) for seconds in (0.1, 0.9, 1.2, 1.5)}
    assert 160 not in lengths
    assert max(whisper.window_frames(seconds) for seconds in (1.0, 29.0, 60.0)) == 3_000


def test_a_stock_pack_keeps_its_floor_and_margin(pack: Pack) -> None:
    stock = pack.model_copy(update={"thresholds": Thresholds()})
    model = Whisper(stock, device="cpu", threads=1)
    assert model.window_frames(3.0) == 1_000
    assert model.window_frames(9.0) == 1_200


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json", "config.json"])
def test_a_pack_without_a_file_is_refused_by_name(missing: str, tmp_path: Path) -> None:
    folder = build(TINY, tmp_path / "pack", codes=CODES)
    (folder / missing).unlink()
    with pytest.raises(Misconfigured, match=missing):
        load(random_pack(folder), device="cpu")


def test_a_damaged_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = build(TINY, tmp_path / "pack", codes=CODES)
    content = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(content[: len(content) // 2])
    with pytest.raises(Misconfigured):
        load(random_pack(folder), device="cpu")


def test_a_text_that_does_not_fit_is_written_in_parts(
    engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcribe.scribe.TOKENS_AT_LEAST", 6)
    monkeypatch.setattr("transcribe.scribe.TOKENS_A_SECOND", 0.0)
    sound = np.concatenate([babble(2.4), silence(1.0), babble(2.4, 1)])
    recognition = done(engine.recognise([Request(sound)]))[0]
    check(recognition)
    assert recognition.settings["windows"] == 2
