"""Chinese expressions of time as intervals of days, relative to the day received."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from ingest.normalise import almanac, feasts, months
from ingest.normalise.almanac import Interval
from ingest.normalise.datewords import DAY_NUMBER, HAN, NOT_BEHIND_NUMBER, PART_OF_DAY, number_of
from ingest.normalise.feasts import Maker
from ingest.normalise.near import NEAR
from ingest.normalise.reading import Span

EARLIEST_YEAR = 1950

# 干了15年, 一二年: how long, no year
_NO_SPAN = r"(?<![了过满近整拖等住干做用管欠领共有])"
_YEAR = re.compile(
    r"今年|去年|大前年|(?<![村镇乡县社队账])上前年|前年|头年(?!前)|(?<!\d)(?:19|20)\d\d年(?!级|代|度)"
    rf"|{NOT_BEHIND_NUMBER}(?:一九|二零|二〇)[{HAN}]{{2}}年(?!级|代|度)"
    rf"|(?<![\d.]){_NO_SPAN}\d\d年(?!级|代|来|前|多|以|了|的时|时间|没|都|工龄|合同|期|以内|内|之)"
    rf"|{NOT_BEHIND_NUMBER}{_NO_SPAN}[零〇一二九][{HAN}]年(?!级|代|来|前|多|以|了|没|都|工龄|合同|期|内|之)"
)
_RELATIVE_YEARS = {"今年": 0, "去年": 1, "头年": 1, "前年": 2, "大前年": 3, "上前年": 3}
# 2025-12-03, 2025.12.3, 2025/12
_FIGURES = re.compile(
    r"(?<![\d.\-/\"'=])(?P<year>(?:19|20)\d\d)(?P<sign>[-./])(?P<month>1[0-2]|0?[1-9])"
    r"(?:(?P=sign)(?P<day>3[01]|[12]\d|0?[1-9]))?(?![\d\-/]|\.\d|[元块万亩吨斤])[日号]?"
)
_BARE_DAY = re.compile(
    rf"(?<![\d{HAN}十百千几两第月组初.:：门牌楼栋区元])(?P<day>{DAY_NUMBER})号(?!线|楼|院|机|井|桥|门|店|房|路|公路|文|窗|电|病|床|车|地|厂|码|站|工|子|支|桩|墩|洞|沟|山|坑|水(?![都是也就]|又)|人)"
)
_HOURS = re.compile(rf"的?{PART_OF_DAY}")

_OFTEN = re.compile(
    r"(?:每|逢|每个|每个?月的?|月月|每隔|每逢|每到|一到|年年|每年的?|等|等到|不到|还没|没到|明年的?|后年的?|(?<![名手底乡脚楼树])下)$"
)
# 每年都是三月份, 每年三月、九月
_HABIT = re.compile(
    r"(?:每年|年年|每个?月|月月|每逢|每到|每周|逢年)(?:(?!从|自|直到|打)[^，。,；！？\d块元]){1,6}$"
)
# 都快过年了: not there yet
_COMING = re.compile(r"(?:快要?|就要|马上要?|眼看就?要?|快到|要到|临近)$")
# 周一到周五: what comes every week
_WEEK_LONG = re.compile(
    r"(?:周|星期|礼拜)[一二三四五六日天](?:到|至|-|—)(?:周|星期|礼拜)?[一二三四五六日天]"
)
_SCHOOL = (
    r"(?:读|上|念|升)?(?:高[一二三]|初[一二三]|大[一二三四](?!队|家)|[一二三四五六]年级|幼儿园)"
)
_AGE = re.compile(
    r"(?:都|已经|就|快|满|马上|是|才|的)*(?:\d|[二三四五六七八九十])[\d一二三四五六七八九十]*(?:多|几|来)?"
    rf"(?:岁|了|哦|嘛|哟|，|,|。|$)|满的?[二三四五六七八九\d]|(?:都|刚|才|要)*{_SCHOOL}"
)


@dataclass(frozen=True)
class Found:
    """One expression of time in a text.

    make : gives the interval in a year, where the expression leaves the year open
    year : the year that was said, if one was
    """

    span: Span
    interval: Interval
    year: int | None = None
    make: Maker | None = None
    bare_day: int | None = None


def expressions(text: str, received: date) -> Iterator[Found]:
    """Give the expressions of time, the longest where they overlap, in order."""
    found: list[Found] = []
    years = [
        (Span(*match.span()), _year(match.group(), received)) for match in _YEAR.finditer(text)
    ]
    parts = [part for make_part in _PARTS for part in make_part(text)]
    for span, number in years:
        behind = _follow(text, span, parts)
        if number is None:  # 保到2026年10月: a year to come, and no October of another
            found += [Found(Span(span.start, part.end), _NEVER) for part, _ in behind]
            continue
        alone = almanac.cut(almanac.year(number), received)
        for part_span, make in behind:
            interval = made(make, number, received)
            if interval is not None:
                found.append(Found(Span(span.start, part_span.end), interval, number, make))
            else:  # 明年、今年冬天 of a year to come: nothing may be read from the words at all
                found.append(Found(Span(span.start, part_span.end), _NEVER))
        if not behind and alone is not None and not _AGE.match(text, span.end):
            found.append(Found(span, alone, number, almanac.year))
    for part_span, make in parts:
        interval = latest(make, received)
        if interval is not None:
            found.append(Found(part_span, interval, None, make))
    for match in _BARE_DAY.finditer(text):
        number = number_of(match["day"])
        interval = _latest_day(number, received)
        if interval is not None:
            found.append(Found(Span(*match.span()), interval, bare_day=number))
    found += _in_figures(text, received)
    for pattern, handle in NEAR:
        for match in pattern.finditer(text):
            try:
                near = handle(match, received)
            except (ValueError, OverflowError):
                near = None
            if near is not None:
                found.append(Found(Span(*match.span()), near))
    kept: list[Found] = []
    for one in sorted(found, key=lambda each: (each.span.start - each.span.end, each.span.start)):
        if not any(one.span.overlaps(other.span) for other in kept):
            kept.append(one)
    weeks = [Span(*match.span()) for match in _WEEK_LONG.finditer(text)]
    for one in sorted(kept, key=lambda each: each.span.start):
        if one.interval is not _NEVER and not _never_was(text, one.span, weeks):
            yield _with_hours(text, one)


def _never_was(text: str, span: Span, weeks: list[Span]) -> bool:
    """Tell what comes again and again, or is still to come."""
    start = span.start
    return bool(
        _OFTEN.search(text, 0, start)
        or _HABIT.search(text, max(0, start - 12), start)
        or _COMING.search(text, max(0, start - 6), start)
        or any(span.overlaps(week) for week in weeks)
    )


def _with_hours(text: str, one: Found) -> Found:
    """Let a part of the day that is said directly behind a single day belong to it."""
    behind = _HOURS.match(text, one.span.end) if one.interval.precision == "day" else None
    return replace(one, span=Span(one.span.start, behind.end())) if behind else one


def _in_figures(text: str, received: date) -> Iterator[Found]:
    """Find days and months written as 2025-12-03 or 2025.12."""
    for match in _FIGURES.finditer(text):
        number, month, day = int(match["year"]), int(match["month"]), int(match["day"] or 0)
        if number < EARLIEST_YEAR:
            continue
        try:
            whole = (
                almanac.one_day(date(number, month, day)) if day else almanac.month(month, number)
            )
        except ValueError:
            continue
        interval = almanac.cut(whole, received)
        if interval is not None:
            yield Found(Span(*match.span()), interval, number)


_NEVER = Interval(start=date.max, end=date.max, precision="day")


def _follow(text: str, span: Span, parts: list[tuple[Span, Maker]]) -> list[tuple[Span, Maker]]:
    """Give the longest expression that stands directly behind a year, or behind 年的."""
    gap = len("的") if text.startswith("的", span.end) else 0
    gap = len("子") if text.startswith("子", span.end) else gap
    behind = [part for part in parts if part[0].start in (span.end, span.end + gap)]
    # 去年年底: the sign 年 of 年底 may also be the one that ends 去年
    behind += [part for part in parts if part[0].start == span.end - 1 and part[0].end > span.end]
    return sorted(behind, key=lambda part: part[0].start - part[0].end)[:1]


def made(make: Maker, number: int, received: date) -> Interval | None:
    """Give the interval in a year, cut to the day received; None if there is none or not yet."""
    try:
        return almanac.cut(make(number), received)
    except (ValueError, OverflowError):
        return None


def latest(make: Maker, received: date) -> Interval | None:
    """Give the interval in the latest year in which it has begun on the day received."""
    for number in range(received.year, received.year - 9, -1):
        interval = made(make, number, received)
        if interval is not None:
            return interval
    return None


def _year(said: str, received: date) -> int | None:
    """Give the number of a year; None if it is none or lies ahead."""
    if said in _RELATIVE_YEARS:
        number = received.year - _RELATIVE_YEARS[said]
        return number if number >= EARLIEST_YEAR else None
    figures = "".join(
        str("零一二三四五六七八九".index(s)) if s in "零一二三四五六七八九" else s
        for s in said[:-1].replace("〇", "零")
    )
    number = int(figures)
    if len(figures) == 2:
        century = received.year // 100 * 100
        number += century if number <= received.year % 100 else century - 100
    return number if EARLIEST_YEAR <= number <= received.year else None


_PARTS: tuple[Callable[[str], Iterator[tuple[Span, Maker]]], ...] = (
    months.find_months,
    months.find_lunar,
    feasts.find_seasons,
    feasts.find_year_parts,
    feasts.find_feasts,
)


def _latest_day(number: int, received: date) -> Interval | None:
    for back in range(3):
        first = almanac.back(received.replace(day=1), months=back)
        try:
            day = first.replace(day=number)
        except ValueError:
            continue
        if day <= received:
            return almanac.one_day(day)
    return None
