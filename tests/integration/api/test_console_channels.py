"""The administrators' pages: channels with their posters and scans, and prompts recorded aloud."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from models import audit, channels
from models.account import Role
from models.audit import Deed
from models.channel import Channel, Unit
from models.database import reading, writing
from tests import cases
from tests.conftest import House
from tests.integration.api.test_console import PAGE, Sitting

NEW = {
    "code": "qinghe-hall",
    "name": "青禾镇大厅",
    "jurisdiction": cases.COUNTY,
    "unit": "u-qinghe",
    "round": "r1",
    "languages": ["ug", "zh"],
    "valid_from": "2026-01-01",
    "valid_until": "2099-01-01",
    "seconds": "600",
    "help_name": "李医生",
    "help_phone": "0834 555 0100",
}
MP3 = b"ID3" + bytes(500)


@pytest.fixture
def boss(client: TestClient, house: House) -> Sitting:
    """An administrator of a county whose gazetteer has one unit."""
    with writing(house.engine) as session:
        session.add(Unit(code="u-qinghe", name="青禾镇政府", division=cases.COUNTY))
        account = cases.account(session, Role.ADMINISTRATOR, cases.COUNTY)
    return Sitting(client, house, account)


@pytest.fixture
def nation(client: TestClient, house: House) -> Sitting:
    with writing(house.engine) as session:
        account = cases.account(session, Role.ADMINISTRATOR, cases.NATION)
    return Sitting(client, house, account)


def post(boss: Sitting, path: str, **form: Any) -> Any:
    return boss.client.post(
        path, data={**form, "csrf": boss.token}, headers=PAGE, follow_redirects=False
    )


def test_a_channel_is_made_with_its_unit_round_languages_validity_and_poster(
    boss: Sitting, house: House
) -> None:
    answer = post(boss, "/staff/channels", **NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/channels/qinghe-hall")
    with reading(house.engine) as session:
        made = session.get_one(Channel, "qinghe-hall")
        deeds = [one.deed for one in audit.recent(session, actor=str(boss.account.id))]
    assert (made.unit_name, made.round, made.languages) == ("青禾镇政府", "r1", ["ug", "zh"])
    assert (str(made.valid_until), made.recording_seconds) == ("2099-01-01", 600)
    assert deeds[0] == Deed.CHANNEL_ADDED
    page = boss.get("/staff/channels/qinghe-hall").text
    for address in ("/c/qinghe-hall/poster", "/c/qinghe-hall/poster.svg"):
        assert f'"{address}"' in page
        assert boss.get(address).status_code == 200
    shown = boss.client.get("/c/qinghe-hall").text
    assert re.findall(r'data-choose="([^"]+)"', shown) == ["ug", "zh", "und"]
    assert "0834 555 0100" in shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"code": "Ab"}, "小写字母"),
        ({"code": "xsl-clinic"}, "已经有了"),
        ({"name": " "}, "名称"),
        ({"jurisdiction": "51"}, "行政区划"),
        ({"jurisdiction": cases.NEIGHBOUR}, "辖区"),
        ({"jurisdiction": cases.PROVINCE}, "辖区"),
        ({"unit": "u-nowhere"}, "名录"),
        ({"valid_until": "2025-01-01"}, "截止日期"),
        ({"valid_from": "soon"}, "日期"),
        ({"seconds": "-1"}, "秒数"),
        ({"seconds": "0"}, "大于零"),
        ({"help_phone": "call me"}, "电话"),
    ],
)
def test_a_wrong_field_is_named_and_what_was_written_stays(
    boss: Sitting, house: House, wrong: dict[str, str], said: str
) -> None:
    form = NEW | {"help_name": "<b>李医生</b>"} | wrong
    answer = post(boss, "/staff/channels", **form)
    assert answer.status_code == 422
    notice = re.search(r'role="alert">([^<]*)', answer.text)
    assert notice and said in notice[1]
    assert "&lt;b&gt;李医生&lt;/b&gt;" in answer.text and "<b>李" not in answer.text
    with reading(house.engine) as session:
        assert session.get(Channel, "qinghe-hall") is None


def test_a_channel_is_changed_but_not_its_code(boss: Sitting, house: House) -> None:
    form = NEW | {"code": "another", "name": "卫生室", "valid_until": "2026-02-01"}
    answer = post(boss, "/staff/channels/xsl-clinic", **form)
    assert answer.status_code == 303
    with reading(house.engine) as session:
        assert session.get(Channel, "another") is None
        assert session.get_one(Channel, "xsl-clinic").name == "卫生室"
        deed = audit.recent(session, actor=str(boss.account.id))[0].deed
    assert deed == Deed.CHANNEL_CHANGED
    assert boss.client.get("/c/xsl-clinic").status_code == 410
    kept = post(boss, "/staff/channels/xsl-clinic", **(form | {"name": ""}))
    assert kept.status_code == 422
    with reading(house.engine) as session:
        assert session.get_one(Channel, "xsl-clinic").name == "卫生室"


def test_an_administrator_sees_and_changes_the_channels_of_their_division_only(
    boss: Sitting, house: House
) -> None:
    with writing(house.engine) as session:
        row = Channel(code="next-door", name="邻县", jurisdiction=cases.NEIGHBOUR)
        channels.add(session, row)
    assert "next-door" not in boss.get("/staff/channels").text
    assert "xsl-clinic" in boss.get("/staff/channels").text
    assert boss.get("/staff/channels/next-door").status_code == 404
    assert post(boss, "/staff/channels/next-door", **NEW).status_code == 404
    assert boss.get("/staff/prompts?channel=next-door").status_code == 404


def test_scans_are_shown_by_day(boss: Sitting) -> None:
    for _ in range(3):
        boss.client.get("/c/xsl-clinic")
    page = boss.get("/staff/channels/xsl-clinic").text
    assert f"{channels.today()}: 3" in page
    assert "今天 3" in page


def record(boss: Sitting, channel: str, sound: bytes = MP3, name: str = "welcome") -> Any:
    return boss.client.post(
        f"/staff/prompts/bo/{name}?seconds=2&channel={channel}",
        content=sound,
        headers=PAGE | {"X-Csrf": boss.token, "HX-Request": "true"},
    )


def test_a_prompt_is_recorded_heard_and_taken_back(boss: Sitting) -> None:
    before = boss.get("/staff/prompts?channel=xsl-clinic&language=bo&missing=true").text
    assert 'id="prompt-welcome"' in before
    row = record(boss, "xsl-clinic")
    assert row.status_code == 200 and "本渠道录的" in row.text
    assert boss.client.get("/prompts/xsl-clinic/bo/welcome.mp3").content == MP3
    after = boss.get("/staff/prompts?channel=xsl-clinic&language=bo&missing=true").text
    assert 'id="prompt-welcome"' not in after
    row = boss.client.post(
        "/staff/prompts/bo/welcome/removal?channel=xsl-clinic",
        headers=PAGE | {"X-Csrf": boss.token, "HX-Request": "true"},
    )
    assert row.status_code == 200 and "暂用汉语" in row.text
    assert boss.client.get("/prompts/xsl-clinic/bo/welcome.mp3").content != MP3


def test_what_every_channel_says_is_for_an_administrator_of_every_division(
    boss: Sitting, house: House
) -> None:
    assert record(boss, "").status_code == 403
    assert "data-record" not in boss.get("/staff/prompts?language=bo").text
    with writing(house.engine) as session:
        account = cases.account(session, Role.ADMINISTRATOR, cases.NATION)
    whole = Sitting(boss.client, house, account)
    assert record(whole, "").status_code == 200
    assert boss.client.get("/prompts/xsl-clinic/bo/welcome.mp3").content == MP3


@pytest.mark.parametrize(
    ("sound", "name", "status"),
    [
        (b"<html>", "welcome", 415),
        (b"\xff\xd8\xff" + bytes(100), "welcome", 422),
        (MP3 + bytes(500_000), "welcome", 413),
        (MP3, "no-such-prompt", 404),
    ],
)
def test_a_prompt_that_will_not_do_is_refused_with_a_reason(
    nation: Sitting, sound: bytes, name: str, status: int
) -> None:
    answer = record(nation, "xsl-clinic", sound, name)
    assert answer.status_code == status
    assert "notice" in answer.text
