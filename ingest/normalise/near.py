"""Expressions of time that count from the day received: 昨天, 上个月, 这三年来."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from ingest.normalise import almanac
from ingest.normalise.almanac import DAY, Interval
from ingest.normalise.datewords import (
    ABOUT_DAY,
    ABOUT_DAYS,
    BARE_DAY,
    COUNTED,
    DAY_NUMBER,
    DAY_OF_MONTH,
    HAN,
    THIRDS,
    number_of,
)

LONGEST = 999  # 2021年以来 is no span of 2021 years
_COUNT = r"(?P<count>\d{1,4}|[一二两三四五六七八九十]{1,4}|半)"
# 村上上个月: the first 上 belongs to the village
_TWICE = r"(?<![村镇乡县社队组街场网路身])"
_NEAR_MONTH = re.compile(
    rf"(?P<back>{_TWICE}上上个月|{_TWICE}上上月|上个月|{_TWICE}上月(?!月)|这个月|(?<!户口)本月)(?:份)?"
    rf"(?:的?(?:(?P<about>{ABOUT_DAY}){DAY_OF_MONTH}|(?P<day>{DAY_NUMBER}){DAY_OF_MONTH}"
    rf"|(?P<bare_day>{BARE_DAY})"
    r"|(?P<part>上旬|中旬|下旬|月?初(?![一二三])|月?底(?!下)|月?末)))?"
)
_MONTH_THIRD = re.compile(r"月初|上旬|月中(?!秋)|中旬|月底|月末|下旬")
_NEAR_DAY = re.compile(
    r"(?P<day>大前天|前天|前日|昨天|昨日|今天|今日)"
    r"|(?P<night>昨晚上?|昨夜|今晚上?|今早上?|前晚上?|(?<!如)[昨今](?:下午|上午|早上?|儿|个(?![月人个])))"
)
_NEAR_DAYS = {
    "大前天": 3,
    "前天": 2,
    "前日": 2,
    "昨天": 1,
    "昨日": 1,
    "今天": 0,
    "今日": 0,
    "昨": 1,
    "今": 0,
    "前": 2,
}
_WEEKDAY = re.compile(
    rf"(?P<back>{_TWICE}上上个?|上个?|这个?|本)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天1-6])(?!{COUNTED}|[个以年围转]|天天)"
)
_WEEKEND = re.compile(r"(?P<back>上个?|这个?|本)?周末")
_WEEK = re.compile(rf"(?:{_TWICE}上上|上|这|本)个?(?:周|星期|礼拜)(?!末)")
_AGO = re.compile(
    rf"(?<![\d{HAN}第十百千万几两前近每])(?P<count>\d{{1,4}}|[一二两三四五六七八九十]{{1,4}}|半)(?P<unit>天|个?星期|个?礼拜|周|个多?月|年)(?:以前|之前|前(?!后|面|任))"
)
_LATELY = re.compile(
    r"前几天|前几日|前两天|前些天|(?<![十百好])几天(?:以|之)?前|前(?:一)?段时间|前阵子|前一阵子?"
)
_SPAN = "个多?星期|个多?礼拜|周|天|个多?月|年多?"
_SINCE = re.compile(
    rf"(?:(?P<lead>这|最?近)(?:过去)?{_COUNT.replace('count', 'led')}(?P<led_unit>{_SPAN})"
    r"(?P<led_tail>以?来|内|里|之内|间|多(?![抄收扣交算要出报占给用拿发付花]))?"
    rf"|(?<![\d{HAN}十百千几两第近这每]){_COUNT}(?P<unit>{_SPAN})以?来(?!了?回|的路|人|过))"
)


def _near_month(match: re.Match[str], received: date) -> Interval | None:
    months = {"这": 0, "本": 0}.get(match["back"][0], 2 if match["back"].startswith("上上") else 1)
    first = almanac.back(received.replace(day=1), months=months)
    whole = almanac.month(first.month, first.year)
    if match["about"]:
        low, high = ABOUT_DAYS[match["about"]]
        stretch = almanac.days(first.replace(day=low), min(first.replace(day=high), whole.end))
        return almanac.cut(stretch, received)
    said = match["day"] or match["bare_day"]
    if said:
        return almanac.cut(almanac.one_day(first.replace(day=number_of(said))), received)
    if match["part"]:
        part = THIRDS[match["part"].removeprefix("月")]
        return almanac.cut(almanac.third(whole, part), received)
    return almanac.cut(whole, received)


def _month_third(match: re.Match[str], received: date) -> Interval | None:
    part = THIRDS[match.group().removeprefix("月")]
    for months in (0, 1):
        first = almanac.back(received.replace(day=1), months=months)
        interval = almanac.cut(
            almanac.third(almanac.month(first.month, first.year), part), received
        )
        if interval is not None:
            return interval
    return None


def _near_day(match: re.Match[str], received: date) -> Interval | None:
    said = match["day"] or match["night"][0]
    return almanac.one_day(received - _NEAR_DAYS[said] * DAY)


def _weekday(match: re.Match[str], received: date) -> Interval | None:
    weekday = "一二三四五六日".find(match["weekday"].replace("天", "日"))
    weekday = int(match["weekday"]) - 1 if match["weekday"].isdigit() else weekday
    back = match["back"] or ""
    monday = received - received.weekday() * DAY
    if back.startswith("上"):
        weeks = 2 if back.startswith("上上") else 1
        return almanac.one_day(monday - 7 * weeks * DAY + weekday * DAY)
    if back:
        return almanac.cut(almanac.one_day(monday + weekday * DAY), received)
    return almanac.one_day(received - (received.weekday() - weekday) % 7 * DAY)


def _weekend(match: re.Match[str], received: date) -> Interval | None:
    monday = received - received.weekday() * DAY
    saturday = monday + 5 * DAY
    if (match["back"] or "").startswith("上") or saturday > received:
        saturday -= 7 * DAY
    return almanac.cut(almanac.days(saturday, saturday + DAY), received)


def _week(match: re.Match[str], received: date) -> Interval | None:
    weeks = {"这": 0, "本": 0}.get(match.group()[0], 2 if match.group().startswith("上上") else 1)
    monday = received - received.weekday() * DAY - 7 * weeks * DAY
    return almanac.cut(almanac.days(monday, monday + 6 * DAY), received)


def _ago(match: re.Match[str], received: date) -> Interval | None:
    unit, half = match["unit"], match["count"] == "半"
    count = number_of(match["count"])
    if count > LONGEST:
        return None
    if unit == "天":
        return None if half else almanac.one_day(received - count * DAY)
    if unit.endswith(("星期", "礼拜", "周")):
        return None if half else almanac.one_day(received - 7 * count * DAY)
    if unit.endswith("月"):
        if half:
            return almanac.one_day(received - 15 * DAY)
        first = almanac.back(received.replace(day=1), months=count)
        return almanac.month(first.month, first.year)
    if half:
        first = almanac.back(received.replace(day=1), months=6)
        return almanac.month(first.month, first.year)
    return almanac.year(received.year - count)


def _lately(match: re.Match[str], received: date) -> Interval | None:
    long = "段" in match.group() or "阵" in match.group()
    return almanac.days(received - (30 if long else 7) * DAY, received - DAY)


def _since(match: re.Match[str], received: date) -> Interval | None:
    said, unit = match["count"] or match["led"], match["unit"] or match["led_unit"]
    half, count = said == "半", number_of(said)
    if count > LONGEST:
        return None
    if unit == "天":
        # 这两天 is no time, 近十天 is one
        if half or (match["lead"] == "这" and count == 2):
            return None
        return almanac.days(received - count * DAY, received)
    if unit.endswith(("星期", "礼拜", "周")):
        return None if half else almanac.days(received - 7 * count * DAY, received)
    if unit.endswith("月"):
        start = received - 15 * DAY if half else almanac.back(received, months=count)
        return almanac.days(start, received)
    start = almanac.back(received, months=6) if half else almanac.back(received, years=count)
    return almanac.days(start, received)


NEAR: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Interval | None]], ...] = (
    (_NEAR_MONTH, _near_month),
    (_MONTH_THIRD, _month_third),
    (_NEAR_DAY, _near_day),
    (_WEEKDAY, _weekday),
    (_WEEKEND, _weekend),
    (_WEEK, _week),
    (_AGO, _ago),
    (_LATELY, _lately),
    (_SINCE, _since),
)
