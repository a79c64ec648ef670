"""Seasons, parts of a year and feasts of both calendars, in whatever year."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from ingest.normalise import almanac
from ingest.normalise.almanac import DAY, Interval
from ingest.normalise.datewords import COUNTED, HAN, number_of
from ingest.normalise.reading import Span

Maker = Callable[[int], Interval]

# 春天小区 is a place, 今年春天小区 is not
_SEASON = re.compile(
    r"(?P<dated>(?<=年))?"
    r"(?:春天|春季|开春|打春|入春|春上|夏天|夏季|热天|入夏|夏上|秋天|秋季|打秋|入秋|秋上"
    r"|冬天|冬季|冷天|入冬|冬上)"
    r"(?(dated)|(?!幼儿园|超市|花园|药店|小区|饭店|宾馆|茶楼|酒店|公司|家园))"
)
_SEASON_MONTHS = {
    "春": (3, 5),
    "夏": (6, 8),
    "热": (6, 8),
    "秋": (9, 11),
    "冬": (12, 2),
    "冷": (12, 2),
}
_YEAR_PART = re.compile(
    rf"年初(?![一二三](?!{COUNTED}))|年底|年尾|年末|上半年(?!前)|下半年|(?<=年)初(?![一二三中])|(?<=年)底(?!下)"
)
# 三块六一吨, 四千八一个月: a price, no feast
_NO_SUM = r"(?:(?<![\d一二两三四五六七八九十百千万角毛块元])|(?<=老[二三四五六七八九]))"
# 王老二年后, 我屋头年前: neither two years nor the year before
_ALONE = rf"(?:(?<![\d{HAN}十百千几两多半今去前头大每])|(?<=老[大二三四五六七八九])|(?<=[屋里]头))"
_FEAST = re.compile(
    rf"(?P<eve>过年前|{_ALONE}年前(?!面)|春节前|过完年|过了年"
    rf"|{_ALONE}年后|春节后|过年后)"
    rf"|(?P<dated>(?<=年))?(?P<feast>国庆|{_NO_SUM}(?:五一|六一|七一|八一)(?![年百千万\d]|[一二三四五六七八九十](?!天|直))|元旦|清明|三八节|三八妇女节|教师节|儿童节|劳动节|建军节|暑假"
    r"|十一(?=放假|假期|期间|长假|黄金周)|春节|(?<!逢)过年(?!过节)|除夕|(?<!大)年三十|大年三十|元宵|端[午阳]|中秋|重阳|腊八"
    r"|大年初[一二三四五六七八九十])"
    r"(?P<sign>节)?(?P<side>(?:期间|放假|假期)?(?:之|以)?(?:前(?!后|年(?!级)|几|面(?!试)|村(?![上里头委主支会文长干])|任|段|些|两)|后(?!面|山|期|来(?![我了看抄验收的]))))?"
    r"(?(dated)|(?(side)|(?:(?<=节)|(?!路|街(?![上道头])|超市|商店|商场|药房(?!主任|经理)|药店|饭店|餐馆|酒楼|宾馆|茶馆|砖厂|渔场|小学|水库|村(?![上里头委干主支会文医小长])|社区(?![发给喊请慰组说搞办通收])|大桥|中学|广场|大队|电站|煤矿|林场|农场|公园|厂(?![里头上长])|桥))))"
)
_SOLAR_FEASTS = {
    "国庆": ((10, 1), (10, 7)),
    "十一": ((10, 1), (10, 7)),
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
_LUNAR_FEASTS = {"元宵": (1, 15), "端午": (5, 5), "端阳": (5, 5), "中秋": (8, 15), "重阳": (9, 9)}
_LUNAR_FEASTS |= {"腊八": (12, 8)}

# 李国庆, 王清明: people are called so
_GIVEN_NAMES = frozenset(
    {"国庆", "清明", "元旦", "中秋", "重阳", "五一", "八一", "七一", "元宵", "端阳"}
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余杜"
    "叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖贾夏付邹熊孟秦邱侯江尹薛段雷龙黎史陶贺毛郝龚"
    "邵覃武钱戴严莫孔汤"
)


def find_seasons(text: str) -> Iterator[tuple[Span, Maker]]:
    """Find spring to winter."""
    for match in _SEASON.finditer(text):
        sign = next(sign for sign in match.group() if sign in _SEASON_MONTHS)
        yield Span(*match.span()), _season_maker(*_SEASON_MONTHS[sign])


def _season_maker(first: int, last: int) -> Maker:
    return lambda year: almanac.months(first, last, year)


def find_year_parts(text: str) -> Iterator[tuple[Span, Maker]]:
    """Find beginning, end and halves of a year."""
    for match in _YEAR_PART.finditer(text):
        said = match.group()
        first, last = (1, 2) if said.endswith("初") else (11, 12)
        first, last = {"上半年": (1, 6), "下半年": (7, 12)}.get(said, (first, last))
        yield Span(*match.span()), _stretch_maker(first, last)


def _stretch_maker(first: int, last: int) -> Maker:
    return lambda year: almanac.days(date(year, first, 1), almanac.month(last, year).end)


def find_feasts(text: str) -> Iterator[tuple[Span, Maker]]:
    """Find feasts, and the days before and after them."""
    for match in _FEAST.finditer(text):
        span = Span(*match.span())
        if match["eve"]:
            before = match["eve"].endswith("前")
            yield span, _before_new_year if before else _after_new_year
            continue
        name = match["feast"]
        if (
            name in _GIVEN_NAMES
            and text[: match.start()].endswith(tuple(_SURNAMES))
            and not text[: match.start()].endswith("主任")
            and not match["sign"]
            and not match["side"]
        ):
            continue
        make = feast_maker(name)
        side = match["side"] or ""
        if side.endswith(("前", "后")):
            make = _beside_maker(make, before=side.endswith("前"))
        yield span, make


def feast_maker(name: str) -> Maker:
    """Give the maker of a feast's days."""
    if name in _SOLAR_FEASTS:
        first, last = _SOLAR_FEASTS[name]
        return lambda year: _solar_feast(date(year, *first), date(year, *last))
    if name in _LUNAR_FEASTS:
        month, day = _LUNAR_FEASTS[name]
        return lambda year: almanac.one_day(almanac.lunar_day(day, month, year))
    if name in ("除夕", "年三十", "大年三十"):
        return almanac.new_years_eve
    if name.startswith("大年初"):
        return lambda year: almanac.one_day(almanac.lunar_day(number_of(name[-1]), 1, year))
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
    return almanac.lunar_month(12, year - 1).model_copy(update={"anchor": almanac.new_year(year)})


def _after_new_year(year: int) -> Interval:
    first_month = almanac.lunar_month(1, year)
    return almanac.days(first_month.start + almanac.SPRING_FESTIVAL_DAYS * DAY, first_month.end)
