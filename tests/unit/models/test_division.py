"""Division codes form a tree of province, city and county."""

from __future__ import annotations

import pytest

from models import division
from models.division import Level
from models.errors import Invalid


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("510000", Level.PROVINCE, "000000"),
        ("513400", Level.CITY, "510000"),
        ("513430", Level.COUNTY, "513400"),
        ("511000", Level.CITY, "510000"),
        ("110101", Level.COUNTY, "110100"),
        ("100000", Level.PROVINCE, "000000"),
    ],
)
def test_level_and_parent_follow_from_the_digits(code: str, level: Level, parent: str) -> None:
    assert division.level(code) is level
    assert division.parent(code) == parent


def test_a_division_holds_itself_and_what_lies_below() -> None:
    assert division.within("513430", "513400")
    assert division.within("513430", "513430")
    assert division.within("513430", "000000")
    assert not division.within("513400", "513430")
    assert not division.within("510100", "513400")
    assert not division.within("511000", "510100")


@pytest.mark.parametrize("code", ["", "51", "5134300", "51343x", "５１３４３０", "510034"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(Invalid):
        division.check(code)
