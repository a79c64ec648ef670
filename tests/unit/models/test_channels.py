"""Channels: only sound ones are made, and a scan is counted without whose it was."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from models import channels
from models.channel import Channel
from models.database import reading, writing
from models.errors import Conflict, Invalid, NotFound

SOUND: dict[str, Any] = {"code": "qinghe-hall", "name": "青禾镇大厅", "jurisdiction": "513425"}


def test_a_channel_is_made_once(engine: Engine) -> None:
    with writing(engine) as session:
        channels.add(session, Channel(**SOUND))
        with pytest.raises(Conflict):
            channels.add(session, Channel(**SOUND))


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "Qinghe"},
        {"code": "../key"},
        {"code": ""},
        {"code": "x" * 41},
        {"name": "  "},
        {"name": "名" * 61},
        {"jurisdiction": "51342"},
        {"unit_code": "u-nowhere"},
        {"languages": ["zh", "zh"]},
        {"languages": ["<b>"]},
        {"valid_from": date(2026, 3, 2), "valid_until": date(2026, 3, 1)},
        {"recording_seconds": 0},
        {"help_phone": "tel:javascript"},
    ],
)
def test_a_channel_that_breaks_a_rule_is_refused(engine: Engine, wrong: dict[str, Any]) -> None:
    with writing(engine) as session, pytest.raises(Invalid):
        channels.add(session, Channel(**(SOUND | wrong)))


def test_the_default_channel_is_made_once_and_kept(engine: Engine) -> None:
    for _ in range(2):
        with writing(engine) as session:
            made = channels.ensure_default(session, "own")
            assert tuple(made.languages) == channels.LANGUAGES


def test_a_channel_is_open_between_its_days_only(engine: Engine) -> None:
    days = {"valid_from": date(2026, 3, 1), "valid_until": date(2026, 3, 31)}
    with writing(engine) as session:
        channels.add(session, Channel(**SOUND, **days))
        for day in (date(2026, 3, 1), date(2026, 3, 31)):
            assert channels.opened(session, SOUND["code"], day).code == SOUND["code"]
        for day in (date(2026, 2, 28), date(2026, 4, 1)):
            with pytest.raises(Invalid) as refused:
                channels.opened(session, SOUND["code"], day)
            assert refused.value.code == "channel_closed"
        with pytest.raises(NotFound):
            channels.opened(session, "nowhere")


def test_scans_are_counted_by_day_and_nothing_else(engine: Engine) -> None:
    for day, times in ((date(2026, 3, 1), 3), (date(2026, 3, 2), 1)):
        for _ in range(times):
            with writing(engine) as session:
                channels.count_scan(session, "xsl-clinic", day)
    with reading(engine) as session:
        assert channels.scans(session, "xsl-clinic") == {date(2026, 3, 1): 3, date(2026, 3, 2): 1}


def test_the_channel_decides_the_order_of_languages(engine: Engine) -> None:
    channel = Channel(**SOUND, languages=["ii", "xx", "zh"])
    assert channels.languages(channel, ("zh", "ii", "bo")) == ("ii", "zh")
    assert channels.languages(Channel(**SOUND), ("bo", "zh")) == ("zh", "bo")
