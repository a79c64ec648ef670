"""Administrative division codes (GB/T 2260): province, city, county in six digits."""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise

from models.errors import Invalid

PAIR = 2
DIGITS = 6
NATION = "000000"


class Level(IntEnum):
    """How high a body stands; a larger number is higher."""

    VILLAGE = 1
    TOWN = 2
    COUNTY = 3
    CITY = 4
    PROVINCE = 5
    NATION = 6


def check(code: str) -> str:
    """Give the code back if it is six digits without a gap, else raise Invalid."""
    pairs = [code[i : i + PAIR] for i in range(0, DIGITS, PAIR)]
    gap = any(a == "00" and b != "00" for a, b in pairwise(pairs))
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()) or gap:
        raise Invalid(
            f"行政区划代码 {code!r} 不对，应为 6 位数字，例如 510000。",
            f"{code!r} is no administrative division code: give six digits such as 510000.",
            code="bad_division",
        )
    return code


def prefix(code: str) -> str:
    """Give the part of the code that all divisions below it share ("5101" for a city)."""
    return check(code).rstrip("0") if len(code.rstrip("0")) % PAIR == 0 else code.rstrip("0") + "0"


def level(code: str) -> Level:
    """Tell whether the code names the nation, a province, a city or a county."""
    return {0: Level.NATION, 2: Level.PROVINCE, 4: Level.CITY, 6: Level.COUNTY}[len(prefix(code))]


def parent(code: str) -> str:
    """Give the division one level above; the nation is its own parent."""
    kept = prefix(code)[:-PAIR]
    return kept.ljust(DIGITS, "0")


def within(code: str, above: str) -> bool:
    """Tell whether `code` is `above` or lies below it."""
    return check(code).startswith(prefix(above))
