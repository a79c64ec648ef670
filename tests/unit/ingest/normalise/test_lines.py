"""Texts from the command line become one record each."""

from __future__ import annotations

from datetime import date

import pytest

from ingest.normalise.lines import normalise_lines, sit_down
from models.errors import Invalid

RECEIVED = date(2026, 5, 12)


def test_each_line_that_says_something_gives_one_record() -> None:
    desk = sit_down(None, "qx-shiqiao", RECEIVED)
    first, second = normalise_lines(["村支书收了三百块\n", "\n", "去年冬天停水\n"], desk)
    assert first.subject.unit_code == "qx-sq-shiqiao-vc"
    assert second.occurred is not None
    assert second.occurred.precision == "season"


def test_an_unknown_channel_is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid, match="qx-shiqiao"):
        sit_down(None, "nowhere", RECEIVED)
