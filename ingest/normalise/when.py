"""The times that a text says, joined to a range or up to now where it says so."""

from __future__ import annotations

import re
from datetime import date

from ingest.normalise import almanac, times
from ingest.normalise.almanac import Interval
from ingest.normalise.reading import Span
from ingest.normalise.times import Found, made

GAP = 18

_FROM = re.compile(r"(?:自从|打从|打自|从|自|打)(?:大概|差不多)?$")
_NOW = r"(?:现在|如今|今天|目前|今)"
_TILL_NOW_BESIDE = re.compile(
    r"(?:份|间)?(?:的?时候)?(?:开始|起头|起|以来)?[，,]?(?:一直|就一直)?"
    rf"(?:拖|等|停|欠)?(?:到|至){_NOW}|(?:份|间)?以来"
    r"|(?:开始|起头|起)[，,]?一直(?=[^。]{0,10}(?:到现在|至今))"
)
_RISING = re.compile(r"(?:份|间)?(?:的?时候)?(?:开始|起头|起(?!来|码|诉|火|初|夜|床))")
_EVER_SINCE = re.compile(r"(?=(?:份|间)?(?:就|一直|便|都))")
_TILL_NOW = re.compile(rf"[^。！？!?]{{0,{GAP}}}?(?:(?:到|至){_NOW}|至今)")
_TO = re.compile(r"(?:份)?(?:一直|拖)?(?:到|至|-|—|–|~|～|直到)(?:了)?")
# 从三月干到八月
_DOING_TO = re.compile(r"(?:份)?(?:就|一直)?[^，。,；、\d]{1,3}(?:到|至)(?:了)?")
# 三月干到五月, 去年二月取到今年九月
_WORKING_TO = re.compile(
    r"(?:份)?(?:就|一直)?[干做修拖收挖搞等弄跑欠扣闹停占取领霸用住](?:到|至)了?"
)
_FROM_THEN = re.compile(
    r"份?(?:开始|起头|起)[^，。,；！？]{1,5}(?:到|至)(?:现在|如今|今天|今)"
    r"|份?起(?![来码诉火初夜草早房屋楼坟争冲鱼了个的头身床价点名疑意飞伏劲步哄赔层垄灶堰塘坎风沙坑炉烟雾雨洪泡包]|大[风棚雾雨]|山洪)"
)


def joined(text: str, received: date) -> list[Found]:
    """Give the times of a text, joined to a range or up to now where the text says so."""
    found = list(times.expressions(text, received))
    kept: list[Found] = []
    position = 0
    while position < len(found):
        one = found[position]
        position += 1
        led = _FROM.search(text, max(0, one.span.start - 6), one.span.start)
        start = led.start() if led else one.span.start
        if position < len(found):
            other = found[position]
            between = text[one.span.end : other.span.start]
            to = _TO.fullmatch(between) or _WORKING_TO.fullmatch(between)
            to = to or (led and _DOING_TO.fullmatch(between))
            if to and (pair := _between(one, other, received)):
                kept.append(Found(Span(start, other.span.end), pair))
                position += 1
                continue
        end = _lasts_until(text, one.span.end, led.group() if led else "")
        if end is None:
            kept.append(one)
            continue
        kept.append(Found(Span(start, end), almanac.days(one.interval.start, received)))
        position += sum(other.span.start < end for other in found[position:])
    return kept


def _lasts_until(text: str, end: int, led: str) -> int | None:
    """Give where the words end that let a time last until now; None if it does not."""
    match = _TILL_NOW_BESIDE.match(text, end) or _FROM_THEN.match(text, end)
    if led and not match:
        match = _TILL_NOW.match(text, end) or _RISING.match(text, end)
        if not match and not led.startswith("自"):
            match = _EVER_SINCE.match(text, end)
    if match:
        return match.end()
    return end if led.startswith("自") else None


def _between(one: Found, other: Found, received: date) -> Interval | None:
    """Give the range from the first time to the second; a year said once holds for both."""
    first, last = one.interval, other.interval
    if other.bare_day is not None:
        try:
            last = almanac.one_day(first.start.replace(day=other.bare_day))
        except ValueError:
            return None
    elif other.make is not None and other.year is None:
        year = one.year if one.year is not None else None
        if year is not None:
            last = made(other.make, year, received) or last
            if last.start < first.start:
                last = made(other.make, year + 1, received) or last
    if one.make is not None and one.year is None and other.bare_day is None:
        year = last.start.year
        first = made(one.make, year, received) or first
        if first.start > last.start:
            first = made(one.make, year - 1, received) or first
    if first.start > last.end:
        return None
    return almanac.cut(almanac.days(first.start, last.end), received)
