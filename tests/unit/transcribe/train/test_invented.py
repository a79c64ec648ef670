"""Invented sentences: what a decoder cannot know by heart."""

from __future__ import annotations

import random
import re

import pytest

from transcribe.train import grammar, invented
from transcribe.train.corpus import GRAMMARS, SEED
from transcribe.train.grammar import bare


@pytest.fixture(scope="module", params=["zh", "ug", "kk", "ko"])
def own(request: pytest.FixtureRequest) -> grammar.Grammar:
    return grammar.load(GRAMMARS / f"{request.param}.toml")


def test_they_are_the_same_every_time_and_keep_length_and_marks(own: grammar.Grammar) -> None:
    real = grammar.training_sentences(own, 200, SEED)
    made = invented.sentences(own, real, 100, SEED)
    assert made == invented.sentences(own, real, 100, SEED)
    marks = {re.sub(r"[^\W\d_]+", "w", text) for text in real}
    assert {re.sub(r"[^\W\d_]+", "w", text) for text in made} <= marks
    mean = sum(map(len, real)) / len(real)
    assert sum(map(len, made)) / len(made) == pytest.approx(mean, rel=0.5)


def test_hardly_anything_of_them_is_a_real_sentence(own: grammar.Grammar) -> None:
    real = grammar.training_sentences(own, 200, SEED)
    known = grammar.trained_grams(real)
    made = invented.sentences(own, real, 100, SEED)
    assert sum(grammar.overlap(text, known) for text in made) / len(made) < 0.7


def test_no_word_that_is_kept_out_of_training_is_invented() -> None:
    inventor = invented.Inventor(["anna", "nana", "anan"], {"ananna", "nanna"})
    rng = random.Random(1)
    words = {inventor.word(rng) for _ in range(200)}
    assert words
    assert not words & {"ananna", "nanna", "anna", "nana", "anan"}
    assert all(len(bare(word)) >= 3 for word in words)


def test_too_few_words_leave_nothing_to_invent() -> None:
    with pytest.raises(ValueError, match="nothing"):
        invented.Inventor(["abc"], set()).word(random.Random(1))
