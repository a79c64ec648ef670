from collections.abc import Callable
from datetime import date

import pytest

from ingest.normalise import Lexicons
from ingest.normalise.reading import Reading
from tests.unit.ingest.normalise.conftest import RECEIVED

Typed = Callable[[str], Reading]


@pytest.mark.parametrize(
    ("said", "start", "end", "precision"),
    [
        ("去年", "2025-01-01", "2025-12-31", "year"),
        ("二〇二三年", "2023-01-01", "2023-12-31", "year"),
        ("二三年", "2023-01-01", "2023-12-31", "year"),
        ("去年冬天", "2025-12-01", "2026-02-28", "season"),
        ("年底", "2025-11-01", "2025-12-31", "range"),
        ("下半年", "2025-07-01", "2025-12-31", "range"),
        ("上个月", "2026-04-01", "2026-04-30", "month"),
        ("三月份", "2026-03-01", "2026-03-31", "month"),
        ("八月份", "2025-08-01", "2025-08-31", "month"),
        ("上个月底", "2026-04-21", "2026-04-30", "range"),
        ("3月15日", "2026-03-15", "2026-03-15", "day"),
        ("十五号", "2026-04-15", "2026-04-15", "day"),
        ("前天下午", "2026-05-12", "2026-05-12", "day"),
        ("周二晚上", "2026-05-12", "2026-05-12", "day"),
        ("上周二", "2026-05-05", "2026-05-05", "day"),
        ("上周末", "2026-05-09", "2026-05-10", "range"),
        ("三天前", "2026-05-11", "2026-05-11", "day"),
        ("三个月前", "2026-02-01", "2026-02-28", "month"),
        ("前几天", "2026-05-07", "2026-05-13", "range"),
        ("这三年来", "2023-05-14", "2026-05-14", "range"),
        ("从去年三月到现在", "2025-03-01", "2026-05-14", "range"),
        ("前年到去年", "2024-01-01", "2025-12-31", "range"),
        ("去年八月到今年二月", "2025-08-01", "2026-02-28", "range"),
        ("前年国庆", "2024-10-01", "2024-10-07", "range"),
        ("国庆前", "2025-09-24", "2025-09-30", "range"),
        ("过年", "2026-02-17", "2026-02-23", "range"),
        ("年前", "2026-01-19", "2026-02-16", "month"),
        ("去年过年", "2025-01-29", "2025-02-04", "range"),
        ("去年腊月", "2026-01-19", "2026-02-16", "month"),
        ("腊月二十三", "2026-02-10", "2026-02-10", "day"),
        ("腊月二十几", "2026-02-07", "2026-02-16", "range"),
        ("除夕", "2026-02-16", "2026-02-16", "day"),
        ("端午", "2025-05-31", "2025-05-31", "day"),
        ("八月十五", "2025-10-06", "2025-10-06", "day"),
        ("农历三月", "2026-04-17", "2026-05-14", "month"),
    ],
)
def test_an_expression_of_time_is_an_interval(
    lexicons: Lexicons, typed: Typed, said: str, start: str, end: str, precision: str
) -> None:
    time = lexicons.chooser.find(typed(f"{said}，停水了"), RECEIVED)
    assert time is not None
    assert time.occurred.text == said
    assert (str(time.occurred.start), str(time.occurred.end)) == (start, end)
    assert time.occurred.precision == precision


@pytest.mark.parametrize(
    "text",
    [
        "最近一直停水", "每个月都停水", "每年春节都来收", "这几天没水", "前几年修的", "拖了三年",
        "住五一路的人", "李国庆打人", "三月三庙会收钱", "今年八十岁了", "明年再说", "下个月才发",
        "说好去年年底给，没给", "去年年底才晓得钱没了", "上个月给镇上反映过",
        "我今年五十八。", "娃儿今年高三", "今年的合作医疗涨到四百", "能不能在春节前解决",
        "我老公去年走了，留下两个娃儿", "路是二〇一九年修的，现在烂了", "上个月我去镇上问过",
        "五月十二号报的案", "12月20号是最后一天", "工资四千五一个月", "三块六一吨",
        "都快过年了没发", "欠条上写的去年腊月二十", "夏天臭得很，冬天好一点", "周一到周五都不开门",
        "六一超市卖假货",
    ],
)  # fmt: skip
def test_what_dates_no_act_is_no_time(lexicons: Lexicons, typed: Typed, text: str) -> None:
    assert lexicons.chooser.find(typed(text), RECEIVED) is None


@pytest.mark.parametrize(
    ("text", "said", "start"),
    [
        ("从三月干到八月没拿到钱", "从三月干到八月", date(2025, 3, 1)),
        ("今年二月份起，每个月扣五十", "今年二月份起", date(2026, 2, 1)),
        ("去年村里换届，他挨家送米", "去年", date(2025, 1, 1)),
    ],
)
def test_a_time_lasts_as_long_as_the_text_says(
    lexicons: Lexicons, typed: Typed, text: str, said: str, start: date
) -> None:
    time = lexicons.chooser.find(typed(text), RECEIVED)
    assert time is not None
    assert (time.occurred.text, time.occurred.start) == (said, start)


def test_the_last_days_of_the_old_year_still_mean_the_new_year_before_by_nian_qian(
    lexicons: Lexicons, typed: Typed
) -> None:
    time = lexicons.chooser.find(typed("年前来收的钱"), date(2026, 1, 25))
    assert time is not None
    assert time.occurred.start == date(2024, 12, 31)


def test_a_question_is_not_dated_by_a_bare_year(lexicons: Lexicons, typed: Typed) -> None:
    reading = typed("请问今年的补贴什么时候发")
    assert lexicons.chooser.find(reading, RECEIVED, "none") is None


@pytest.mark.parametrize("received", [date(1899, 12, 31), date(2101, 6, 1), date(1, 1, 1)])
def test_a_day_outside_the_lunar_tables_gives_no_error(
    lexicons: Lexicons, typed: Typed, received: date
) -> None:
    for said in ("腊月二十三停水", "年前停水", "过年停水", "去年停水", "上个月停水", "三年前停水"):
        lexicons.chooser.find(typed(said), received)
