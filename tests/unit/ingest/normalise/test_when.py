"""When it happened: expressions of time, and which of them dates the act."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.normalise import when
from tests.unit.ingest.normalise.conftest import RECEIVED, Date


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
        ("上前年", "2023-01-01", "2023-12-31", "year"),
        ("三月二十几号", "2026-03-20", "2026-03-29", "range"),
        ("上个月十几号", "2026-04-11", "2026-04-19", "range"),
        ("元月十一号", "2026-01-11", "2026-01-11", "day"),
        ("去年三四月", "2025-03-01", "2025-04-30", "range"),
        ("2025-12-03", "2025-12-03", "2025-12-03", "day"),
        ("2025.12", "2025-12-01", "2025-12-31", "month"),
        ("大年三十晚上", "2026-02-16", "2026-02-16", "day"),
        ("去年中秋晚上", "2025-10-06", "2025-10-06", "day"),
        ("国庆节", "2025-10-01", "2025-10-07", "range"),
        ("端阳", "2025-05-31", "2025-05-31", "day"),
        ("入秋", "2025-09-01", "2025-11-30", "season"),
        ("这周", "2026-05-11", "2026-05-14", "range"),
        ("今年一月起领到现在", "2026-01-01", "2026-05-14", "range"),
    ],
)
def test_an_expression_of_time_is_an_interval(
    said: str, start: str, end: str, precision: str
) -> None:
    (one,) = when.joined(f"{said}，停水了", RECEIVED)
    assert (one.span.start, one.span.end) == (0, len(said))
    assert (str(one.interval.start), str(one.interval.end)) == (start, end)
    assert one.interval.precision == precision


@pytest.mark.parametrize(
    "text",
    [
        "都快过年了没发", "周一到周五都不开门", "星期一至五办公", "眼看就要国庆了",
        "最近一直停水", "每个月都停水", "每年春节都来收", "这几天没水", "前几年修的", "拖了三年",
        "住五一路的人", "李国庆打人", "三月三庙会收钱", "今年八十岁了", "明年再说", "下个月才发",
        "我今年五十八。", "娃儿今年高三", "工资四千五一个月", "三块六一吨", "六一超市卖假货",
        "我是六二年的，没有低保", "李清明打人", "干了15年没有工钱", "过年过节都要送礼",
        "每年都是三月份来收", "每个月十五号来收钱", "保修卡保到2030年10月", "春天幼儿园乱收费",
    ],
)  # fmt: skip
def test_what_says_no_day_is_no_time(text: str) -> None:
    assert when.joined(text, RECEIVED) == []


@pytest.mark.parametrize(
    "text",
    [
        "说好去年年底给，没给", "去年年底才晓得钱没了", "上个月给镇上反映过",
        "今年的合作医疗涨到四百", "能不能在春节前解决", "我老公去年走了，留下两个娃儿",
        "路是二〇一九年修的，现在烂了", "上个月我去镇上问过", "五月十二号报的案",
        "12月20号是最后一天", "欠条上写的去年腊月二十",
        "夏天臭得很，冬天好一点", "六月十八号去村上一问，才晓得地没了",
        "二〇二一年就说要硬化，到现在没动", "2009年参加工作，现在没人管", "星期六也要补课",
        "周末不开门", "端午、中秋都要送礼", "九月份就要开学了，没有钱",
        "合同从2020年到2030年，他不付钱", "今年都七月了还没打", "国家从去年起取消了，村上还在收",
        "今天我要举报村支书", "上个月交的资料，到现在没得信", "申请三月就送到镇上了，没人管",
        "昨天又跑了一趟，没人理", "清明我回来一看，树遭砍完了", "2024年9月的判决，到现在没执行",
        "重阳快拢了，想办个坝坝宴", "这半年都在成都带娃，没回去过", "当年2011年埋的管子",
        "去年才安的表，要收三百八换新的", "今年还办不办培训班", "前天开会问他，他还骂人",
        "大女儿在住校，零九年的，个子小", "二月、三月各打了一回12345",
        "老伴前年冬天走的，没人管",
        "请问今年的补贴什么时候发",
        "老井是一九五三年打的，四代人吃它的水，姓涂的拿水泥板盖死了",
        "我去年秋天退的伍，想学开挖机，人社局的科长喊一个人给他六百",
    ],
)  # fmt: skip
def test_what_dates_no_act_is_no_time(dated: Date, text: str) -> None:
    assert dated(text) is None


@pytest.mark.parametrize(
    ("text", "said", "start"),
    [
        ("从三月干到八月没拿到钱", "从三月干到八月", date(2025, 3, 1)),
        ("今年二月份起，每个月扣五十", "今年二月份起", date(2026, 2, 1)),
        ("去年村里换届，他挨家送米", "去年", date(2025, 1, 1)),
        ("村主任昨天打电话骂我", "昨天", date(2026, 5, 13)),
        ("去年暑假淹死了一个娃儿，没人管", "去年暑假", date(2025, 7, 1)),
        ("去年的退伍兵慰问金没有发", "去年", date(2025, 1, 1)),
        ("村上上个月底喊每户交四十五", "上个月底", date(2026, 4, 21)),
        ("我1983年回来的，前年他占了我的地", "前年", date(2024, 1, 1)),
        ("今年考高中，四月十二号我把钱给他的", "四月十二号", date(2026, 4, 12)),
        ("从2021年以来把慰问金都代领了", "从2021年以来", date(2021, 1, 1)),
        ("前年打的井，昨天叫他锁了", "昨天", date(2026, 5, 13)),
        ("今年五一我去银行拉单子，去年八月就遭取空了", "去年八月", date(2025, 8, 1)),
        ("去年七月涨大水捐的棉絮，今年四月他拉回家了", "今年四月", date(2026, 4, 1)),
        ("去年他家请过客，这个月二号的事，他砍了我的树", "这个月二号", date(2026, 5, 2)),
        ("去年十月才打的水泥路，今年三月就裂了", "去年十月", date(2025, 10, 1)),
        (
            "我娃是二〇二四年夏天考起大学的，今年五月文书喊我去签字，只数给我一半",
            "今年五月",
            date(2026, 5, 1),
        ),
        ("村支书去年收了我三百块，没有开票", "去年", date(2025, 1, 1)),
    ],
)
def test_of_several_times_that_of_the_act_is_chosen(
    dated: Date, text: str, said: str, start: date
) -> None:
    time = dated(text)
    assert time is not None
    assert (time.text, time.start) == (said, start)


def test_the_last_days_of_the_old_year_still_mean_the_new_year_before_by_nian_qian() -> None:
    (one,) = when.joined("年前来收的钱", date(2026, 1, 25))
    assert one.interval.start == date(2024, 12, 31)


SAID = st.sampled_from(
    [
        "去年", "上前年", "三月二十几号", "上个月十几号", "上个月二十几号", "元月", "三四月",
        "2025-02-29", "2024.2", "二月三十号", "大年初十", "年三十晚上", "这周", "上上个星期天",
        "2021年以来", "九百年来", "三月起领到现在", "从去年三四月到现在", "前晚上", "十一长假",
        "国庆节后", "农历闰二月", "周五一早",
    ]
)  # fmt: skip


@given(said=st.lists(SAID, min_size=1, max_size=3), received=st.dates(date(1960, 1, 1)))
def test_no_interval_begins_after_its_end_or_ends_after_the_day_received(
    said: list[str], received: date
) -> None:
    text = "，".join(said) + "停水了"
    for one in when.joined(text, received):
        assert one.interval.start <= one.interval.end <= received
        assert 0 <= one.span.start < one.span.end < len(text)


def test_what_is_chosen_is_told_in_its_own_words(dated: Date) -> None:
    time = dated("他家前天晚上把我们的谷子收了")
    assert time is not None
    assert (time.text, str(time.start)) == ("前天晚上", "2026-05-12")


@pytest.mark.parametrize("received", [date(1899, 12, 31), date(2101, 6, 1), date(1, 1, 1)])
def test_a_day_outside_the_lunar_tables_gives_no_error(received: date) -> None:
    for said in ("腊月二十三停水", "年前停水", "过年停水", "去年停水", "上个月停水", "三年前停水"):
        when.joined(said, received)
