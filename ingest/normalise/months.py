"""Months and days of both calendars, in whatever year."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    NO_DAY,
    NOT_BEHIND_NUMBER,
    THIRDS,
    number_of,
)
from ingest.normalise.feasts import Maker, feast_maker
from ingest.normalise.reading import Span

_MONTH = re.compile(
    rf"{NOT_BEHIND_NUMBER}(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九元])(?:月份|月(?!饼|嫂|子|经(?![手理过营办])|供(?![水电货应销给暖气])|租(?![给了出下进到来我他去])|薪|收入))"
    rf"(?:的)?(?:(?P<about>{ABOUT_DAY})(?:{DAY_OF_MONTH}|(?!{NO_DAY}))"
    rf"|(?P<day>{DAY_NUMBER}){DAY_OF_MONTH}"
    rf"|(?P<bare_day>{BARE_DAY})"
    rf"|(?P<part>上旬|中旬|下旬|初(?![一二三四五六七八九十](?!{COUNTED}))|中(?!秋|间|心|介|了|风|毒|标)|底(?!下(?![了来大]))|末))?"
)
# days of the old calendar that name a market or a feast, no month
_MARKET = re.compile(r"([二三五六七九])月\1(?![十号日])|七月半")
_LUNAR = re.compile(
    r"(?:(?:农历|阴历|旧历|古历)的?(?P<leap>闰)?(?P<month>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九正冬腊])月份?"
    r"|(?P<name>正|冬|腊)月)"
    r"(?:(?P<about>初几|十几|二十几|廿几)"
    rf"|(?P<day>初[一二三四五六七八九十](?!{COUNTED})|{DAY_NUMBER}(?=号|日)"
    r"|(?:[12]\d|3[01]|二?十[一二三四五六七八九]?|三十一?|廿[一二三四五六七八九]?)"
    rf"(?![个块元人户亩多几次年月]|天(?![没不刚还黑]亮?)))(?:号|日)?|(?P<part>[上中下]旬|底(?!下(?![了来大]))|尾|中(?!秋)|初(?![几一二三四五六七八九十](?!{COUNTED}))))?"
)
_NUMBERED_LUNAR = re.compile(
    rf"{NOT_BEHIND_NUMBER}(?P<month>十[一二]?|[一二三四五六七八九])月(?P<day>初[一二三四五六七八九十])(?!{COUNTED})"
)
# 三四月间, 七八月: one month or the next
_TWO_MONTHS = re.compile(
    rf"{NOT_BEHIND_NUMBER}(?P<first>[一二三四五六七八九])(?P<last>[二三四五六七八九十])月(?!饼|[十\d]|[{HAN}])份?"
)


def find_months(text: str) -> Iterator[tuple[Span, Maker]]:
    """Find months of the sun's calendar, with their thirds and days."""
    for match in _TWO_MONTHS.finditer(text):
        first, last = number_of(match["first"]), number_of(match["last"])
        if last == first + 1:
            yield Span(*match.span()), _months_maker(first, last)
    for match in _MONTH.finditer(text):
        number = 1 if match["month"] == "元" else number_of(match["month"])
        said = match["day"] or match["bare_day"]
        if (number, match["bare_day"]) == (8, "十五"):
            # without 号 the fifteenth of the eighth month is the feast of the old calendar
            yield Span(*match.span()), feast_maker("中秋")
        elif match["about"]:
            yield Span(*match.span()), _about_maker(number, *ABOUT_DAYS[match["about"]])
        elif said:
            day = number_of(said)
            yield Span(*match.span()), _day_maker(number, day)
        elif match["part"]:
            part = THIRDS[match["part"]]
            yield Span(*match.span()), _third_maker(number, part)
        elif not _MARKET.match(text, match.start()):
            end = match.end() - text[: match.end()].endswith("的")
            yield Span(match.start(), end), _month_maker(number)


def _day_maker(month: int, day: int) -> Maker:
    return lambda year: almanac.one_day(date(year, month, day))


def _about_maker(month: int, first: int, last: int) -> Maker:
    def make(year: int) -> Interval:
        whole = almanac.month(month, year)
        return almanac.days(
            whole.start.replace(day=first), min(whole.start.replace(day=last), whole.end)
        )

    return make


def _months_maker(first: int, last: int) -> Maker:
    return lambda year: almanac.days(date(year, first, 1), almanac.month(last, year).end)


def _month_maker(month: int) -> Maker:
    return lambda year: almanac.month(month, year)


def _third_maker(month: int, part: str) -> Maker:
    return lambda year: almanac.third(almanac.month(month, year), part)


def find_lunar(text: str) -> Iterator[tuple[Span, Maker]]:
    """Find months of the moon's calendar, with their days."""
    for match in [*_LUNAR.finditer(text), *_NUMBERED_LUNAR.finditer(text)]:
        groups = match.groupdict()
        said = groups.get("name") or groups["month"]
        number = {"正": 1, "冬": 11, "腊": 12}.get(said) or number_of(said)
        yield Span(*match.span()), _lunar_maker(number, groups)


def _lunar_maker(number: int, groups: dict[str, str | None]) -> Maker:
    about, day, part, leap = (groups.get(name) for name in ("about", "day", "part", "leap"))

    def make(year: int) -> Interval:
        whole = almanac.lunar_month(number, year, leap=bool(leap))
        if about:
            first, last = ABOUT_DAYS[about]
            return almanac.days(whole.start + (first - 1) * DAY, whole.start + (last - 1) * DAY)
        if day:
            return almanac.one_day(almanac.lunar_day(number_of(day), number, year, leap=bool(leap)))
        return almanac.third(whole, THIRDS[part]) if part else whole

    return make
