"""What expressions of time are made of: numbers of days, parts of a day and of a month."""

from __future__ import annotations

from ingest.normalise.numeral import read as read_number

HAN = "零〇一二三四五六七八九"
# 老三九月底: the third of brothers is no number of a date
NOT_BEHIND_NUMBER = rf"(?:(?<![\d{HAN}十百千几两])|(?<=老[二三四五六七八九]))"
PART_OF_DAY = (
    r"(?:一?大清早|清早|清晨|一?大早上?|早上|早晨|早起|上午|中午|晌午|午后|下午|傍晚|大?晚上|[后下前上]?半夜"
    r"|夜里|夜头|夜晚|深夜|凌晨|晚黑|晚夕|天黑)"
)
DAY_NUMBER = (
    r"(?:[12]\d|3[01]|0?[1-9]|二十[一二三四五六七八九]?|三十一?"
    r"|十[一二三四五六七八九]?|[一二三四五六七八九])"
)
# 四月十五天, 三月二十个人: no day of the month
NO_DAY = r"[\d个块元人户亩天多次年月点级度分米公斤万千百十余头家名位口吨、到至]"
# 九月初一套收两百, 上周一场雨: the number belongs to what is behind it
COUNTED = (
    "(?:场(?![口镇上])|套|棵|脚(?=急刹|踢|踹)|辆|声|窝|针|次|回(?![来家去])|趟|户|家(?!里|头|屋|门)"
    "|夜之间|天(?:没来|三夜))"
)
# a day of the month without 号; 六月十九一场雨 is the nineteenth
BARE_DAY = (
    rf"(?:(?:[12]\d|3[01]|二?十[一二三四五六七八九]|三十一)"
    rf"(?!{NO_DAY}|[几零〇二三四五六七八九]|一(?![阵场夜早大群伙帮过]))"
    rf"|(?:二?十|三十)(?!{NO_DAY}|[来几{HAN}]))"
)
# 二十几号: which days of a month that may be
ABOUT_DAYS = {"初几": (1, 10), "十几": (11, 19), "二十几": (20, 29), "廿几": (20, 29)}
ABOUT_DAY = r"(?:二?十几)"
DAY_OF_MONTH = r"(?:号|日(?!报))"
THIRDS = {
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


def number_of(said: str) -> int:
    """Read the number of a day or month, 初三 and 廿三 too; 0 if it is none."""
    value = read_number(said.removeprefix("初").replace("廿", "二十"))
    return int(value or 0)
