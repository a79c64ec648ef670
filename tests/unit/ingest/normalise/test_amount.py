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
        ("三块半一斤", 3.5, "元", "三块半"),
        ("补两千一户", 2000, "元", "两千"),
        ("一百五一天", 150, "元", "一百五"),
        ("3000多的药费", 3000, "元", "3000多"),
        ("一只羊一千二", 1200, "元", "一千二"),
        ("两个读书的娃儿", 2, "人", "两个读书的娃儿"),
        ("十几号人没饭吃", 10, "人", "十几号人"),
        ("一百一十户没水", 110, "户", "一百一十户"),
        ("两亩六只算了一点", 2.6, "亩", "两亩六"),
        ("占了四亩多", 4, "亩", "四亩多"),
        ("田少算了四分，没人管", 0.4, "亩", "四分"),
        ("一亩补一百一十块", 110, "元", "一百一十块"),
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
        "过了三个月", "砍秃了一块", "收了三百桶油",
        "三个月没发工资的工人", "招的三个都是院长的亲戚",
        "老人家都八十一了", "包工头邢万才跑了", "千儿八百的小事",
    ],
)  # fmt: skip
def test_what_counts_nothing_is_no_amount(lexicons: Lexicons, typed: Typed, text: str) -> None:
    assert lexicons.counter.find(typed(text), ()) == ()


def test_the_same_amount_said_twice_is_listed_once(lexicons: Lexicons, typed: Typed) -> None:
    found = lexicons.counter.find(typed("收了五百块，五百块没有发票"), ())
    assert [one.amount.value for one in found] == [500]
