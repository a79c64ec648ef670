"""Working days, and by when each step of a complaint is due."""

from __future__ import annotations

import calendar
import tomllib
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from lunardate import LunarDate
from pydantic import field_validator

from models.errors import Misconfigured
from models.transcript import Frozen

# The offices that these clocks bind all keep Beijing time.
OFFICE = ZoneInfo("Asia/Shanghai")
SATURDAY = 5


class Clock(StrEnum):
    """What has to be done by a certain day."""

    REGISTER = "register"
    ACCEPT = "accept"
    TELL = "tell"
    FEED_BACK = "feed_back"
    RECTIFY = "rectify"


# Working days, the day that starts the clock not counted; `RECTIFY` is in calendar months.
WORKING_DAYS = {Clock.REGISTER: 1, Clock.ACCEPT: 5, Clock.TELL: 15, Clock.FEED_BACK: 15}
RECTIFY_MONTHS = 2


class Year(Frozen):
    """One year's arrangement as it was published.

    off : days off that are no weekend, or are one inside a holiday; each a day or "first/last"
    worked : weekend days on which offices work
    source : where it was published
    """

    source: str
    off: tuple[str, ...]
    worked: tuple[date, ...] = ()

    @field_validator("off")
    @classmethod
    def _readable(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        for span in spans:
            _days(span)
        return spans

    @property
    def days_off(self) -> frozenset[date]:
        """Give every day off, spans unfolded."""
        return frozenset(day for span in self.off for day in _days(span))


class Holidays(Frozen):
    """The announced years, and what is known of any other.

    solar, lunar : statutory days as month-day of the two calendars
    """

    solar: tuple[str, ...] = ()
    lunar: tuple[str, ...] = ()
    years: dict[int, Year]

    def works(self, day: date) -> bool:
        """Tell whether offices work on a day."""
        year = self.years.get(day.year)
        if year is None:
            return day.weekday() < SATURDAY and day not in self._statutory(day.year)
        if day in year.worked:
            return True
        return day.weekday() < SATURDAY and day not in year.days_off

    def _statutory(self, year: int) -> frozenset[date]:
        """Give the statutory days of a year that was not announced."""
        solar = {date.fromisoformat(f"{year}-{each}") for each in self.solar}
        lunar = {
            LunarDate(year, *(int(part) for part in each.split("-"))).to_solar_date()
            for each in self.lunar
        }
        eve = LunarDate(year, 1, 1).to_solar_date() - timedelta(days=1)
        return frozenset(solar | lunar | {eve, qingming(year)})


@lru_cache
def load(extension: Path | None = None) -> Holidays:
    """Read the shipped years, and those of a deployment's own file of the same form over them."""
    shipped = files("models").joinpath("data/holidays.toml").read_text("utf-8")
    base = Holidays.model_validate(tomllib.loads(shipped))
    if extension is None:
        return base
    try:
        own = Holidays.model_validate(tomllib.loads(extension.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"节假日表 {extension} 读不出来，请检查格式。",
            f"The holiday list {extension} cannot be read: check its form.",
            code="holidays_unreadable",
        ) from error
    return Holidays(
        solar=own.solar or base.solar,
        lunar=own.lunar or base.lunar,
        years=base.years | own.years,
    )


def due(clock: Clock, since: datetime, holidays: Holidays | None = None) -> datetime:
    """Give the last moment in time: the end of the last day, Beijing time."""
    day = since.astimezone(OFFICE).date()
    if clock is Clock.RECTIFY:
        last = add_months(day, RECTIFY_MONTHS)
    else:
        last = add_working_days(day, WORKING_DAYS[clock], holidays or load())
    midnight = datetime.combine(last + timedelta(days=1), time(), OFFICE)
    return midnight - timedelta(seconds=1)


def midnight(moment: datetime) -> datetime:
    """Give when the day of a moment began in the offices."""
    return datetime.combine(moment.astimezone(OFFICE).date(), time(), OFFICE)


def add_working_days(day: date, count: int, holidays: Holidays) -> date:
    """Give the `count`-th working day after a day."""
    while count > 0:
        day += timedelta(days=1)
        count -= holidays.works(day)
    return day


def add_months(day: date, count: int) -> date:
    """Give the same day of a later month, or its last day where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def qingming(year: int) -> date:
    """Give the day of the solar term Qingming, by the usual century formula for 2000 to 2099."""
    short = year % 100
    return date(year, 4, int(short * 0.2422 + 4.81) - short // 4)


def _days(span: str) -> list[date]:
    first, _, last = span.partition("/")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
