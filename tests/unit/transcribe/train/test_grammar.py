"""What a grammar says, and that training never hears what is kept out of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from transcribe.train import grammar


def test_a_reference_to_a_missing_rule_is_an_error(grammar_file: Path) -> None:
    text = grammar_file.read_text(encoding="utf-8").replace("{deed}", "{dead}", 1)
    grammar_file.write_text(text, encoding="utf-8")
    with pytest.raises(grammar.GrammarError, match="'dead', which is missing"):
        grammar.load(grammar_file)


def test_a_rule_without_end_is_an_error(grammar_file: Path) -> None:
    text = grammar_file.read_text(encoding="utf-8").replace('["бүгін",', '["{when} ", "{x}"]\nx=[')
    text = text.replace('x=[ "кеше", "ертең", "биыл"]', 'x = ["{when}"]')
    grammar_file.write_text(text, encoding="utf-8")
    with pytest.raises(grammar.GrammarError, match="never ends"):
        grammar.load(grammar_file)


def test_a_missing_key_is_named(grammar_file: Path) -> None:
    text = grammar_file.read_text(encoding="utf-8").replace("espeak =", "speaker =")
    grammar_file.write_text(text, encoding="utf-8")
    with pytest.raises(grammar.GrammarError, match="'espeak' is missing"):
        grammar.load(grammar_file)


def test_training_has_no_value_that_is_kept_out(grammar_file: Path) -> None:
    own = grammar.load(grammar_file)
    kept_out = {"".join(value) for _, value in own.kept_out}
    words = {word for text in grammar.training_sentences(own, 300, 1) for word in text.split()}
    assert kept_out
    assert not kept_out & {word.strip(",") for word in words}


def test_about_the_stated_share_is_kept_out(grammar_file: Path) -> None:
    own = grammar.load(grammar_file)
    values = sum(len(own.rules[rule]) for rule in own.unseen)
    assert 0.1 < len(own.kept_out) / values < 0.55


def test_the_same_seed_says_the_same(grammar_file: Path) -> None:
    own = grammar.load(grammar_file)
    assert grammar.training_sentences(own, 50, 3) == grammar.training_sentences(own, 50, 3)
    assert grammar.training_sentences(own, 50, 3) != grammar.training_sentences(own, 50, 4)


def test_held_out_sentences_are_new_to_training(grammar_file: Path) -> None:
    own = grammar.load(grammar_file)
    trained = grammar.training_sentences(own, 60, 1)
    held = grammar.heldout_sentences(own, 20, 2, trained)
    known = grammar.trained_grams(trained)
    assert not {grammar.bare(s.text) for s in held} & {grammar.bare(t) for t in trained}
    assert all(grammar.overlap(s.text, known) <= 0.5 for s in held)
    assert sum(s.held_values for s in held) >= 0.1 * sum(s.values for s in held)


def test_too_small_a_grammar_is_refused(grammar_file: Path) -> None:
    own = grammar.load(grammar_file)
    with pytest.raises(grammar.GrammarError, match=r"only .* of 100000 sentences differ"):
        grammar.training_sentences(own, 100_000, 1)


def test_scores_compare_letters_only() -> None:
    assert grammar.bare("Иә, 村 «A»。1") == "иә村a1"


def test_a_comparison_counts_what_is_shared() -> None:
    report = grammar.compare(["жол жоқ екен", "су бар"], ["жол жоқ екен", "үй бар"])
    assert report.same == 1
    assert report.worst_overlap == 1.0
    assert report.unseen_words == pytest.approx(1 / 5)


def test_every_grammar_of_the_samples_can_be_used() -> None:
    folder = Path(__file__).parents[4] / "samples" / "grammars"
    for path in sorted(folder.glob("*.toml")):
        own = grammar.load(path)
        assert grammar.say(own, random.Random(1), training=True).text
