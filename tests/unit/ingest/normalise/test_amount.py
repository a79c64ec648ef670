from collections.abc import Callable

import pytest

from ingest.normalise import Lexicons
from ingest.normalise.reading import Reading

Typed = Callable[[str], Reading]


@pytest.mark.parametrize(
    ("text", "value", "unit", "said"),
    [
        ("收了我三千八，没开票", 3800, "元", "三千八"),
        ("每吨四块五", 4.5, "元", "四块五"),
        ("一度电五角钱", 0.5, "元", "五角"),
        ("罚了两百多块钱", 200, "元", "两百多块"),
        ("三百块一个月", 300, "元", "三百块"),
        ("补偿款八万，一直没给", 80000, "元", "八万"),
        ("欠款3.5万元", 35000, "元", "3.5万元"),
        ("一天一百二一天", 120, "元", "一百二"),
        ("三十几个娃儿拉肚子", 30, "人", "三十几个娃儿"),
        ("家里四口人", 4, "人", "四口人"),
        ("十几户没水", 10, "户", "十几户"),
        ("三户人家没通电", 3, "户", "三户人家"),
        ("占了一亩半地", 1.5, "亩", "一亩半"),
        ("占了两亩三分地", 2.3, "亩", "两亩三分地"),
        ("占了三分地", 0.3, "亩", "三分地"),
        ("一百二十个平方的房子", 120, "平方米", "一百二十个平方"),
        ("停了二十多天", 20, "天", "二十多天"),
    ],
)
def test_an_amount_is_read_with_its_unit(
    lexicons: Lexicons, typed: Typed, text: str, value: float, unit: str, said: str
) -> None:
    (found,) = lexicons.counter.find(typed(text), ())
    assert (found.amount.value, found.amount.unit, found.amount.text) == (value, unit, said)


@pytest.mark.parametrize(
    "text",
    [
        "一分钱没见到", "几千块", "好几百", "五个村民小组", "八十岁的老人", "三组的路", "第三天",
        "一个人", "一家人", "一天", "打了110", "万一垮了", "千万莫说", "三番五次", "走了两公里",
        "过了三个月", "砍秃了一块",
    ],
)  # fmt: skip
def test_what_counts_nothing_is_no_amount(lexicons: Lexicons, typed: Typed, text: str) -> None:
    assert lexicons.counter.find(typed(text), ()) == ()


def test_the_same_amount_said_twice_is_listed_once(lexicons: Lexicons, typed: Typed) -> None:
    found = lexicons.counter.find(typed("收了五百块，五百块没有发票"), ())
    assert [one.amount.value for one in found] == [500]
