"""How much: money, people, households, land, floor and days, in normalised units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.normalise.lexicon import AmountWords, any_of
from ingest.normalise.numeral import BEFORE, NUMERAL, ONE
from ingest.normalise.numeral import read as read_number
from ingest.normalise.reading import Reading, Span
from models.record import Amount

_MU_PER_FEN = 0.1
_SMALL = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_START = rf"(?<![{BEFORE}第百千万亿\d.])(?<!上百|成百|成千|好几)"
_COUNTED = (
    "个月天年次吨斤亩度人户车方桌张袋包顿餐盒份只头米本场趟块家间"
    "层楼号组社岁点半道条位名口毛角分日周里公立平"
)
_MONEY = re.compile(
    rf"{_START}(?P<number>{NUMERAL})(?P<about>多)?(?:块|元|圆)(?!头|地|田|土|石|砖|板|牌|钱的事|旦|宵)"
    rf"(?:(?P<half>半)(?!天|个|年|月|路|夜|边|截|价|斤)|(?P<tenths>[一二两三四五六七八九\d])(?:(?P<sign>毛|角)(?:(?P<cents>[一二三四五六七八九\d])(?:分|(?![{_COUNTED}\d])))?|(?![{_COUNTED}十百千万\d几])))?"
)
_COINS = re.compile(
    rf"{_START}(?P<number>{ONE})(?:毛|角)(?!发|病|落|度|色)(?:(?P<cents>[一二三四五六七八九\d])(?:分|(?![{_COUNTED}\d])))?"
)
_LAND = re.compile(
    rf"{_START}(?P<number>{NUMERAL})(?:来|多)?亩(?:(?P<half>半)|(?P<fen>[一二两三四五六七八九\d])"
    rf"(?:分(?P<kind>地|田)?|(?=(?:地|田|水田|旱地)?[，。,；、]|地|田|水田|旱地|只|的))|多(?!少))?"
)
# 少算了四分: of a field that was just spoken of
_FEN_ALONE = re.compile(
    r"(?<=[田地亩])[^。！？]{0,12}?(?:占|少算|多算|少量|多量|少|量|征|退|只有)了?(?:我家?|他家?)?"
    r"(?P<number>[一二两三四五六七八九])分(?=[，。,；]|$)"
)
# 一亩补一百, 三万四一亩: what a price is for
_PER_MU = re.compile(
    rf"一亩(?=(?:地|田)?(?:才|只|就|要|是|给|补|收|交|赔|卖|租|算|得)*{NUMERAL}(?!亩|分))"
)
_PRICED = re.compile(r"[百千万块元]$|[百千万][一二三四五六七八九]$")
_HALF_LAND = re.compile(r"(?<![一二两三四五六七八九十\d])半亩")
_FEN = re.compile(
    rf"{_START}(?P<number>{ONE})分(?:多)?(?P<kind>(?:水|旱|菜|秧|自留|承包|宅基|责任|口粮)?(?:地|田)|多?土地)"
)
_FLOOR = re.compile(
    rf"{_START}(?P<number>{NUMERAL})(?:个平方米|个平方|平方米|平方(?!公里|千米)|平米|㎡|平(?![均时常安台房坝地整价方原静等凡公坦])(?!大))"
)
_DAYS = re.compile(
    rf"(?<![这前过近头那每]){_START}(?P<number>{NUMERAL})(?:个)?(?:工作日|天(?!然|气|生|花|上|下|天|桥|井|坑|线)|日(?!报|常|子|均))"
)
# 两千一户 is a price for each
_NO_PRICE = r"(?<![一二两三四五六七八九])(?![一二两三四五六七八九][百千万]一(?:户|家|人))"
_HOUSEHOLDS = re.compile(
    rf"{_START}(?P<number>{_NO_PRICE}{NUMERAL})(?:户人家|户人|户(?!口|主|型|籍)|家人户|家人)"
)
_ALONE = re.compile(
    rf"{_START}(?P<number>{NUMERAL})(?:个|号)?人(?!次|民|均|工|家|员|大|事|间|口|为|情|力|质|命|类|才|行道|些|的名|份|组|团|称)"
)
_BARE = re.compile(rf"{_START}(?P<number>{ONE})")
# 都八十一了: an age
_AGED = re.compile(r"(?:都|已经|今年|快|满|才)$")
_RATE = re.compile(
    r"(?:一|每)(?:个月|月|天|年|人|户|亩|家|学期|斤|吨|度|方|车|桌|趟|个人|顿|头|棵|箱|袋|盒|瓶|碗|间|辆|桶|[只头条棵瓶袋本包碗][\u4e00-\u9fff]|支|餐|节|平|份|张|本|件|套|条|只|次|趟|晚|人每月|个门面)(?:要|才|就|是|只|收|卖|交|补)?$"
)
# 一百五一天, 三千多的药费, 三千涨到五千: what behind a number makes it money
_PAID = re.compile(
    r"一(?:天|个月|年|吨|斤|亩|户|家|人|个人|车|度|桌|晚|次|学期|顿|餐|头|只|方|趟|平|份|张|本|件|套|条|盏)(?!半)"
    r"|多?的?(?:[^，。,；、的\d]{0,3})(?:费|钱|款|工资|押金|补贴|补助|租金|罚金|赔偿|彩礼|订金|定金)"
    r"|(?:涨|降|变|加|提|减)(?:到|成)"
)
_YEAR_LIKE = re.compile(r"(?:19|20)\d\d")
_DIGIT = re.compile(r"[\d一二两三四五六七八九十]|上|把|来")
LARGE = 100
LARGEST_AGE = 120
_HEDGE = "大概|差不多|左右|上下|将近|差点|快要|至少|起码|足足|整整"
LARGEST = 1e13


@dataclass(frozen=True)
class Said:
    """One amount where it was said."""

    span: Span
    amount: Amount


class Counter:
    """Finds amounts; the words that it needs are compiled once."""

    def __init__(self, words: AmountWords) -> None:
        nouns = any_of(words.people)
        self._phrases = re.compile(
            rf"(?<![一二两三四五六七八九十百千几\d])(?:{any_of(words.phrases)})"
        )
        self._people = re.compile(
            rf"{_START}(?P<number>{NUMERAL})(?:个|名|位|口)(?:{any_of(words.describing)}){{0,2}}"
            rf"(?:(?!{any_of(words.spans)})[^，。,；、的\d都是就也把被给到去来了]{{1,6}}的)?(?:{nouns})(?!{any_of(words.not_people)})"
        )
        self._spending = re.compile(
            rf"(?:{any_of(words.spending)})(?:{any_of(words.linking)}|{_HEDGE}){{0,4}}$"
        )
        self._ending = tuple(words.ending)
        self._hotlines = frozenset(words.hotlines)
        self._counted = re.compile(rf"(?!只(?:给|有|能|要|够|发)|一)(?:{any_of(words.counters)})")
        self._money_text = re.compile(any_of(words.money))

    def find(self, reading: Reading, taken: tuple[Span, ...]) -> tuple[Said, ...]:
        """Find the amounts of a reading outside the spans taken by times and names, in order."""
        text = reading.text
        closed = [*taken, *(Span(*match.span()) for match in self._phrases.finditer(text))]
        kept: list[Said] = []
        for kind in (self._money, self._counts, self._bare_money):
            for span, value, unit in kind(text):
                if any(span.overlaps(other) for other in closed) or not 0 < value < LARGEST:
                    continue
                closed.append(span)
                if value == 1 and unit in ("人", "户", "天"):
                    continue
                said = reading.passage.text[span.start : span.end]
                kept.append(Said(span, Amount(value=value, unit=unit, text=said)))
        kept.sort(key=lambda one: one.span.start)
        seen: dict[tuple[float, str], Said] = {}
        for one in kept:
            seen.setdefault((one.amount.value, one.amount.unit), one)
        return tuple(seen.values())

    def _money(self, text: str) -> Iterator[tuple[Span, float, str]]:
        for match in _MONEY.finditer(text):
            value = read_number(match["number"])
            if value is None or (match.group() == "一块" and not self._is_paid(text, match)):
                continue
            tenths = 5.0 if match["half"] else _digit(match["tenths"])
            value += tenths / 10 + _digit(match["cents"]) / 100
            yield Span(*match.span()), round(value, 4), "元"
        for match in _COINS.finditer(text):
            value = read_number(match["number"])
            if value is not None:
                yield Span(*match.span()), round(value / 10 + _digit(match["cents"]) / 100, 4), "元"

    def _is_paid(self, text: str, match: re.Match[str]) -> bool:
        """Tell 一块 of money from 一块 of anything else."""
        start = match.start()
        return bool(
            text.startswith("钱", match.end())
            or self._spending.search(text, max(0, start - 14), start)
            or _RATE.search(text, max(0, start - 8), start)
        )

    def _is_price(self, text: str, start: int) -> bool:
        """Tell the 一亩 that a price is for from a mu of land."""
        return bool(_PER_MU.match(text, start) or _PRICED.search(text, max(0, start - 3), start))

    def _counts(self, text: str) -> Iterator[tuple[Span, float, str]]:
        yield from self._land(text)
        counted: tuple[tuple[str, re.Pattern[str], str], ...] = (
            ("平㎡", _FLOOR, "平方米"),
            ("户家", _HOUSEHOLDS, "户"),
            ("个名位口", self._people, "人"),
            ("人", _ALONE, "人"),
            ("天日", _DAYS, "天"),
        )
        for signs, pattern, unit in counted:
            for match in pattern.finditer(text) if _has(text, signs) else ():
                value = read_number(match["number"])
                if value is not None:
                    yield Span(*match.span()), value, unit

    def _land(self, text: str) -> Iterator[tuple[Span, float, str]]:
        if not _has(text, "亩分"):
            return
        for match in _LAND.finditer(text):
            value = read_number(match["number"])
            if match["number"] == "一" and self._is_price(text, match.start()):
                continue
            if value is not None:
                value += 0.5 if match["half"] else _digit(match["fen"]) * _MU_PER_FEN
                yield Span(*match.span()), round(value, 4), "亩"
        for match in _HALF_LAND.finditer(text):
            yield Span(*match.span()), 0.5, "亩"
        for match in _FEN.finditer(text):
            value = read_number(match["number"])
            if value is not None and value < 10:
                yield Span(*match.span()), round(value * _MU_PER_FEN, 4), "亩"
        for match in _FEN_ALONE.finditer(text):
            span = Span(match.start("number"), match.end())
            yield span, round(_digit(match["number"]) * _MU_PER_FEN, 4), "亩"

    def _bare_money(self, text: str) -> Iterator[tuple[Span, float, str]]:
        """Find numbers without 块 or 元 that stand where only money stands: 收了我三千八."""
        for match in _BARE.finditer(text):
            value = read_number(match["number"])
            if not _DIGIT.search(match["number"]):
                continue
            if value is None or value < 10 or self._counted.match(text, match.end()):
                continue
            ends = match.end() == len(text) or text.startswith(self._ending, match.end())
            led = self._spending.search(text, max(0, match.start() - 14), match.start())
            led = led or _RATE.search(text, max(0, match.start() - 8), match.start())
            large = value >= LARGE and any(sign in match["number"] for sign in "百千万")
            if match.group() in self._hotlines or (
                value < LARGEST_AGE
                and _AGED.search(text, max(0, match.start() - 3), match.start())
                and text.startswith(("了", "岁", "，", "。"), match.end())
            ):
                continue
            much = match["number"].rstrip("多几余来").endswith("万")
            spoken = ends and (much or self._money_text.search(text))
            paid = value >= LARGE and _PAID.match(text, match.end())
            if (
                (paid and not _YEAR_LIKE.fullmatch(match["number"]))
                or (large and (led or spoken))
                or (led and ends)
            ):
                yield Span(*match.span()), value, "元"


def _has(text: str, signs: str) -> bool:
    """Tell whether any of the signs that a pattern cannot do without is there: most are not."""
    return any(sign in text for sign in signs)


def _digit(sign: str | None) -> float:
    if not sign:
        return 0.0
    return float(_SMALL.get(sign, 0) or (int(sign) if sign.isdigit() else 0))
