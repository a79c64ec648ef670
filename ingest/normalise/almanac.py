"""Days, months, seasons and feasts of the two calendars as intervals of days, both included."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from lunardate import LunarDate

from models.record import Precision
from models.transcript import Frozen

DAY = timedelta(days=1)
SPRING_FESTIVAL_DAYS = 7
AROUND_FEAST_DAYS = 7


class Interval(Frozen):
    """A stretch of days and how exactly it was said.

    anchor : a day after the start that must have come before one may speak of it (年前)
    """

    start: date
    end: date
    precision: Precision
    anchor: date | None = None


def cut(interval: Interval, received: date) -> Interval | None:
    """End an interval on the day received at the latest; None if it has not begun by then."""
    if (interval.anchor or interval.start) > received:
        return None
    return interval.model_copy(update={"end": min(interval.end, received)})


def one_day(day: date) -> Interval:
    """Give one day."""
    return Interval(start=day, end=day, precision="day")


def days(start: date, end: date) -> Interval:
    """Give a stretch that is no unit of the calendar."""
    return Interval(start=start, end=end, precision="range")


def year(number: int) -> Interval:
    """Give a calendar year."""
    return Interval(start=date(number, 1, 1), end=date(number, 12, 31), precision="year")


def month(number: int, of: int) -> Interval:
    """Give a calendar month of a year."""
    last = monthrange(of, number)[1]
    return Interval(start=date(of, number, 1), end=date(of, number, last), precision="month")


def months(first: int, last: int, of: int) -> Interval:
    """Give several months; a last below the first lies in the next year."""
    end = month(last, of + (last < first)).end
    return Interval(start=date(of, first, 1), end=end, precision="season")


def third(interval: Interval, part: str) -> Interval:
    """Give the first or second ten days of a month or what is left of it."""
    start = interval.start
    first, last = {"初": (0, 9), "中": (10, 19), "底": (20, None)}[part]
    end = interval.end if last is None else start + last * DAY
    return days(start + first * DAY, min(end, interval.end))


def back(day: date, *, years: int = 0, months: int = 0) -> date:
    """Give the same day so many years and months before, or the last one its month has."""
    index = (day.year - years) * 12 + day.month - 1 - months
    number, of = index % 12 + 1, index // 12
    return date(of, number, min(day.day, monthrange(of, number)[1]))


def lunar_day(number: int, of_month: int, of: int, *, leap: bool = False) -> date:
    """Give the day of a lunar date; raise ValueError where the lunar year lacks it."""
    solar = LunarDate(of, of_month, number, leap).to_solar_date()
    return date(solar.year, solar.month, solar.day)


def lunar_month(number: int, of: int, *, leap: bool = False) -> Interval:
    """Give a lunar month of a lunar year."""
    start = lunar_day(1, number, of, leap=leap)
    end = start + 28 * DAY
    following = LunarDate.from_solar_date(*(end + DAY).timetuple()[:3])
    if (following.month, bool(following.is_leap_month)) == (number, leap):
        end += DAY
    return Interval(start=start, end=end, precision="month")


def new_year(of: int) -> date:
    """Give the first day of a lunar year."""
    return lunar_day(1, 1, of)


def new_years_eve(of: int) -> Interval:
    """Give the last day of a lunar year."""
    return one_day(new_year(of + 1) - DAY)


def spring_festival(of: int) -> Interval:
    """Give the first week of a lunar year."""
    start = new_year(of)
    return days(start, start + (SPRING_FESTIVAL_DAYS - 1) * DAY)
