"""The tidy version of a text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.tidy import tidy


@pytest.mark.parametrize(
    ("raw", "tag", "expected"),
    [
        ("請不要亂收費", "zh", "请不要乱收费"),
        ("村裏嘅錢冇公開", "yue", "村里嘅钱冇公开"),
        ("收了三百五十块钱", "zh", "收了350块钱"),
        ("拿走一万二千元", "zh", "拿走12000元"),
        ("我们一起去，万一不行呢", "zh", "我们一起去，万一不行呢"),
        ("二零二三年三月十五号下午三点半来的", "zh", "2023年3月15号下午3点半来的"),
        ("去年十二月的事", "zh", "去年12月的事"),
        ("三月份开始", "zh", "3月份开始"),
        ("等了三个月，一家六口", "zh", "等了三个月，一家六口"),
        ("十分困难，有一点远", "zh", "十分困难，有一点远"),
        ("ауылда екі жүз адам", "kk", "ауылда екі жүз адам"),
        ("", "zh", ""),
    ],
)
def test_chinese_is_simplified_and_its_numbers_become_digits(
    raw: str, tag: str, expected: str
) -> None:
    assert tidy(raw, tag) == expected


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="一二三十百千万年月日号点半分上下午收了元村里 ,。abc請", max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(tidy(text, "zh"), str)
