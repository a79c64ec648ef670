"""The tokenizer: nothing is unwritable, and faster-whisper finds its way in it."""

from __future__ import annotations

import pytest
from faster_whisper.tokenizer import Tokenizer
from hypothesis import given
from hypothesis import strategies as st

from transcribe.train import tokens

TEXTS = {
    "zh": ["村里的路坏了", "三千五百块"],
    "kk": ["жол жоқ екен", "су бар"] * 30,
    "ko": ["마을에 물이 없어요"] * 30,
}
CODES = ("zh", "kk", "ko")
TOKENIZER = tokens.grow(TEXTS, CODES, reserve="银行")


@given(st.text())
def test_any_text_comes_back_as_it_was(text: str) -> None:
    ids = TOKENIZER.encode(text, add_special_tokens=False).ids
    assert TOKENIZER.decode(ids, skip_special_tokens=False) == text


@pytest.mark.parametrize("character", "村里的路坏了银行마을")
def test_a_character_is_one_token(character: str) -> None:
    assert len(TOKENIZER.encode(character).ids) == 1


def test_chinese_characters_are_not_joined() -> None:
    assert len(TOKENIZER.encode("村里的路坏了").ids) == 6


def test_frequent_neighbours_are_joined_where_words_have_spaces() -> None:
    assert len(TOKENIZER.encode(" жол жоқ").ids) < 8


def test_special_tokens_lie_where_whisper_has_them() -> None:
    prompt = tokens.prompt(TOKENIZER)
    assert prompt.start == prompt.end + 1
    assert list(prompt.languages.values()) == [prompt.start + i for i in (1, 2, 3)]
    assert prompt.first_time == prompt.no_times + 1
    assert TOKENIZER.id_to_token(prompt.first_time + 1500) == "<|30.00|>"
    assert TOKENIZER.get_vocab_size() == prompt.first_time + tokens.TIME_TOKENS


def test_one_entry_is_empty_so_that_ctranslate2_hears_many_languages() -> None:
    listed = tokens.vocabulary(TOKENIZER, TOKENIZER.get_vocab_size())
    assert listed.count("") == 1
    assert TOKENIZER.id_to_token(listed.index("")) == "<|startoflm|>"


def test_faster_whisper_suppresses_nothing_that_a_text_needs() -> None:
    suppressed = set(Tokenizer(TOKENIZER, True, "transcribe", "kk").non_speech_tokens)
    used = {
        i
        for language, texts in TEXTS.items()
        for text in texts
        for i in TOKENIZER.encode(text if language == "zh" else f" {text}").ids
    }
    assert not suppressed & used
    assert TOKENIZER.token_to_id("Ġ") not in suppressed


def test_a_language_more_leaves_texts_as_they_were() -> None:
    more = tokens.extended(TOKENIZER, ["kk", "tt"])
    assert list(tokens.prompt(more).languages) == ["zh", "kk", "ko", "tt"]
    for text in ("村里的路坏了", " жол жоқ екен", "abc 1"):
        assert more.encode(text).ids == TOKENIZER.encode(text).ids
    assert tokens.extended(TOKENIZER, ["kk"]) is TOKENIZER


def test_a_new_script_gets_a_token_a_sign_and_leaves_texts_as_they_were() -> None:
    yi = "ꆈꌠꉙ ꁱꂷ"
    assert len(TOKENIZER.encode(yi).ids) == 16  # bytes
    more = tokens.extended(TOKENIZER, ["haw"], [yi])
    assert len(more.encode(yi).ids) == 6
    assert more.decode(more.encode(yi).ids) == yi
    for text in ("村里的路坏了", " жол жоқ екен", "abc 1"):
        assert more.encode(text).ids == TOKENIZER.encode(text).ids
    assert list(tokens.prompt(more).languages) == ["zh", "kk", "ko", "haw"]
    assert tokens.extended(more, ["haw"], [yi]) is more


def test_common_characters_are_common() -> None:
    found = tokens.common_characters(500)
    assert len(set(found)) == 500
    assert {"人", "不", "大"} <= set(found)


def test_a_tokenizer_of_another_layout_is_refused() -> None:
    import tokenizers

    with pytest.raises(ValueError, match="the tokenizer has no"):
        tokens.prompt(tokenizers.Tokenizer(tokenizers.models.BPE()))
