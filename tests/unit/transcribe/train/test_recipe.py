"""The recipe in use: a manifest becomes a pack, from nothing, a pack or a stock Whisper."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

import tokenizers
from faster_whisper import WhisperModel

from models import packs
from models.errors import Invalid, Misconfigured
from transcribe.train import batches, borrow, curve, exam, manifest, plots, recipe, stock, tokens
from transcribe.train.wish import Language, Wish

pytestmark = pytest.mark.train

Corpus = Callable[..., Path]
SIZES = (("width", 64), ("heads", 2), ("encoder_layers", 1), ("decoder_layers", 2))


def wish(data: Path, folder: Path, **other: object) -> Wish:
    own = Wish(
        data=(data,), out=folder / "pack", work=folder / "work", steps=2, threads=1, shape=SIZES
    )
    return replace(own, **other)  # type: ignore[arg-type]


@pytest.fixture
def said() -> list[str]:
    return []


def test_a_pack_grows_from_nothing_and_then_learns_another_language(
    tmp_path: Path, corpus: Corpus, said: list[str]
) -> None:
    first = wish(corpus("kk", 20), tmp_path / "first", name="first")
    outcome = recipe.train(first, said.append)
    assert packs.read(first.out) == outcome.pack
    assert outcome.pack.tags == ("kk",)
    assert outcome.pack.card["rows"][0]["clips"] > 0
    assert any(line.startswith("train kk") for line in said)
    for name in ("training.jsonl", "training.png", "vocabulary.json", "tokenizer.json"):
        assert (first.out / name).exists()

    second = wish(
        corpus("ii", 20, seed=2),
        tmp_path / "second",
        base=str(first.out),
        rehearse=first.data,
        languages=(("ii", Language("Nuosu Yi", "ꆈꌠꉙ")),),
    )
    grown = recipe.train(second, said.append).pack
    assert grown.tags == ("kk", "ii")
    assert any("of the way: the old languages' CER" in line for line in said)
    yi = grown.language("ii")
    assert yi is not None
    assert (yi.name, yi.borrowed) == ("Nuosu Yi", True)
    assert yi.token != "yi"  # Whisper's yi is Yiddish
    model = WhisperModel(str(second.out), device="cpu", compute_type="int8", cpu_threads=1)
    assert model.model.is_multilingual
    assert yi.token in model.supported_languages
    report = exam.check(second.out, first.data, threads=1)
    assert not report.left_out
    assert report.rows[0].clips == 20
    # Measured on the new language as well, the pack that learnt it is not the worse one.
    both = [*first.data, *second.data]
    verdict = packs.Verdict(
        exam.rates(second.out, both, threads=1), exam.rates(first.out, both, threads=1)
    )
    assert verdict.tags == ("ii", "kk")
    assert set(verdict.old) == {"kk"}
    assert exam.rates(first.out, second.data, threads=1) == {}

    asked = curve.Question(
        tag="ii",
        shown=Language("Nuosu Yi", "ꆈꌠꉙ"),
        data=second.data[0],
        heldout=corpus("ii", 4, name="held", seed=5),
        old=corpus("kk", 4, name="old", seed=11),
        base=first.out,
        work=tmp_path / "curve",
        minutes=(1.02, 1.2),
        rehearse=first.data,
        steps=1,
        threads=1,
    )
    points = curve.draw(asked, said.append)
    assert [point.minutes for point in points] == [1.02, 1.2]
    assert (tmp_path / "curve" / "curve.png").stat().st_size > 1000
    assert "| 1.02 |" in (tmp_path / "curve" / "curve.md").read_text(encoding="utf-8")
    assert curve.draw(asked, said.append) == points


# transformers asks itself something that it deprecates, where peft wraps its models.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize("low_rank", [True, False])
def test_a_stock_whisper_is_tuned_whole_or_by_low_rank_matrices(
    tmp_path: Path, corpus: Corpus, said: list[str], low_rank: bool
) -> None:
    data = corpus("tr", 20)
    base = stock_whisper(tmp_path / "stock", data)
    own = wish(data, tmp_path, base=str(base), low_rank=low_rank)
    outcome = recipe.train(own, said.append)
    assert outcome.pack.tags == ("tr",)
    assert outcome.pack.thresholds.window_floor_seconds == 10
    assert json.loads((own.out / "config.json").read_text())["alignment_heads"] == [[0, 1]]
    assert any(("low-rank" in line) is low_rank for line in said if "M weights" in line)
    rows = [json.loads(line) for line in (own.out / "training.jsonl").read_text().splitlines()]
    assert rows[0]["step"] == 1
    assert set(rows[-1]["cer"]) == {"tr"}
    assert (own.out / "training.png").exists()
    watched: list[int] = []
    again = recipe.train(
        replace(own, steps=3), said.append, lambda progress: watched.append(progress.step)
    )
    assert again.pack.tags == ("tr",)
    assert watched == [3]  # the two that were done are not done again
    model = WhisperModel(str(own.out), device="cpu", compute_type="int8", cpu_threads=1)
    assert model.model.is_multilingual


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_a_stock_whisper_stops_early_where_nothing_gets_better(
    tmp_path: Path, corpus: Corpus, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock, "_LEAST_CHECK_SECONDS", 0.0)
    monkeypatch.setattr(stock, "_CHECKS", 10**9)
    monkeypatch.setattr(stock, "_PATIENCE", 2)
    monkeypatch.setattr(stock, "_CHECKED", 1)
    monkeypatch.setattr(stock, "_LOW_RANK_RATE", 0.0)
    data = corpus("tr", 20)
    base = stock_whisper(tmp_path / "stock", data)
    watched: list[int] = []
    own = wish(data, tmp_path, base=str(base), steps=1000)
    recipe.train(own, said.append, lambda progress: watched.append(progress.step))
    assert watched == [1, 2, 3]


def test_a_stock_whisper_writes_what_its_own_library_writes(tmp_path: Path, corpus: Corpus) -> None:
    import torch
    from transformers import WhisperForConditionalGeneration

    data = corpus("tr", 20)
    base = stock_whisper(tmp_path / "stock", data)
    model = WhisperForConditionalGeneration.from_pretrained(base).eval()
    tokenizer = tokenizers.Tokenizer.from_file(str(base / "tokenizer.json"))
    prompt = tokens.prompt(tokenizer)
    known = batches.Vocabulary(tokenizer, prompt, {"tr": "tr"}, {})
    mel = torch.randn(2, 80, 3000)
    written = list(stock._written(model, known, mel, ["tr", "tr"]))
    start = [[prompt.start, prompt.languages["tr"], prompt.transcribe, prompt.no_times]] * 2
    ids = torch.tensor(start)
    for _ in range(12):
        with torch.no_grad():
            scores = model(input_features=mel, decoder_input_ids=ids).logits[:, -1]
        scores[:, prompt.start :] = -torch.inf
        ids = torch.cat([ids, scores.argmax(-1, keepdim=True)], dim=1)
    for mine, theirs in zip(written, ids[:, 4:].tolist(), strict=True):
        whole = theirs[: theirs.index(prompt.end)] if prompt.end in theirs else theirs
        assert mine[: len(whole)] == whole


def stock_whisper(folder: Path, data: Path) -> Path:
    """Write a tiny Whisper with random weights in Hugging Face's form."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    texts = [entry.text for entry in manifest.read(data).entries]
    tokenizer = tokens.grow({"tr": texts}, ("en", "tr"))
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "generation_config.json").write_text(json.dumps({"alignment_heads": [[0, 1]]}))
    return folder


def test_a_work_folder_with_other_data_is_refused(
    tmp_path: Path, corpus: Corpus, said: list[str]
) -> None:
    recipe.train(wish(corpus("kk", 20), tmp_path), said.append)
    with pytest.raises(Invalid, match="holds a run of other data"):
        recipe.train(wish(corpus("kk", 20, name="other", seed=9), tmp_path), said.append)


def test_a_manifest_without_one_good_line_is_refused(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text('{"audio": "none.wav", "text": "a b c", "language": "kk"}\n')
    with pytest.raises(Invalid, match="see above why"):
        recipe.train(wish(path, tmp_path), said.append)
    assert said == [str(one) for one in manifest.read(path).left_out]
    assert "none.wav" in said[0]


def test_a_pack_is_not_measured_on_languages_it_does_not_know(
    tmp_path: Path, corpus: Corpus, said: list[str]
) -> None:
    own = wish(corpus("kk", 20), tmp_path)
    recipe.train(own, said.append)
    with pytest.raises(Invalid, match="no clip in a language of the pack"):
        exam.check(own.out, [corpus("ko", 3)], threads=1)


@pytest.mark.parametrize(
    ("tag", "code"), [("zh", "zh"), ("yue", "yue"), ("zh-u-sd-cnsc", "zh"), ("kk", "kk")]
)
def test_a_language_that_whisper_knows_keeps_its_code(tag: str, code: str) -> None:
    assert borrow.codes([tag], {}, ())[tag] == code


def test_languages_that_whisper_lacks_borrow_codes_of_their_own() -> None:
    found = borrow.codes(["ug", "ii", "za"], {"ug": "uz"}, ["haw"])
    assert found["ug"] == "uz"
    assert len(set(found.values())) == 3
    assert "haw" not in found.values()
    with pytest.raises(Invalid, match="no language code"):
        borrow.codes(["ug"], {"ug": "ug"}, ())


def test_what_packs_are_measured_with_is_never_trained_on(
    tmp_path: Path, corpus: Corpus, said: list[str]
) -> None:
    with pytest.raises(Invalid, match="must not be trained on"):
        recipe.train(wish(exam.heldout(), tmp_path), said.append)
    data = corpus("kk", 3)
    copied = shutil.copytree(data.parent, tmp_path / "copy")
    (copied / "0.flac").rename(copied / "a.flac")
    text = (copied / "manifest.jsonl").read_text(encoding="utf-8")
    text = text.replace("0.flac", "a.flac").splitlines()[0]
    (copied / "manifest.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(Invalid, match=r"a\.flac"):
        exam.require_apart([copied], [data])
    exam.require_apart([corpus("kk", 3, name="other", seed=9)], [data])


@pytest.mark.parametrize("base", ["none", "empty"])
def test_a_base_that_is_none_is_refused_before_anything_starts(
    tmp_path: Path, said: list[str], base: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Misconfigured):
        recipe.train(wish(tmp_path / "m.jsonl", tmp_path, base=str(tmp_path / base)), said.append)
    assert not said


def test_options_that_are_not_of_their_form_are_refused() -> None:
    assert recipe.borrowed(["ug=uz"]) == (("ug", "uz"),)
    assert recipe.named(["ii=Nuosu Yi=ꆈꌠꉙ"]) == (("ii", Language("Nuosu Yi", "ꆈꌠꉙ")),)
    assert curve.points("5,15") == (5.0, 15.0)
    for read in (recipe.borrowed, recipe.named):
        with pytest.raises(Invalid):
            read(["ug"])
    for written in ("", "15,5", "a", "0.1"):
        with pytest.raises(Invalid):
            curve.points(written)


def test_rows_of_steps_that_were_done_again_are_left_out_of_the_log() -> None:
    rows = [
        {"step": 20, "total": 3.0},
        {"step": 40, "total": 2.9},
        {"step": 45, "cer": {}},
        {"step": 40, "total": 2.5},
        {"step": 40, "cer": {}},
    ]
    assert plots.lasting(rows) == [rows[0], rows[3], rows[4]]
