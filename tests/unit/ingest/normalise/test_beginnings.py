"""Words of long lists are found wherever they begin, also those of one sign."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ingest.normalise.beginnings import Beginnings
from ingest.normalise.lexicon import any_of

signs = st.text("甲乙丙.", max_size=5)
words = st.lists(st.text("甲乙丙.", min_size=1, max_size=4), min_size=1, max_size=8)


@given(words, signs)
def test_no_word_is_missed(known: list[str], text: str) -> None:
    beginnings = Beginnings(known)
    for start in range(len(text)):
        here = {word for word in known if text.startswith(word, start)}
        lengths = beginnings.lengths(text, start)
        assert list(lengths) == sorted(lengths, reverse=True)
        assert here <= {text[start : start + length] for length in lengths}


@given(words, signs)
def test_a_pattern_of_any_word_matches_the_longest_of_them(known: list[str], text: str) -> None:
    match = re.match(any_of(known), text)
    here = [word for word in known if text.startswith(word)]
    assert (match.group() if match else None) == max(here, key=len, default=None)


@given(words, signs)
def test_a_pattern_of_any_word_goes_back_to_a_shorter_one(known: list[str], text: str) -> None:
    whole = re.fullmatch(any_of(known) + r"[甲乙丙.]", text)
    assert bool(whole) == any(len(text) == len(word) + 1 and text[:-1] == word for word in known)


def test_of_no_words_nothing_remains() -> None:
    assert any_of([]) == ""
