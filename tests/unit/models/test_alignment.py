"""Words that were not touched keep their times."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models import alignment
from models.transcript import Word


def words(*texts: str) -> list[Word]:
    return [Word(start=n, end=n + 1, text=text, probability=0.5) for n, text in enumerate(texts)]


def aligned(old: list[Word], *lines: str) -> list[list[tuple[str, float, float]]]:
    found = alignment.align(old, old, lines, 0.0, float(len(old)))
    return [[(word.text, word.start, word.end) for word in line] for line in found]


def test_a_text_that_was_not_changed_keeps_every_word() -> None:
    old = words("低保", "的", "钱", " salem", " dunya")
    assert alignment.align(old, old, ["低保的钱 salem dunya"], 0, 5) == [tuple(old)]


def test_a_mended_word_shares_the_time_of_what_it_replaced() -> None:
    assert aligned(words("抵保", "没有", "发"), "低保没有发") == [
        [("低", 0.0, 0.5), ("保", 0.5, 1.0), ("没有", 1, 2), ("发", 2, 3)]
    ]


def test_a_word_of_letters_is_mended_whole() -> None:
    assert aligned(words("su", " turuba", " buzuq"), "su turubisi buzuq") == [
        [("su", 0, 1), (" turubisi", 1.0, 2.0), (" buzuq", 2, 3)]
    ]


def test_cutting_a_segment_loses_no_time() -> None:
    assert aligned(words("我", "们", "村"), "我们", "村") == [
        [("我", 0, 1), ("们", 1, 2)],
        [("村", 2, 3)],
    ]


def test_a_hidden_word_that_stays_hidden_is_what_it_was() -> None:
    old = words("电话", "13800000000", "打过")
    shown = words("电话", "●●●●●●●●●●●", "打过")
    found = alignment.align(old, shown, ["电话●●●●●●●●●●●打通过"], 0, 3)
    assert alignment.text_of(found[0]) == "电话13800000000打通过"


TEXT = st.text(alphabet="低保发钱没有 abв سۇ，", max_size=12)


@given(st.lists(TEXT.filter(str.strip), max_size=8), st.lists(TEXT, min_size=1, max_size=4))
def test_any_edit_gives_its_own_text_in_order(before: list[str], after: list[str]) -> None:
    old = words(*before)
    found = alignment.align(old, old, after, 0.0, float(len(old) or 1))
    for text, line in zip(after, found, strict=True):
        assert "".join(word.text for word in line).split() == text.split()
    every = [word for line in found for word in line]
    assert all(word.start <= word.end for word in every)
    assert all(a.start <= b.start + 1e-9 for a, b in pairwise(every))
