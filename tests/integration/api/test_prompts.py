"""Prompts: a channel's own recording comes before the shared one, and that before what ships."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.citizen import prompts, words
from ingest.queue import Stage
from models import audit
from models.account import Account, Role
from models.audit import Deed
from models.database import reading, writing
from models.errors import Invalid, NotFound, Refused
from tests import cases
from tests.files import sound

CODE = "xsl-clinic"
MP3 = b"ID3" + bytes(500)


def heard(client: TestClient, tag: str, name: str, code: str = CODE) -> Any:
    return client.get(f"/prompts/{code}/{tag}/{name}.mp3")


@pytest.fixture
def at(app: FastAPI) -> Iterator[Any]:
    yield app.state.house


@pytest.fixture
def boss(at: Any) -> Account:
    with writing(at.engine) as session:
        return cases.account(session, Role.ADMINISTRATOR, cases.NATION)


def test_a_better_recording_is_heard_and_removing_it_brings_back_the_one_before(
    client: TestClient, at: Any, boss: Account
) -> None:
    shipped = heard(client, "zh", "welcome").content
    prompts.record(at, "", "zh", "welcome", MP3 + b"all", 2.0, boss)
    prompts.record(at, CODE, "zh", "welcome", MP3 + b"own", 2.0, boss)
    assert heard(client, "zh", "welcome").content == MP3 + b"own"
    assert heard(client, "zh", "welcome", "-").content == MP3 + b"all"
    prompts.record(at, CODE, "zh", "welcome", MP3 + b"new", 2.0, boss)
    assert heard(client, "zh", "welcome").content == MP3 + b"new"
    prompts.remove(at, CODE, "zh", "welcome", boss)
    assert heard(client, "zh", "welcome").content == MP3 + b"all"
    prompts.remove(at, "", "zh", "welcome", boss)
    assert heard(client, "zh", "welcome").content == shipped


def test_what_not_every_phone_plays_waits_for_a_worker(
    client: TestClient, at: Any, boss: Account
) -> None:
    shipped = heard(client, "zh", "welcome").content
    prompts.record(at, CODE, "zh", "welcome", sound("webm/opus"), 2.0, boss)
    assert heard(client, "zh", "welcome").content == shipped
    (stands,) = [one for one in prompts.standing(at, CODE, "zh") if one.name == "welcome"]
    assert (stands.by, stands.waiting) == ("packaged", True)
    assert at.queue.depth(Stage.PREPARE) == 1
    prompts.record(at, CODE, "zh", "welcome", MP3, 2.0, boss)
    assert heard(client, "zh", "welcome").headers["content-type"] == "audio/mpeg"
    assert not any(one.waiting for one in prompts.standing(at, CODE, "zh"))


def test_what_is_missing_is_shown(at: Any, boss: Account) -> None:
    prompts.record(at, "", "bo", "welcome", MP3, 2.0, boss)
    stands = {one.name: one.by for one in prompts.standing(at, CODE, "bo")}
    assert stands["welcome"] == "all"
    assert stands["record"] == "missing"
    assert all(one.by == "packaged" for one in prompts.standing(at, CODE, "ug"))


@pytest.mark.parametrize(
    ("name", "sound", "seconds", "error"),
    [
        ("no-such-prompt", MP3, 2.0, NotFound),
        ("welcome", b"<html>", 2.0, Refused),
        ("welcome", b"\xff\xd8\xff" + bytes(100), 2.0, Invalid),
        ("welcome", MP3 + bytes(500_000), 2.0, Invalid),
        ("welcome", MP3, 0.0, Invalid),
    ],
)
def test_a_recording_that_will_not_do_is_refused(
    at: Any, boss: Account, name: str, sound: bytes, seconds: float, error: type[Exception]
) -> None:
    with pytest.raises(error):
        prompts.record(at, CODE, "zh", name, sound, seconds, boss)


def test_who_recorded_and_removed_a_prompt_is_in_the_audit_log(at: Any, boss: Account) -> None:
    prompts.record(at, CODE, "zh", "welcome", MP3, 2.0, boss)
    prompts.remove(at, CODE, "zh", "welcome", boss)
    with reading(at.engine) as session:
        events = audit.recent(session, actor=str(boss.id))
    assert [one.deed for one in events] == [Deed.PROMPT_REMOVED, Deed.PROMPT_RECORDED]
    assert events[0].details == {"channel": CODE, "language": "zh", "prompt": "welcome"}


def test_a_language_is_named_by_its_own_name_and_never_by_another(at: Any) -> None:
    texts = {one.name: one.text for one in prompts.standing(at, "", "bo")}
    assert texts["name"] == words.load()["bo"].autonym


def test_a_language_without_texts_speaks_chinese_but_never_under_another_name(
    client: TestClient,
) -> None:
    assert heard(client, "bo", "record").content == heard(client, "zh", "record").content
    assert heard(client, "bo", "name").content != heard(client, "zh", "name").content
    assert heard(client, "en", "record").status_code == 404


@pytest.mark.parametrize("tag", ["zh", "yue", "ug", "kk", "ko"])
def test_every_language_of_the_demo_pack_has_every_prompt_and_text(tag: str) -> None:
    chinese = words.load()["zh"]
    assert set(chinese.spoken) <= set(words.packaged(tag))
    own = words.load()[tag]
    assert own.own == set(chinese.spoken)
    if tag != "zh":
        assert all(own.label[name] for name in chinese.label)


@pytest.mark.parametrize("path", ["/prompts/-/zh/../../key.mp3", "/prompts/-/../strings/zh.mp3"])
def test_no_path_leads_out_of_the_folder(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 200)
    assert "tag =" not in client.get(path).text


def test_a_range_of_a_prompt_is_served(client: TestClient) -> None:
    answer = client.get(f"/prompts/{CODE}/ug/name.mp3", headers={"Range": "bytes=0-99"})
    assert (answer.status_code, len(answer.content)) == (206, 100)


def test_a_closed_or_unknown_code_says_so_in_words_and_by_voice(client: TestClient) -> None:
    answer = client.get("/c/nowhere")
    assert answer.status_code == 404
    assert "请重新扫码" in answer.text and "/prompts/-/zh/closed.mp3" in answer.text


def test_a_hostile_name_of_a_channel_is_only_text(client: TestClient, at: Any) -> None:
    from models import channels
    from models.channel import Channel
    from models.database import writing

    name = "<script>alert(1)</script>\"'"
    with writing(at.engine) as session:
        row = Channel(code="odd", name=name, jurisdiction="513425", help_name=name)
        channels.add(session, row)
    for page in ("/c/odd", "/c/odd/poster", "/c/odd/poster.svg"):
        assert "<script>alert" not in client.get(page).text


def test_files_are_kept_for_ever_under_an_address_that_changes_with_them(
    client: TestClient, app: FastAPI
) -> None:
    base = app.state.citizen.assets.base
    answer = client.get(f"{base}/app.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert client.get("/citizen/older/app.js").headers["cache-control"] == "no-cache"
    assert client.get("/worker.js").headers["cache-control"] == "no-cache"
    assert not client.get("/").cookies
