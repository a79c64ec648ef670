"""Numbers as people say and write them: 三万二, 两三百, 十几, 1.5万, 百把, 上千."""

from __future__ import annotations

import re

DIGITS = {"零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}
DIGITS |= {"六": 6, "七": 7, "八": 8, "九": 9}
SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
ABOUT = "多来余"
LONGEST = 16  # signs of a numeral behind its first

_ARABIC = r"\d+(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
# 一百二一天 is 一百二 for each 一天, 二十一天 are 21
_EACH = "天月年吨斤度亩车方人户次顿桌间套只头张本晚箱袋盒瓶"
_NOT_EACH = rf"(?!(?<=[二两三四五六七八九百千万])一(?:[{_EACH}]|个(?:月|人)))"
_HAN = "零〇一二两三四五六七八九十百千万亿"
ONE = (
    rf"(?:上(?=[百千万]))?(?:{_ARABIC}|[{_HAN}])"
    rf"(?:(?<=[{_HAN}])(?:{_ARABIC})|{_NOT_EACH}[{_HAN}]|几|多(?!少)|余|来(?=[{_HAN}块元个名位口人户家亩平天毛角方])"
    rf"|把(?=[块元个人户亩天])){{0,{LONGEST}}}"
)
# a range names two numbers: 三到五天, 3-5万
NUMERAL = rf"(?:{ONE}(?:到|至|-|—|–|~|～))?{ONE}"
BEFORE = "几数好"  # 好几百, 几千, 数十: vague, no number
_RANGE = re.compile(r"到|至|-|—|–|~|～")
_PLAIN = re.compile(rf"(?P<figures>{_ARABIC})(?P<rest>.*)", re.DOTALL)


def read(said: str) -> float | None:
    """Give the number, the lower of a range or of two digits in a row; None if there is none."""
    low, *high = _RANGE.split(said, maxsplit=1)
    value = _read_one(low)
    if value is None or not high:
        return value
    if value < 10 and low[-1] not in SCALES:
        value *= _shared_scale(high[0])
    return value


def _shared_scale(high: str) -> int:
    """Give the scale that 三到五万 lends to its first number."""
    scale = 1
    for sign in reversed(high):
        if sign not in SCALES or sign == "十":
            break
        scale *= SCALES[sign]
    return scale


def _read_one(said: str) -> float | None:
    said = said.removeprefix("上").replace("把", "")
    for sign in "几" + ABOUT:
        if sign in said:
            return _read_vague(said, sign)
    match = _PLAIN.fullmatch(said)
    if match:
        return _read_figures(match["figures"], match["rest"])
    return _read_han(said)


def _read_vague(said: str, sign: str) -> float | None:
    """Keep what stands before the sign; 十几万 and 三十多万 keep the scale behind it too."""
    before, behind = said.split(sign, maxsplit=1)
    value = _read_one(before) if before else None
    if value is None:
        return None
    if sign == "几" and behind[:1] in ("十", "百", "千"):
        behind = behind[1:]
    if behind[:1] in ("万", "亿") and behind[0] not in before:
        return value * SCALES[behind[0]]
    return value


def _read_figures(figures: str, rest: str) -> float | None:
    value = float(re.sub("[,，]", "", figures))
    last = 1
    while rest and rest[0] in SCALES:
        last = SCALES[rest[0]]
        value *= last
        rest = rest[1:]
    if not rest:
        return value
    more = _read_one(rest)
    if more is None or last == 1:
        return None
    return value + (more * last / 10 if more < 10 and rest[-1] not in SCALES else more)


def _read_han(said: str) -> float | None:
    """Read a number in characters; digits alone (二三五) are read one by one from three on."""
    if all(sign in DIGITS for sign in said):
        if len(said) <= 2 and "零" not in said and "〇" not in said:
            return float(DIGITS[said[0]])
        return float("".join(str(DIGITS[sign]) for sign in said))
    total = section = digit = 0
    last, run = 1, 0
    for position, sign in enumerate(said):
        if sign in DIGITS:
            run += 1
            if run > 2:
                return None
            if run == 1 or not digit:
                digit = DIGITS[sign]
            if sign in "零〇":
                run, last = 0, 1
            elif position == len(said) - 1 and last > 10:
                digit *= last // 10
        elif sign not in SCALES:
            return None
        else:
            scale, run = SCALES[sign], 0
            if scale >= SCALES["万"]:
                whole = section + digit if scale == SCALES["万"] else total + section + digit
                total = whole * scale + (total if scale == SCALES["万"] else 0) or scale
                section = digit = 0
            else:
                section += (digit or 1) * scale
                digit = 0
            last = scale
    return float(total + section + digit)
