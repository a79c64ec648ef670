"""How moments are written for staff."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.staff import pages

NEW_YEAR = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight in the office


@pytest.mark.parametrize(
    ("today", "written"),
    [
        (datetime(2026, 12, 31, 15, 0, tzinfo=UTC), "2027-01-01 00:30"),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), "01-01 00:30"),
        (datetime(2028, 1, 1, tzinfo=UTC), "2027-01-01 00:30"),
    ],
)
def test_a_moment_of_another_year_says_which(
    today: datetime, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "now", lambda: today)
    assert pages.moment(NEW_YEAR) == written
    assert pages.dated(NEW_YEAR) == "2027-01-01 00:30"


def test_of_no_moment_nothing_is_written() -> None:
    assert pages.moment(None) == pages.dated(None) == ""
