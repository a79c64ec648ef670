"""The recipe in use: a manifest becomes a pack, from nothing, a pack or a stock Whisper."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from faster_whisper import WhisperModel

from models import packs
from transcribe.train import curve, manifest, recipe, tokens
from transcribe.train.recipe import Language, Wish

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

    rehearsal = recipe.rehearsal(first.data[0], tmp_path / "rehearsal")
    second = wish(
        corpus("ii", 20, seed=2),
        tmp_path / "second",
        base=str(first.out),
        rehearsal=rehearsal,
        languages=(("ii", Language("Nuosu Yi", "ꆈꌠꉙ")),),
    )
    grown = recipe.train(second, said.append).pack
    assert grown.tags == ("kk", "ii")
    yi = grown.language("ii")
    assert yi is not None
    assert (yi.name, yi.borrowed) == ("Nuosu Yi", True)
    assert yi.token != "yi"  # Whisper's yi is Yiddish
    model = WhisperModel(str(second.out), device="cpu", compute_type="int8", cpu_threads=1)
    assert model.model.is_multilingual
    assert yi.token in model.supported_languages
    rows, refused = recipe.check(second.out, first.data[0], threads=1)
    assert not refused
    assert rows[0].clips == 20
    verdict = recipe.compare(first.out, second.out, second.data[0], threads=1)
    assert verdict.worse is (verdict.old < 1)  # the first pack lacks the language
    assert verdict.new == 1

    asked = curve.Question(
        tag="ii",
        shown=Language("Nuosu Yi", "ꆈꌠꉙ"),
        data=second.data[0],
        heldout=corpus("ii", 4, name="held", seed=5),
        old=first.data[0],
        base=first.out,
        work=tmp_path / "curve",
        minutes=(1.02, 1.2),
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
def test_a_stock_whisper_is_tuned_by_low_rank_matrices(
    tmp_path: Path, corpus: Corpus, said: list[str]
) -> None:
    data = corpus("tr", 20)
    base = stock_whisper(tmp_path / "stock", data)
    own = wish(data, tmp_path, base=str(base))
    outcome = recipe.train(own, said.append)
    assert outcome.pack.tags == ("tr",)
    assert outcome.pack.thresholds.window_floor_seconds == 10
    assert json.loads((own.out / "config.json").read_text())["alignment_heads"] == [[0, 1]]
    assert any("M of" in line for line in said)
    again = recipe.train(replace(own, steps=3), said.append)
    assert again.pack.tags == ("tr",)


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
    with pytest.raises(manifest.ManifestError, match="holds a run of other data"):
        recipe.train(wish(corpus("kk", 20, name="other", seed=9), tmp_path), said.append)


def test_a_manifest_without_one_good_line_is_refused(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text('{"audio": "none.wav", "text": "a b c", "language": "kk"}\n')
    with pytest.raises(manifest.ManifestError, match=r"none\.wav"):
        recipe.train(wish(path, tmp_path), said.append)


def test_a_pack_is_not_measured_on_languages_it_does_not_know(
    tmp_path: Path, corpus: Corpus, said: list[str]
) -> None:
    own = wish(corpus("kk", 20), tmp_path)
    recipe.train(own, said.append)
    with pytest.raises(manifest.ManifestError, match="no clip in a language of the pack"):
        recipe.check(own.out, corpus("ko", 3), threads=1)


@pytest.mark.parametrize(
    ("tag", "code"), [("zh", "zh"), ("yue", "yue"), ("zh-u-sd-cnsc", "zh"), ("kk", "kk")]
)
def test_a_language_that_whisper_knows_keeps_its_code(tag: str, code: str) -> None:
    assert recipe.codes([tag], {}, ())[tag] == code


def test_languages_that_whisper_lacks_borrow_codes_of_their_own() -> None:
    found = recipe.codes(["ug", "ii", "za"], {"ug": "uz"}, ["haw"])
    assert found["ug"] == "uz"
    assert len(set(found.values())) == 3
    assert "haw" not in found.values()
    with pytest.raises(ValueError, match="no language code"):
        recipe.codes(["ug"], {"ug": "ug"}, ())
