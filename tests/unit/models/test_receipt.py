"""A receipt catches what people mistype."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import receipt
from models.errors import Invalid

bodies = st.text("0123456789", min_size=15, max_size=15)


def complete(body: str) -> str:
    return body + receipt.check_digit(body)


@given(bodies, st.integers(0, 15), st.integers(1, 9))
def test_any_single_wrong_digit_is_caught(body: str, place: int, change: int) -> None:
    digits = list(complete(body))
    digits[place] = str((int(digits[place]) + change) % 10)
    with pytest.raises(Invalid):
        receipt.parse("".join(digits))


@given(bodies, st.integers(0, 14))
def test_any_swap_of_neighbours_is_caught(body: str, place: int) -> None:
    digits = list(complete(body))
    swapped = digits.copy()
    swapped[place], swapped[place + 1] = digits[place + 1], digits[place]
    if swapped == digits:
        return
    with pytest.raises(Invalid):
        receipt.parse("".join(swapped))


def test_a_drawn_receipt_reads_back_however_it_is_written() -> None:
    drawn = receipt.draw()
    full_width = "".join(chr(ord("０") + int(digit)) for digit in drawn)
    assert receipt.parse(receipt.grouped(drawn)) == drawn
    assert receipt.parse(receipt.grouped(drawn).replace(" ", "-")) == drawn
    assert receipt.parse(full_width) == drawn


@pytest.mark.parametrize("written", ["", "123", "一二三四", "1" * 40, "abcd" * 4, "²" * 16])
def test_what_is_no_receipt_is_refused_in_two_languages(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        receipt.parse(written)
    assert refused.value.zh
    assert refused.value.en


def test_damms_published_example_holds() -> None:
    assert receipt.check_digit("572") == "4"
