"""Training: it learns, it resumes where it was, and what it writes faster-whisper reads."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from faster_whisper import WhisperModel  # noqa: E402

from models.errors import Misconfigured  # noqa: E402
from transcribe.train import batches, checking, clips, export, fit, synthetic, tokens  # noqa: E402
from transcribe.train.batches import Vocabulary  # noqa: E402
from transcribe.train.clips import Stored  # noqa: E402
from transcribe.train.muon import Muon, orthogonal  # noqa: E402
from transcribe.train.network import Shape  # noqa: E402
from transcribe.train.plan import Plan  # noqa: E402
from transcribe.train.progress import Progress  # noqa: E402
from transcribe.train.synthetic import Line, Order  # noqa: E402

pytestmark = pytest.mark.train

TEXTS = {"kk": ["жол жоқ", "су бар", "мал көп", "үй тар"], "zh": ["路坏了", "没有水"]}
VOICES = {"kk": "kk", "zh": "cmn"}
PLAN = Plan(
    seconds=1e9, steps=6, round_clips=8, batch_frames=400, threads=1, long_from=0.5, long_share=2.0
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Stored], list[Stored]]:
    folder = tmp_path_factory.mktemp("clips")
    lines = tuple(Line(t, VOICES[t], text) for t, texts in TEXTS.items() for text in texts)
    for kind in ("single", "joined"):
        synthetic.make(Order(folder / kind, 0, 1, lines, ("m1",), kind, damaged=False))
    return clips.read(folder / "single"), clips.read(folder / "joined")


def test_more_is_shown_of_a_language_that_weighs_more(
    stored: tuple[list[Stored], list[Stored]],
) -> None:
    few = {tag: next(s for s in stored[0] if s.clip.language == tag) for tag in TEXTS}
    many = [few["kk"], few["zh"]] * 500
    shown: dict[object, float] = {}
    for weights in (None, {"zh": 4.0, "kk": 1.0}):
        drawn = [
            c for batch in batches.rounds(many, 400, random.Random(1), 100, weights) for c in batch
        ]
        assert len(drawn) == 100
        shown[str(weights)] = sum(c.clip.language == "zh" for c in drawn) / 100
    assert 0.35 < shown["None"] < 0.65 < shown[str({"zh": 4.0, "kk": 1.0})] < 0.95
    assert sum(len(b) for b in batches.rounds(many[:3], 400, random.Random(1), 100)) == 3


def test_languages_weigh_as_they_are_misheard_within_bounds(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    trainer = fit.Trainer(tmp_path, shape(vocabulary), vocabulary, PLAN)
    assert trainer._weights() == {}
    trainer.state.cer = {"zh": 0.0, "kk": 0.0}
    assert trainer._weights() == {}
    trainer.state.cer = {"zh": 0.06, "kk": 0.02}
    assert trainer._weights() == pytest.approx({"zh": 1.5, "kk": 0.5})
    trainer.state.cer = {"zh": 0.9, "kk": 0.0, "ug": 0.0, "ko": 0.0}
    least, most = PLAN.widest_weights
    assert trainer._weights() == {"zh": most, "kk": least, "ug": least, "ko": least}


@pytest.fixture(scope="module")
def vocabulary(stored: tuple[list[Stored], list[Stored]]) -> Vocabulary:
    tokenizer = tokens.grow(TEXTS, ("zh", "kk"))
    sounds = batches.sounds_of([s.clip for s in stored[0]])
    return Vocabulary(tokenizer, tokens.prompt(tokenizer), {"zh": "zh", "kk": "kk"}, sounds)


def shape(vocabulary: Vocabulary) -> Shape:
    return Shape(
        vocabulary.tokenizer.get_vocab_size(),
        len(vocabulary.sounds) + 1,
        width=64,
        heads=2,
        encoder_layers=1,
        decoder_layers=2,
    )


def trained(
    folder: Path,
    vocabulary: Vocabulary,
    stored: tuple[Sequence[Stored], Sequence[Stored]],
    plan: Plan,
    check: Sequence[Stored] = (),
) -> tuple[fit.Trainer, list[Progress]]:
    trainer = fit.Trainer(folder, shape(vocabulary), vocabulary, plan)
    seen: list[Progress] = []
    trainer.run(lambda: stored, check, seen.append)
    return trainer, seen


def test_training_lowers_every_loss_and_checks_what_it_learnt(
    tmp_path: Path,
    vocabulary: Vocabulary,
    stored: tuple[list[Stored], list[Stored]],
) -> None:
    plan = replace(PLAN, steps=40, check_seconds=0.0, patience=99)
    trainer, seen = trained(tmp_path, vocabulary, (stored[0], []), plan, stored[0])
    first, last = seen[0].losses, seen[-1].losses
    assert last.tokens < 0.7 * first.tokens
    assert last.sounds < first.sounds
    assert last.attention < first.attention
    assert set(trainer.state.cer) == {"kk", "zh"}
    assert seen[-1].share == 1
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {"cer", "step", "seconds"} <= set(logged[-1])


def test_a_stopped_training_goes_on_at_the_same_place(
    tmp_path: Path, vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    class Killed(Exception):
        pass

    whole, steps = trained(tmp_path / "whole", vocabulary, stored, PLAN)
    trainer = fit.Trainer(tmp_path / "parts", shape(vocabulary), vocabulary, PLAN)

    def kill(progress: Progress) -> None:
        if progress.step == 3:
            trainer.save()
            raise Killed

    with pytest.raises(Killed):
        trainer.run(lambda: stored, [], kill)
    resumed, rest = trained(tmp_path / "parts", vocabulary, stored, PLAN)
    assert [p.step for p in rest] == [4, 5, 6]
    assert [p.losses for p in rest] == [p.losses for p in steps[3:]]
    for one, two in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_training_killed_by_the_system_goes_on_at_its_last_checkpoint(
    tmp_path: Path, vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    whole, steps = trained(tmp_path / "whole", vocabulary, stored, PLAN)
    vocabulary.tokenizer.save(str(tmp_path / "tokenizer.json"))
    folder = stored[0][0].shard.parents[1]
    module = "tests.unit.transcribe.train.dying_training"
    places = [str(one) for one in (folder, tmp_path / "tokenizer.json", tmp_path / "killed")]
    died = subprocess.run(
        [sys.executable, "-m", module, *places, "5"], cwd=Path(__file__).parents[4], check=False
    )
    assert died.returncode == -signal.SIGKILL
    resumed, rest = trained(tmp_path / "killed", vocabulary, stored, PLAN)
    assert [one.step for one in rest] == [5, 6]
    assert [one.losses for one in rest] == [one.losses for one in steps[4:]]
    for one, two in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(one, two)


def test_training_stops_early_where_nothing_gets_better(
    tmp_path: Path, vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    plan = replace(PLAN, steps=1000, check_seconds=0.0, patience=2, matrix_rate=0, other_rate=0)
    trainer, _ = trained(tmp_path, vocabulary, (stored[0], []), plan, stored[0][:1])
    assert trainer.state.step < 100


def test_plain_faster_whisper_loads_what_training_writes_as_multilingual(
    tmp_path: Path, vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    work, pack = tmp_path / "work", tmp_path / "pack"
    trainer, _ = trained(work, vocabulary, (stored[0], []), replace(PLAN, steps=60))
    fit.export(work, vocabulary, pack)
    model = WhisperModel(str(pack), device="cpu", compute_type="float32", cpu_threads=1)
    assert model.model.is_multilingual
    (example, *_) = stored[0]
    features = np.zeros((1, 80, example.frames), np.float32)
    features[0] = example.features().T
    language = vocabulary.language(example.clip.language)
    (own,), _ = checking.greedy(
        trainer.averaged(), vocabulary, torch.from_numpy(features), [language]
    )
    import ctranslate2

    prompt = vocabulary.prompt
    start = [prompt.start, language, prompt.transcribe, prompt.no_times]
    view = ctranslate2.StorageView.from_array(features)
    (heard,) = model.model.generate(view, [start], beam_size=1, max_length=90)
    theirs = [i for i in heard.sequences_ids[0] if i < prompt.end]
    assert theirs[:3] == own[:3]
    segments, info = model.transcribe(
        np.zeros(16_000, np.float32), language="kk", beam_size=1, temperature=0.0
    )
    assert info.language == "kk"
    assert isinstance(list(segments), list)


def test_weights_come_back_from_a_pack(
    tmp_path: Path, vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    work, pack = tmp_path / "work", tmp_path / "pack"
    trainer, _ = trained(work, vocabulary, (stored[0], []), replace(PLAN, steps=2))
    fit.export(work, vocabulary, pack)
    own, weights, tokenizer = export.read(pack)
    assert replace(own, sounds=trainer.network.shape.sounds) == trainer.network.shape
    assert tokenizer.get_vocab() == vocabulary.tokenizer.get_vocab()
    for name, weight in trainer.averaged().state_dict().items():
        if not name.startswith("sounds."):
            scale = float(weight.abs().max()) + 1e-6
            assert np.abs(weights[name] - weight.numpy()).max() < 0.01 * scale, name


def test_a_tokenizer_with_more_languages_keeps_the_rows_of_the_others(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    old = vocabulary.tokenizer
    new = tokens.extended(old, ["tt"])
    own = shape(vocabulary)
    rows = np.random.default_rng(1).standard_normal((own.vocabulary, own.width))
    weights = {"decoder.tokens.weight": rows.astype(np.float32)}
    grown_shape, grown = export.grown(own, weights, old, new)
    table = grown["decoder.tokens.weight"]
    assert grown_shape.vocabulary == own.vocabulary + 1 == len(table)
    for token in ("<|kk|>", "<|notimestamps|>", "<|30.00|>"):
        assert np.array_equal(
            table[new.token_to_id(token)], rows[old.token_to_id(token)].astype(np.float32)
        )
    codes = list(vocabulary.prompt.languages.values())
    assert np.allclose(table[new.token_to_id("<|tt|>")], rows[codes].mean(0), atol=1e-6)


def test_another_file_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x05\x00\x00\x00")
    with pytest.raises(Misconfigured, match="format 5"):
        export.read_variables(tmp_path / "model.bin")


def test_examples_ask_for_language_text_and_end(
    vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    import random

    prompt = vocabulary.prompt
    example = batches.Examples(vocabulary, 0.0, 0.0).make(stored[0][0], random.Random(1))
    code = vocabulary.language(example.stored.clip.language)
    assert example.inputs[:4] == (prompt.start, code, prompt.transcribe, prompt.no_times)
    assert example.targets[:3] == (code, prompt.transcribe, prompt.no_times)
    assert example.targets[-1] == prompt.end
    timed = [span for span in example.spans if span[0] >= 0]
    assert timed == sorted(timed)
    assert len(timed) >= 2


def test_examples_with_times_open_and_close_each_part(
    vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    import random

    prompt = vocabulary.prompt
    joined = next(s for s in stored[1] if len(s.clip.parts) > 1)
    example = batches.Examples(vocabulary, 1.0, 0.0).make(joined, random.Random(1))
    times = [i - prompt.first_time for i in example.inputs if i >= prompt.first_time]
    assert len(times) == 2 * len(joined.clip.parts)
    assert times == sorted(times)
    assert times[0] * 0.02 == pytest.approx(joined.clip.parts[0].start, abs=0.011)


def test_where_nobody_speaks_no_speech_is_asked_for(
    vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    import random

    from transcribe.train.clips import Clip

    silent = replace(stored[0][0], clip=Clip("kk", "nobody", 1.0, ()))
    example = batches.Examples(vocabulary, 0.0, 0.0).make(silent, random.Random(1))
    assert example.targets[0] == vocabulary.prompt.no_speech
    assert example.targets[-1] == vocabulary.prompt.end


def test_windows_are_padded_with_zeros_after_the_features(
    vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    import random

    examples = batches.Examples(vocabulary, 0.0, 0.0)
    made = [examples.make(s, random.Random(1)) for s in stored[0][:2]]
    batch = batches.collate(made, 0, random.Random(1), whole_window=True, masked=False)
    assert tuple(batch.mel.shape) == (2, 80, 3000)
    first = made[0].stored
    assert not batch.mel[0, :, first.frames :].any()
    assert torch.equal(
        batch.mel[0, :, : first.frames].T, torch.from_numpy(first.features().astype(np.float32))
    )


def test_muon_steps_are_orthogonal_and_go_downhill() -> None:
    torch.manual_seed(0)
    steps = orthogonal(torch.randn(3, 16, 40))
    sizes = torch.linalg.svdvals(steps)
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3
    weight = torch.nn.Parameter(torch.randn(8, 8))
    optimiser = Muon([weight], lr=0.05, weight_decay=0.0)
    before = float((weight.detach() ** 2).sum())
    for _ in range(30):
        weight.grad = 2 * weight.detach().clone()
        optimiser.step()
    assert float((weight.detach() ** 2).sum()) < before


def test_a_letter_that_the_encoder_hears_alone_is_learnt_without_times(
    tmp_path: Path, vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    bare = [replace(s, clip=replace(s.clip, phones=(), words=())) for s in stored[0]]
    letters = batches.sounds_of([s.clip for s in bare])
    own = replace(vocabulary, sounds=letters)
    _, seen = trained(tmp_path, own, (bare, []), replace(PLAN, steps=25))
    assert seen[-1].losses.sounds < seen[0].losses.sounds
    assert seen[-1].losses.attention == 0


def test_a_checkpoint_is_whole_or_not_there(
    tmp_path: Path, vocabulary: Vocabulary, stored: tuple[list[Stored], list[Stored]]
) -> None:
    trained(tmp_path, vocabulary, (stored[0], []), replace(PLAN, steps=1))
    assert not list(tmp_path.glob("*.part"))
    shutil.copy(tmp_path / "checkpoint.pt", tmp_path / "copy.pt")
    assert torch.load(tmp_path / "copy.pt", weights_only=True)["state"]["step"] == 1
