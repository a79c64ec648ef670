from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from models.clocks import OFFICE, Clock, add_months, add_working_days, due, load, qingming
from models.errors import Misconfigured


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 23), True),
        (date(2026, 11, 22), False),
        (date(2025, 1, 28), False),
        (date(2025, 1, 26), True),
        (date(2025, 10, 8), False),
        (date(2026, 2, 16), False),
        (date(2026, 2, 28), True),
        (date(2026, 5, 9), True),
        (date(2026, 10, 10), True),
    ],
)
def test_announced_years_are_taken_as_announced(day: date, works: bool) -> None:
    assert load().works(day) is works


@pytest.mark.parametrize("year", [2025, 2026])
def test_days_worked_for_a_holiday_are_weekend_days(year: int) -> None:
    announced = load().years[year]
    assert all(day.weekday() >= 5 and day.year == year for day in announced.worked)
    assert not set(announced.worked) & announced.days_off


@pytest.mark.parametrize(
    "day",
    [
        date(2027, 1, 1),
        date(2027, 2, 5),  # the eve of the lunar year
        date(2027, 2, 8),
        date(2027, 4, 5),
        date(2027, 6, 9),
        date(2027, 9, 15),
        date(2027, 10, 1),
    ],
)
def test_a_year_not_yet_announced_has_its_statutory_days(day: date) -> None:
    assert day.weekday() < 5
    assert not load().works(day)
    assert load().works(date(2027, 3, 1))


def test_qingming_falls_where_the_almanac_says() -> None:
    known = {2023: 5, 2024: 4, 2025: 4, 2026: 5, 2027: 5, 2028: 4}
    assert {year: qingming(year).day for year in known} == known


def test_a_due_moment_is_the_end_of_the_last_working_day_in_beijing() -> None:
    # 30 September 2026 is a Wednesday; 1 to 7 October are off and the 10th is worked.
    received = datetime(2026, 9, 30, 9, tzinfo=OFFICE)
    assert due(Clock.REGISTER, received) == datetime(2026, 10, 8, 23, 59, 59, tzinfo=OFFICE)
    assert due(Clock.ACCEPT, received) == datetime(2026, 10, 13, 23, 59, 59, tzinfo=OFFICE)


def test_the_day_of_receipt_is_the_day_in_beijing() -> None:
    late_in_utc = datetime(2026, 11, 22, 17, tzinfo=UTC)
    assert due(Clock.REGISTER, late_in_utc).date() == date(2026, 11, 24)


def test_rectification_is_counted_in_calendar_months() -> None:
    concluded = datetime(2026, 12, 31, 9, tzinfo=OFFICE)
    assert due(Clock.RECTIFY, concluded).date() == date(2027, 2, 28)
    assert add_months(date(2024, 2, 29), 120) == date(2034, 2, 28)


def test_a_deployment_adds_a_year_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "holidays.toml"
    own.write_text('[years.2027]\nsource = "ours"\noff = ["2027-03-01/2027-03-03"]\nworked = []\n')
    extended = load(own)
    assert not extended.works(date(2027, 3, 2))
    assert add_working_days(date(2027, 2, 26), 1, extended) == date(2027, 3, 4)
    assert not extended.works(date(2028, 5, 1))


def test_an_unreadable_list_is_refused_with_what_to_do(tmp_path: Path) -> None:
    own = tmp_path / "holidays.toml"
    own.write_text('[years.2027]\nsource = "ours"\noff = ["soon"]\n')
    with pytest.raises(Misconfigured):
        load(own)
