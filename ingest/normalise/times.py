"""Chinese expressions of time as intervals of days, relative to the day received."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from ingest.normalise import almanac
from ingest.normalise.almanac import DAY, Interval
from ingest.normalise.numeral import read as read_number
from ingest.normalise.reading import Span

EARLIEST_YEAR = 1950

Maker = Callable[[int], Interval]

_HAN = "零〇一二三四五六七八九"
_NOT_BEHIND_NUMBER = rf"(?<![\d{_HAN}十百千几两])"
_COUNT = r"(?P<count>\d{1,4}|[一二两三四五六七八九十]{1,4}|半)"
_PART = r"(?:大清早|清早|清晨|早上|早晨|上午|中午|晌午|下午|傍晚|晚上|半夜|夜里|深夜|凌晨|晚黑)"
_DAY_NUMBER = (
    r"(?:[12]\d|3[01]|0?[1-9]|二十[一二三四五六七八九]?|三十一?"
    r"|十[一二三四五六七八九]?|[一二三四五六七八九])"
)
_NO_DAY = "线楼院机井桥门店房路公文窗电病床车地厂码站工子常报均支桩墩洞沟山坑水人"
_DAY_SIGN = rf"[号日](?![{_NO_DAY}])"

_YEAR = re.compile(
    r"今年|去年|大前年|前年|头年(?!前)|(?<!\d)(?:19|20)\d\d年(?!级|代|度)"
    rf"|{_NOT_BEHIND_NUMBER}(?:一九|二零|二〇)[{_HAN}]{{2}}年(?!级|代|度)"
    rf"|(?<![\d.])\d\d年(?!级|代|来|前|多|以|了|的时|时间|没|都|工龄|合同|期)"
    rf"|{_NOT_BEHIND_NUMBER}[零〇一二九][{_HAN}]年(?!级|代|来|前|多|以|了|没|都|工龄|合同|期)"
)
_RELATIVE_YEARS = {"今年": 0, "去年": 1, "头年": 1, "前年": 2, "大前年": 3}

_MONTH = re.compile(
    rf"{_NOT_BEHIND_NUMBER}(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])(?:月份|月(?!饼|嫂|子|经|供|租|薪|收入))"
    rf"(?:的)?(?:(?P<day>{_DAY_NUMBER}){_DAY_SIGN}(?P<hours>的?{_PART})?"
    r"|(?P<bare_day>[12]\d|3[01]|二十[一二三四五六七八九]?|三十一?|十[一二三四五六七八九]?)"
    r"(?![\d个块元人户亩天多几次年月点级度分米公斤万千百十来余头家名位口吨、到至])"
    r"|(?P<part>上旬|中旬|下旬|初(?![一二三四五六七八九十])|中(?!秋|间|心)|底(?!下)|末))?"
)
# days of the old calendar that name a market or a feast, no month
_MARKET = re.compile(r"([二三五六七九])月\1(?![十号日])|七月半")
_LUNAR = re.compile(
    r"(?:(?:农历|阴历|旧历|古历)的?(?P<leap>闰)?(?P<month>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九正冬腊])月份?"
    r"|(?P<name>正|冬|腊)月)"
    r"(?:(?P<about>初几|十几|二十几|廿几)"
    rf"|(?P<day>初[一二三四五六七八九十]|{_DAY_NUMBER}|廿[一二三四五六七八九]?)"
    rf"(?![个块元人户亩天多几次年月])(?:号|日)?(?P<hours>的?{_PART})?|(?P<part>底(?!下)|尾))?"
)
_NUMBERED_LUNAR = re.compile(
    rf"{_NOT_BEHIND_NUMBER}(?P<month>十[一二]?|[一二三四五六七八九])月(?P<day>初[一二三四五六七八九十])(?P<hours>的?{_PART})?"
)
_SEASON = re.compile(r"春天|春季|开春|春上|夏天|夏季|热天|秋天|秋季|打秋|冬天|冬季|冷天|入冬")
_SEASON_MONTHS = {
    "春": (3, 5),
    "夏": (6, 8),
    "热": (6, 8),
    "秋": (9, 11),
    "冬": (12, 2),
    "冷": (12, 2),
}
_YEAR_PART = re.compile(
    r"年初(?![一二三])|年底|年尾|年末|上半年|下半年|(?<=年)初(?![一二三中])|(?<=年)底(?!下)"
)
_FEAST = re.compile(
    rf"(?P<eve>过年前|(?<![\d{_HAN}十百千几两多半今去前头大每])年前(?!面)|春节前|过完年|过了年"
    rf"|(?<![\d{_HAN}十百千几两多半今去前头大每])年后|春节后|过年后)"
    r"|(?P<feast>国庆|(?<![一二三四])五一|元旦|清明|六一|三八节|三八妇女节|七一|八一|教师节|儿童节|劳动节|建军节|暑假"
    r"|春节|过年|除夕|大年三十|元宵|端午|中秋|重阳|腊八|大年初[一二三四五六七])"
    r"(?P<sign>节)?(?P<side>(?:期间|放假|假期)?(?:之|以)?(?:前(?!后|年|几|面|村|任|段|些|两)|后(?!面|山|期|来)))?"
    r"(?!路|街|小学|水库|村|社区|大桥|中学|广场|大队|电站|煤矿|林场|农场|公园|厂|桥|[一二三四五六七八九十百千万\d])"
)
_SOLAR_FEASTS = {
    "国庆": ((10, 1), (10, 7)),
    "五一": ((5, 1), (5, 5)),
    "劳动节": ((5, 1), (5, 5)),
    "元旦": ((1, 1), (1, 1)),
    "清明": ((4, 4), (4, 6)),
    "六一": ((6, 1), (6, 1)),
    "儿童节": ((6, 1), (6, 1)),
    "三八节": ((3, 8), (3, 8)),
    "三八妇女节": ((3, 8), (3, 8)),
    "七一": ((7, 1), (7, 1)),
    "八一": ((8, 1), (8, 1)),
    "建军节": ((8, 1), (8, 1)),
    "教师节": ((9, 10), (9, 10)),
    "暑假": ((7, 1), (8, 31)),
}
_LUNAR_FEASTS = {"元宵": (1, 15), "端午": (5, 5), "中秋": (8, 15), "重阳": (9, 9), "腊八": (12, 8)}
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余杜"
    "叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖贾夏付邹熊孟秦邱侯江尹薛段雷龙黎史陶贺毛郝龚"
    "邵覃武钱戴严莫孔汤"
)

_NEAR_MONTH = re.compile(
    rf"(?P<back>上上个月|上上月|上个月|上月|这个月|本月)(?:份)?(?:的)?(?:(?P<day>{_DAY_NUMBER}){_DAY_SIGN}(?P<hours>的?{_PART})?"
    r"|(?P<part>上旬|中旬|下旬|月?初(?![一二三])|月?底(?!下)|月?末))?"
)
_MONTH_THIRD = re.compile(r"月初|上旬|月中(?!秋)|中旬|月底|月末|下旬")
_THIRDS = {
    "初": "初",
    "上旬": "初",
    "头": "初",
    "中": "中",
    "中旬": "中",
    "底": "底",
    "末": "底",
    "下旬": "底",
    "尾": "底",
}
_NEAR_DAY = re.compile(
    rf"(?P<day>大前天|前天|昨天|昨日|今天|今日)(?P<hours>的?{_PART})?|(?P<night>昨晚上?|昨夜|今晚|今早上?|前晚|昨下午|昨上午|今下午|今上午)"
)
_NEAR_DAYS = {
    "大前天": 3,
    "前天": 2,
    "昨天": 1,
    "昨日": 1,
    "今天": 0,
    "今日": 0,
    "昨": 1,
    "今": 0,
    "前": 2,
}
_WEEKDAY = re.compile(
    rf"(?P<back>上上个?|上个?|这个?|本)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天1-6])(?!次|回|趟|个)(?P<hours>的?{_PART})?"
)
_WEEKEND = re.compile(r"(?P<back>上个?|这个?|本)?周末")
_WEEK = re.compile(r"上上个?(?:周|星期|礼拜)|上个?(?:周|星期|礼拜)")
_AGO = re.compile(
    rf"(?<![\d{_HAN}第十百千万几两前近每])(?P<count>\d{{1,4}}|[一二两三四五六七八九十]{{1,4}}|半)(?P<unit>天|个?星期|个?礼拜|周|个多?月|年)(?:以前|之前|前(?!后|面|任))"
)
_LATELY = re.compile(
    r"前几天|前几日|前两天|前些天|(?<![十百好])几天(?:以|之)?前|前(?:一)?段时间|前阵子|前一阵子?"
)
_SPAN = "个多?星期|个多?礼拜|周|天|个多?月|年多?"
_SINCE = re.compile(
    rf"(?:(?P<lead>这|最?近)(?:过去)?{_COUNT.replace('count', 'led')}(?P<led_unit>{_SPAN})"
    r"(?P<led_tail>以?来|内|里|之内|间|多)?"
    rf"|(?<![\d{_HAN}十百千几两第近这每]){_COUNT}(?P<unit>{_SPAN})以?来(?!了?回|的路|人|过))"
)
_BARE_DAY = re.compile(
    rf"(?<![\d{_HAN}十百千几两第月组初.:：门牌楼栋区元])(?P<day>{_DAY_NUMBER})号(?:那天)?(?!线|楼|院|机|井|桥|门|店|房|路|公路|文|窗|电|病|床|车|地|厂|码|站|工|子|支|桩|墩|洞|沟|山|坑|水|人)(?P<hours>的?{_PART})?"
)

_OFTEN = re.compile(
    r"(?:每|逢|每个|每逢|每到|一到|年年|每年的?|等|等到|不到|还没|没到|明年的?|后年的?|下)$"
)
_SCHOOL = (
    r"(?:读|上|念|升)?(?:高[一二三]|初[一二三]|大[一二三四](?!队|家)|[一二三四五六]年级|幼儿园)"
)
_AGE = re.compile(
    r"(?:都|已经|就|快|满|马上|是|才|的)*(?:\d|[二三四五六七八九十])[\d一二三四五六七八九十]*(?:多|几|来)?"
    rf"(?:岁|了|，|,|。|$)|满的?[二三四五六七八九\d]|(?:都|刚|才|要)*{_SCHOOL}"
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
        (Span(*match.span()), number)
        for match in _YEAR.finditer(text)
        if (number := _year(match.group(), received)) is not None
    ]
    parts = [part for make_part in _PARTS for part in make_part(text)]
    for span, number in years:
        behind = _follow(text, span, parts)
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
        number = _number(match["day"])
        interval = _latest_day(number, received)
        if interval is not None:
            found.append(Found(Span(*match.span()), interval, bare_day=number))
    for pattern, handle in _NEAR:
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
    for one in sorted(kept, key=lambda each: each.span.start):
        if one.interval is not _NEVER and not _OFTEN.search(text, 0, one.span.start):
            yield one


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


def _number(said: str) -> int:
    value = read_number(said.removeprefix("初").replace("廿", "二十"))
    return int(value or 0)


def _months(text: str) -> Iterator[tuple[Span, Maker]]:
    for match in _MONTH.finditer(text):
        number = _number(match["month"])
        said = match["day"] or match["bare_day"]
        if (number, match["bare_day"]) == (8, "十五"):
            # without 号 the fifteenth of the eighth month is the feast of the old calendar
            yield Span(*match.span()), _feast_maker("中秋")
        elif said:
            day = _number(said)
            yield Span(*match.span()), _day_maker(number, day)
        elif match["part"]:
            part = _THIRDS[match["part"]]
            yield Span(*match.span()), _third_maker(number, part)
        elif not _MARKET.match(text, match.start()):
            end = match.end() - text[: match.end()].endswith("的")
            yield Span(match.start(), end), _month_maker(number)


def _day_maker(month: int, day: int) -> Maker:
    return lambda year: almanac.one_day(date(year, month, day))


def _month_maker(month: int) -> Maker:
    return lambda year: almanac.month(month, year)


def _third_maker(month: int, part: str) -> Maker:
    return lambda year: almanac.third(almanac.month(month, year), part)


def _lunar(text: str) -> Iterator[tuple[Span, Maker]]:
    for match in [*_LUNAR.finditer(text), *_NUMBERED_LUNAR.finditer(text)]:
        groups = match.groupdict()
        said = groups.get("name") or groups["month"]
        number = {"正": 1, "冬": 11, "腊": 12}.get(said) or _number(said)
        yield Span(*match.span()), _lunar_maker(number, groups)


def _lunar_maker(number: int, groups: dict[str, str | None]) -> Maker:
    about, day, part, leap = (groups.get(name) for name in ("about", "day", "part", "leap"))

    def make(year: int) -> Interval:
        whole = almanac.lunar_month(number, year, leap=bool(leap))
        if about:
            first, last = {"初几": (1, 10), "十几": (11, 19)}.get(about, (20, 29))
            return almanac.days(whole.start + (first - 1) * DAY, whole.start + (last - 1) * DAY)
        if day:
            return almanac.one_day(almanac.lunar_day(_number(day), number, year, leap=bool(leap)))
        return almanac.third(whole, "底") if part else whole

    return make


def _seasons(text: str) -> Iterator[tuple[Span, Maker]]:
    for match in _SEASON.finditer(text):
        sign = next(sign for sign in match.group() if sign in _SEASON_MONTHS)
        yield Span(*match.span()), _season_maker(*_SEASON_MONTHS[sign])


def _season_maker(first: int, last: int) -> Maker:
    return lambda year: almanac.months(first, last, year)


def _year_parts(text: str) -> Iterator[tuple[Span, Maker]]:
    for match in _YEAR_PART.finditer(text):
        said = match.group()
        first, last = (1, 2) if said.endswith("初") else (11, 12)
        first, last = {"上半年": (1, 6), "下半年": (7, 12)}.get(said, (first, last))
        yield Span(*match.span()), _stretch_maker(first, last)


def _stretch_maker(first: int, last: int) -> Maker:
    return lambda year: almanac.days(date(year, first, 1), almanac.month(last, year).end)


def _feasts(text: str) -> Iterator[tuple[Span, Maker]]:
    for match in _FEAST.finditer(text):
        span = Span(*match.span())
        if match["eve"]:
            before = match["eve"].endswith("前")
            yield span, _before_new_year if before else _after_new_year
            continue
        name = match["feast"]
        if (
            name == "国庆"
            and text[: match.start()].endswith(tuple(_SURNAMES))
            and not match["sign"]
        ):
            continue
        make = _feast_maker(name)
        side = match["side"] or ""
        if side.endswith(("前", "后")):
            make = _beside_maker(make, before=side.endswith("前"))
        elif not name.endswith("节"):
            span = Span(match.start(), match.end() - len(side) - len(match["sign"] or ""))
        yield span, make


def _feast_maker(name: str) -> Maker:
    if name in _SOLAR_FEASTS:
        first, last = _SOLAR_FEASTS[name]
        return lambda year: _solar_feast(date(year, *first), date(year, *last))
    if name in _LUNAR_FEASTS:
        month, day = _LUNAR_FEASTS[name]
        return lambda year: almanac.one_day(almanac.lunar_day(day, month, year))
    if name in ("除夕", "大年三十"):
        return almanac.new_years_eve
    if name.startswith("大年初"):
        return lambda year: almanac.one_day(almanac.lunar_day(_number(name[-1]), 1, year))
    return almanac.spring_festival


def _solar_feast(first: date, last: date) -> Interval:
    return almanac.one_day(first) if first == last else almanac.days(first, last)


def _beside_maker(make: Maker, *, before: bool) -> Maker:
    def beside(year: int) -> Interval:
        feast = make(year)
        if before:
            return almanac.days(feast.start - almanac.AROUND_FEAST_DAYS * DAY, feast.start - DAY)
        return almanac.days(feast.end + DAY, feast.end + almanac.AROUND_FEAST_DAYS * DAY)

    return beside


def _before_new_year(year: int) -> Interval:
    return almanac.lunar_month(12, year - 1).model_copy(
        update={"precision": "range", "anchor": almanac.new_year(year)}
    )


def _after_new_year(year: int) -> Interval:
    first_month = almanac.lunar_month(1, year)
    return almanac.days(first_month.start + almanac.SPRING_FESTIVAL_DAYS * DAY, first_month.end)


_PARTS: tuple[Callable[[str], Iterator[tuple[Span, Maker]]], ...] = (
    _months,
    _lunar,
    _seasons,
    _year_parts,
    _feasts,
)


def _near_month(match: re.Match[str], received: date) -> Interval | None:
    months = {"这": 0, "本": 0}.get(match["back"][0], 2 if match["back"].startswith("上上") else 1)
    first = almanac.back(received.replace(day=1), months=months)
    whole = almanac.month(first.month, first.year)
    if match["day"]:
        return almanac.cut(almanac.one_day(first.replace(day=_number(match["day"]))), received)
    if match["part"]:
        part = _THIRDS[match["part"].removeprefix("月")]
        return almanac.cut(almanac.third(whole, part), received)
    return almanac.cut(whole, received)


def _month_third(match: re.Match[str], received: date) -> Interval | None:
    part = _THIRDS[match.group().removeprefix("月")]
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
    weeks = 2 if match.group().startswith("上上") else 1
    monday = received - received.weekday() * DAY - 7 * weeks * DAY
    return almanac.days(monday, monday + 6 * DAY)


def _ago(match: re.Match[str], received: date) -> Interval | None:
    unit, half = match["unit"], match["count"] == "半"
    count = _number(match["count"])
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
    half, count = said == "半", _number(said)
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


def _latest_day(number: int, received: date) -> Interval | None:
    for months in range(3):
        first = almanac.back(received.replace(day=1), months=months)
        try:
            day = first.replace(day=number)
        except ValueError:
            continue
        if day <= received:
            return almanac.one_day(day)
    return None


_NEAR: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Interval | None]], ...] = (
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
