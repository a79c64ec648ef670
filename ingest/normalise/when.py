"""When it happened: the time of the main act among those that a text says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from ingest.normalise import almanac, dating, errand, feasts, times
from ingest.normalise.almanac import Interval
from ingest.normalise.dating import Dating
from ingest.normalise.lexicon import TimeWords, any_of
from ingest.normalise.reading import Reading, Span
from ingest.normalise.times import Found, made
from models.record import Occurred

GAP = 18
CUE = 24
SURE = 0.97
# By the words around it a time is left out under the one, and taken instead of that from the other.
UNLIKELY, LIKELY = 0.15, 0.6

_FROM = re.compile(r"(?:自从|打从|打自|从|自|打)(?:大概|差不多)?$")
_NOW = r"(?:现在|如今|今天|目前|今)"
_TILL_NOW_BESIDE = re.compile(
    r"(?:份|间)?(?:的?时候)?(?:开始|起头|起|以来)?[，,]?(?:一直|就一直)?"
    rf"(?:拖|等|停|欠)?(?:到|至){_NOW}|(?:份|间)?以来"
    r"|(?:开始|起头|起)[，,]?一直(?=[^。]{0,10}(?:到现在|至今))"
)
_RISING = re.compile(r"(?:份|间)?(?:的?时候)?(?:开始|起头|起(?!来|码|诉|火|初))")
_EVER_SINCE = re.compile(r"(?=(?:份|间)?(?:就|一直|便|都))")
_TILL_NOW = re.compile(rf"[^。！？!?]{{0,{GAP}}}?(?:(?:到|至){_NOW}|至今)")
_TO = re.compile(r"(?:份)?(?:一直|拖)?(?:到|至|-|—|–|~|～|直到)(?:了)?")
# 能不能在春节前解决: what is asked for
_WISHED = re.compile(r"(?:能不能|可不可以|能否|希望|盼望|恳请|争取|赶在|最好)[^，。,；！？]{0,8}$")
# 九月份就要开学, 国庆前能不能修好: still to come
_AHEAD = re.compile(
    r"(?:份|的时候|节)?(?:[^，。,；]{0,2}(?:就要|快要|马上就|将要|准备|打算|预计)"
    r"|要(?=开学|结婚|高考|中考|办酒|动工|开工|交房|到期|换届|栽秧|插秧)"
    r"|[^，。,；]{0,4}(?:能不能|可不可以|能否|行不行))"
)
# 合同从2020年到2030年: what a contract says
_TERM = re.compile(r"(?:合同|协议|租期|承包期|期限|有效期|聘期|任期)[^，。,；]{0,8}$")
# 我是六二年的, 五八年生人
_BORN_IN = re.compile(r"(?:份)?(?:生人|的人|生(?=[，。,；]|$)|(?:的|生的)(?=[，。,；]|$))")
_OF_BIRTH = re.compile(r"(?:是|属|我|他|她|老汉|爸|妈|爷爷|奶奶|婆婆|老伴|娃儿)$")
# 都快过年了: not there yet
_COMING = re.compile(r"(?:快要?|就要|马上要?|眼看就?要?|又要|快到|要到|临近|现在都)$")
# 文件上写的三月: what a paper says
_WRITTEN = re.compile(
    r"(?:国家|政策|文件|欠条|借条|条子|合同|协议|公告|通知)(?:上面?|里头?)?"
    r"(?:写|说|规定|定|盖)?(?:的|明|了|着)?(?:是|从|自)?$"
    r"|(?:退休|结婚|出生|毕业|成立|上任)(?:时间)?(?:是|在)$"
)
# 今年的水费涨到三块: a year that only names a fee
_PRICED = re.compile(
    r"的?(?:水费|电费|合作医疗|医保费?|社保费?|学费|保费|伙食费)[^，。,]{0,4}(?:比|涨|要交|交好多|标准)"
)
_PASSED_AWAY = re.compile(r"(?:就|才|也|病)?走(?:了(?=[，。,；]|的|$)|的(?=[，。,；]|$))")
_WEEK_LONG = re.compile(
    r"(?:周|星期|礼拜)[一二三四五六日天](?:到|至|-|—)(?:周|星期|礼拜)?[一二三四五六日天]"
)
# 周末不开门, 礼拜天也要补课: what comes every week
_BARE_WEEKDAY = re.compile(r"(?:周|星期|礼拜)[一二三四五六日天末]")
_WEEKLY = re.compile(r"(?:也|都|从来|才|总|经常|一般|不(?!见)|休息|关门|放假|上班|开门|要补|补课)")
# but 评议会是中秋前开的
_BEING = re.compile(r"(?:(?<!会)是|在)$")
# 从三月干到八月
_DOING_TO = re.compile(r"(?:份)?(?:就|一直)?[^，。,；、\d]{1,3}(?:到|至)(?:了)?")
# 三月干到五月, 去年二月取到今年九月
_WORKING_TO = re.compile(
    r"(?:份)?(?:就|一直)?[干做修拖收挖搞等弄跑欠扣闹停占取领霸用住](?:到|至)了?"
)
_FROM_THEN = re.compile(
    r"份?(?:开始|起头|起)[^，。,；！？]{1,5}(?:到|至)(?:现在|如今|今天|今)"
    r"|份?起(?=[，,就一每都不没停断天我他她学家遭被])"
)
# 去村上一问才晓得: when it was found out
_FOUND = r"才(?:晓得|知道|发现|看到|看见|听说|听到|查到|查出)"
# 今年都七月了: how late it is, and 今年 beside it
_LATE = re.compile(r"都(?:快)?$")
_LATE_YEAR = re.compile(r"都(?:快)?[一二三四五六七八九十\d]{1,2}月")
OLD_YEARS = 10  # before the report; what is older stands behind any other time
# 我爸去年办的, 去年是六月到的账: in a request, what went before it
_DONE = re.compile(
    r"[^，。,；、]{0,2}(?:办|签|买|交|领|到|装|报|申请|登记|发|评|考)[^，。,；]{0,2}的"
)
# 上个月去申请, 去年报的名: what a request tries or plans, no trouble
_TRIED = re.compile(
    r"[^，。,；！？!?]{0,10}?(?:申请|去办|来办|打算|准备|报名|问过|去问|去过|登记|到期|满期|转学|升学|要考|开学)"
)
# 国家从去年起取消了, 去年上面规定: a rule, no act
_RULED = re.compile(
    r"(?:份|起|开始|就|起就)?(?:国家|上面|中央|省上|县上|政策|文件)?(?:就|都|又)?(?:有)?"
    r"(?:规定|取消|出台|下文|发文|下了?文件|发了?文件|免了|禁止|实行|不准|不让收|不收了)"
)
_RULER = re.compile(r"(?:国家|中央|政策|文件|规定)[^，。,；]{0,3}$")
# 过年过节都要送, 端午中秋都要送: what every feast brings
_FEASTS = re.compile(r"(?:节|的时候|期间)?(?:、|和|跟|，)?")
_SEASONAL = re.compile(r"(?:更|总|一到|天天|臭|热得|冷得|味|蚊|苍蝇)")
# 反映人：……，2026年5月14日: the day a letter was written
_SIGNED = re.compile(r"[\s。.）)]*$")
# 从2010年起当村医: whose time it is
_CAREER = re.compile(
    r"(?:份)?(?:起|开始)?[，,]?(?:就|一直|都|我|我们|他|她)*(?:当(?!时|天|着|众)|担任|任(?!何)|教书|住在|住到)"
)
# 前年打的井, 2020年捐钱修的: how old a thing is
_OLD_THING = re.compile(
    r"[^，。,；]{0,5}?(?:修|建|盖|砌|装|栽|种|打|铺|架|挂|开|搭|挖|买|分|包|签|当|评|办)(?:起|好|成|下)?的(?=[^，。,；]{1,6}|[，。,；]|$)"
)
_BY_THEN = re.compile(r"(?:之前|以前|前(?!后|天|面|年))")


@dataclass(frozen=True)
class Time:
    """The time chosen for a reading, with how sure the choice is."""

    span: Span
    occurred: Occurred
    confidence: float
    why: str


class Chooser:
    """Chooses the time of the main act; the patterns are compiled once."""

    def __init__(self, words: TimeWords, model: Dating) -> None:
        self._model = model
        self._behind = re.compile(
            rf"(?:{any_of(words.filler)})*"
            rf"(?:(?:{any_of(words.telling)})|打电话(?!{any_of(words.attacking)}))"
            rf"|[^，。,]{{0,6}}(?<![{''.join(words.killed)}])(?:{any_of(words.born)})"
            rf"(?!{any_of(words.papers)})"
            rf"|[^，。,]{{0,10}}?(?:{any_of(words.promised)})"
            rf"|[^，。,]{{0,6}}?(?:{any_of(words.let)})[^。]{{0,12}}?(?:{any_of(words.agreed)})"
            rf"|[^，。,]{{0,10}}(?:{any_of(words.reported)})"
            rf"|[^，。,]{{0,1}}(?:给|向|跟)[^，。,]{{1,7}}(?:{any_of(words.told)})"
            rf"|[^，。,]{{0,4}}(?:{any_of(words.found_out)})"
            rf"|[^。]{{0,14}}(?:{_FOUND})"
            rf"|[^。，,]{{0,3}}(?:{any_of(words.tried)})"
            rf"|[^，。]{{0,3}}(?:、[^，。]{{0,8}}){{1,4}}(?:{any_of(words.tried)})"
            r"|[^。]{0,12}明天"
        )
        self._lived = re.compile(rf"[^，。,]{{0,8}}(?:{any_of(words.lived)})")
        self._before = re.compile(rf"(?:{any_of((*words.until, *words.printed))})$")
        made_of = rf"(?:{any_of(words.made)})(?:起|好|成|下|过|了)?的"
        self._since_made = re.compile(rf"{made_of}(?=$|[，。,；;！!])")
        self._promised = re.compile(rf"(?<!听)(?:{any_of(words.promised_for)})[^，。,]{{0,3}}$")

    def find(self, reading: Reading, received: date, conduct: str = "") -> Time | None:
        """Find the time of the main act; None if none is said.

        conduct : what is reproached. "none" only asks or requests, so that 今年 or 冬天 date
        nothing that happened; of bad work the day it was done is the day of the act
        """
        text = reading.text
        every = joined(text, received)
        found = self._by_rule(text, every, conduct)
        if not found:
            return None
        best = self._likely(text, every, _best(found, received), received)
        if best is None:
            return None
        rivals = len({other.interval for other in found} - {best.interval})
        return Time(
            span=best.span,
            occurred=Occurred(
                start=best.interval.start,
                end=best.interval.end,
                precision=best.interval.precision,
                text=reading.passage.text[best.span.start : best.span.end],
            ),
            confidence=SURE - 0.1 * min(rivals, 3),
            why="time",
        )

    def _by_rule(self, text: str, every: list[Found], conduct: str) -> list[Found]:
        """Leave out what the plain cases say does not date the act."""
        found = [one for one in every if self._dates_the_act(text, one)]
        found = _without_habits(text, found)
        if conduct == "none":
            found = [one for one in found if _troubles(text, one)]
        if conduct != "quality":
            found = [one for one in found if not errand.is_new_thing(text, one)]
            found = _but_for(found, lambda one: bool(_OLD_THING.match(text, one.span.end)))
        found = _but_for(found, lambda one: errand.is_seen(text, one))
        return _but_for(found, lambda one: not errand.is_told_for_itself(text, one))

    def _likely(self, text: str, every: list[Found], best: Found, received: date) -> Found | None:
        """Keep the best time by rule, unless all words around it speak against it."""
        if errand.is_told_for_itself(text, best):
            return best

        def likely(one: Found) -> float:
            described = dating.features(text, every, every.index(one), received)
            return self._model.probability(described)

        if likely(best) >= UNLIKELY:
            return best
        other = max(every, key=likely)
        return other if likely(other) > LIKELY else None

    def _is_background(self, text: str, one: Found) -> bool:
        """Tell what went before the act, or was written under it."""
        start, end = one.span.start, one.span.end
        before = text[max(0, start - CUE) : start]
        signed = one.year is not None or "人" in before
        signed = signed and one.interval.precision == "day" and bool(_SIGNED.match(text, end))
        return bool(
            (signed and re.search(r"(?:^|[\n。：:，, ])$", before) and start)
            or _RULED.match(text, end)
            or _AHEAD.match(text, end)
            or _TERM.search(before)
            or (
                one.interval.precision == "year"
                and _BORN_IN.match(text, end)
                and _OF_BIRTH.search(before)
            )
            or (_RULER.search(before) and one.interval.precision != "day")
            or (one.interval.precision in ("year", "range") and _CAREER.match(text, end))
        )

    def _dates_the_act(self, text: str, one: Found) -> bool:
        """Tell an act from a birth, a contract, a promise, an earlier report or the telling."""
        start, end = one.span.start, one.span.end
        before = text[max(0, start - CUE) : start]
        behind = text[end : end + CUE]
        return not (
            self._is_background(text, one)
            or errand.is_errand(text, one)
            or self._behind.match(behind)
            or self._before.search(before)
            or self._promised.search(before)
            or _BY_THEN.match(behind)
            # 路是二〇一九年修的: how old a thing is
            or _WISHED.search(before)
            or _COMING.search(before)
            or (_LATE.search(before) and behind.startswith("了"))
            or _LATE_YEAR.match(behind)
            or (one.interval.precision == "year" and self._lived.match(behind))
            or _WRITTEN.search(before)
            or _PRICED.match(behind)
            or _PASSED_AWAY.match(behind)
            or (_BEING.search(before) and self._since_made.match(behind))
        )


def _but_for(found: list[Found], behind: Callable[[Found], bool]) -> list[Found]:
    """Leave out the times that stand behind all others, unless there are no others."""
    return [one for one in found if not behind(one)] or found


def _troubles(text: str, one: Found) -> bool:
    """Tell a time that a request may date its trouble by from one that it only asks about."""
    if one.interval.precision == "year" or _DONE.match(text, one.span.end):
        return False
    if one.interval.precision == "season" and one.year is None:
        return False
    return not _TRIED.match(text, one.span.end)


def _best(found: list[Found], received: date) -> Found:
    """Give the time of the main act among those that may be: mostly the first.

    What is long past stands behind any other; a year stands behind the day or month in it that is
    said too.
    """
    young = [one for one in found if one.interval.start.year > received.year - OLD_YEARS] or found
    best = young[0]
    if best.interval.precision != "year":
        return best
    inside = (
        one
        for one in young[1:]
        if best.interval.start <= one.interval.start and one.interval.end <= best.interval.end
        if one.interval.precision in ("day", "month")
    )
    return next(inside, best)


def _without_habits(text: str, found: list[Found]) -> list[Found]:
    """Leave out what comes again: 夏天臭, 冬天冷, and 周一到周五."""
    seasons = [one for one in found if one.interval.precision == "season" and one.year is None]
    found = [
        one
        for one in found
        if one not in seasons or (len(seasons) < 2 and not _SEASONAL.match(text, one.span.end))
    ]
    found = _without_feasts(text, found)
    return [
        one
        for one in found
        if not _WEEK_LONG.match(text, one.span.start)
        and not (_BARE_WEEKDAY.match(text, one.span.start) and _WEEKLY.match(text, one.span.end))
        and not (
            _BARE_WEEKDAY.match(text, one.span.start) and text[: one.span.start].endswith("都是")
        )
    ]


def _without_feasts(text: str, found: list[Found]) -> list[Found]:
    """Leave out feasts that are said in a row: at each of them the same happens."""
    rows = {
        place
        for at, (one, other) in enumerate(pairwise(found))
        if _is_feast(text, one) and _is_feast(text, other)
        if _FEASTS.fullmatch(text, one.span.end, other.span.start)
        for place in (at, at + 1)
    }
    return [
        one
        for at, one in enumerate(found)
        if at not in rows and not (_is_feast(text, one) and errand.is_worse_then(text, one))
    ]


def _is_feast(text: str, one: Found) -> bool:
    said = text[one.span.start : one.span.end]
    return one.year is None and any(feast in said for feast in feasts.NAMES)


def spans(reading: Reading, received: date) -> tuple[Span, ...]:
    """Give every stretch that says a time, so that its numbers are not counted as amounts."""
    return tuple(one.span for one in joined(reading.text, received))


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
