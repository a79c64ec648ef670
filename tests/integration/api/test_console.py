"""Logging in, hostile text, exports, the queue and the audit page, over HTTP."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile
from datetime import timedelta
from html.parser import HTMLParser
from uuid import UUID

import pyotp
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.staff.queue import Roll
from ingest.crew import Hand
from models import audit, export, reporter
from models.account import Account, Permission, Role
from models.audit import Deed
from models.channel import Channel, Unit
from models.columns import now
from models.complaint import Complaint, IdentityMode, Message, Repeat
from models.database import reading, writing
from models.medium import Kind, Medium, Purpose
from models.record import Reporter
from models.status import MediumState
from tests import cases
from tests.conftest import House

PAGE = {"Accept": "text/html"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}${1}"


class Sitting:
    """Somebody at the console."""

    def __init__(self, client: TestClient, house: House, account: Account) -> None:
        self.client, self.house, self.account = client, house, account
        answer = self.log_in()
        assert answer.status_code == 204, answer.text
        self.token = answer.headers["X-Csrf"]

    def log_in(self, password: str = cases.PASSWORD, code: str = ""):  # type: ignore[no-untyped-def]
        return self.client.post(
            "/staff/login",
            data={"username": self.account.username, "password": password, "code": code},
            headers={"Accept": "application/json"},
        )

    def get(self, path: str, **headers: str):  # type: ignore[no-untyped-def]
        return self.client.get(path, headers=PAGE | headers, follow_redirects=False)

    def post(self, path: str, **form: str):  # type: ignore[no-untyped-def]
        return self.client.post(
            path, data={**form, "csrf": self.token}, headers=PAGE, follow_redirects=False
        )


@pytest.fixture
def sit(client: TestClient, house: House):  # type: ignore[no-untyped-def]
    def make(role: Role = Role.LEAD, *permissions: Permission, **more: object) -> Sitting:
        with writing(house.engine) as session:
            account = cases.account(session, role, cases.COUNTY, *permissions, **more)
        return Sitting(client, house, account)

    return make


def test_a_page_without_login_leads_to_it_and_back(client: TestClient) -> None:
    answer = client.get("/staff/inbox?q=低保", headers=PAGE, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/staff/login?next=/staff/inbox")


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil", "/v1/codes"]
)
def test_nobody_is_sent_elsewhere_after_login(
    client: TestClient, house: House, target: str
) -> None:
    with writing(house.engine) as session:
        account = cases.account(session)
    answer = client.post(
        "/staff/login",
        data={"username": account.username, "password": cases.PASSWORD, "next": target},
        headers=PAGE,
        follow_redirects=False,
    )
    assert answer.headers["location"] == "/staff"


def test_the_cookie_is_kept_from_scripts_and_other_sites(sit) -> None:  # type: ignore[no-untyped-def]
    cookie = sit().log_in().headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/staff" in cookie


def test_a_session_ends_when_nothing_is_done(sit, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    sitting = sit()
    assert sitting.get("/staff/inbox").status_code == 200
    later = time.time() + sitting.house.settings.session_idle_minutes * 60 + 5
    monkeypatch.setattr("api.staff.session.time.time", lambda: later)
    assert sitting.get("/staff/inbox").status_code == 303


def test_what_a_page_asks_by_itself_keeps_no_session_alive(
    sit, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    sitting = sit()
    idle, began = sitting.house.settings.session_idle_minutes * 60, time.time()
    monkeypatch.setattr("api.staff.session.time.time", lambda: began + idle - 10)
    assert sitting.get("/staff/inbox", **{"X-Polled": "1"}).status_code == 200
    monkeypatch.setattr("api.staff.session.time.time", lambda: began + idle + 10)
    assert sitting.get("/staff/inbox").status_code == 303


def test_an_administrator_ends_every_session_at_once(sit) -> None:  # type: ignore[no-untyped-def]
    sitting = sit()
    with writing(sitting.house.engine) as session:
        session.get_one(Account, sitting.account.id).session_epoch += 1
    assert sitting.get("/staff/inbox").status_code == 303


def test_logging_out_ends_a_copied_cookie_too(sit) -> None:  # type: ignore[no-untyped-def]
    sitting = sit()
    copied = dict(sitting.client.cookies)
    assert sitting.post("/staff/logout").status_code == 303
    sitting.client.cookies.update(copied)
    assert sitting.get("/staff/inbox").status_code == 303


def test_whoever_guesses_is_locked_out(sit) -> None:  # type: ignore[no-untyped-def]
    sitting = sit()
    answers = [sitting.log_in("wrong password").status_code for _ in range(7)]
    assert answers[0] == 401 and answers[-1] == 429
    assert sitting.log_in().status_code == 429


def test_a_second_factor_is_asked_for_and_each_code_works_once(sit) -> None:  # type: ignore[no-untyped-def]
    sitting = sit()
    page = sitting.post("/staff/account/second")
    secret = re.search(r'name="secret" value="(\w+)"', page.text)[1]  # type: ignore[index]
    totp = pyotp.TOTP(secret)
    assert sitting.post("/staff/account/second", secret=secret, code="000000").status_code == 422
    first = totp.at(time.time() - 30)
    assert sitting.post("/staff/account/second", secret=secret, code=first).status_code == 303
    assert sitting.log_in().json()["code"] == "code_needed"
    assert sitting.log_in(code=first).json()["code"] == "bad_code"
    second = totp.now()
    assert sitting.log_in(code=second).status_code == 204
    assert sitting.log_in(code=second).json()["code"] == "bad_code"


def hostile(house: House) -> UUID:
    """Make a complaint that holds an attack in every field that a reporter can fill."""
    with writing(house.engine) as session:
        made = cases.complaint(
            session,
            house.keys,
            title=HOSTILE[:60],
            description=HOSTILE,
            subject_name=HOSTILE,
            subject_unit=HOSTILE,
            subject_post=HOSTILE,
            place=HOSTILE,
            occurred_text=HOSTILE,
            amounts=[{"value": 1.0, "unit": HOSTILE[:12], "text": HOSTILE}],
            translations=[{"tag": "zh", "text": HOSTILE, "by": "x"}],
            provenance={
                "title": [{"by": "rule", "confidence": 0.5, "text": HOSTILE, "why": HOSTILE}]
            },
            declared_language=HOSTILE[:30],
            identity_mode=IdentityMode.REAL_NAME,
            status_reason=HOSTILE,
        )
        made.reporter_sealed = reporter.seal(
            house.keys, made.id, Reporter(name=HOSTILE, contact=HOSTILE)
        )
        voice = cases.medium(session, made, seconds=200.0, mime=HOSTILE)
        cases.transcript(session, voice, HOSTILE)
        cases.medium(session, made, kind=Kind.TEXT, text=HOSTILE)
        cases.medium(
            session,
            made,
            kind=Kind.IMAGE,
            page={"lines": [{"text": HOSTILE, "box": [0, 0, 1, 1], "score": 0.5}]},
        )
        cases.medium(session, made, kind=Kind.TEXT, text=HOSTILE, purpose=Purpose.ADDITION)
        cases.medium(
            session,
            made,
            mime=HOSTILE,
            reason="processing_failed",
            state=MediumState.NEEDS_LISTENER,
        )
        session.add(Message(complaint_id=made.id, by="reporter", text=HOSTILE))
        colleague = cases.account(session, name=HOSTILE)
        session.add(Message(complaint_id=made.id, by=str(colleague.id), text=HOSTILE))
        made.assignee_id = colleague.id
        session.get_one(Channel, made.channel_code).name = HOSTILE
        session.add(Unit(code="u-hostile", name=HOSTILE, division=cases.COUNTY))
        other = cases.complaint(session, house.keys, title=HOSTILE[:60])
        session.add(
            Repeat(complaint_id=made.id, other_id=other.id, score=0.9, reasons=[{"why": HOSTILE}])
        )
        return made.id


def test_hostile_text_is_text_on_every_page(
    sit, house: House, capfd: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    complaint_id = hostile(house)
    sitting = sit(Role.LEAD, *Permission)
    voice = _voice(house, complaint_id)
    here = f"/staff/complaints/{complaint_id}"
    pages = [
        sitting.get("/staff/inbox"),
        sitting.get("/staff/inbox", **{"HX-Request": "true", "HX-Target": "more-rows"}),
        sitting.get("/staff/inbox/counts"),
        sitting.get("/staff/inbox/counts?only=channel"),
        sitting.get("/staff/inbox?q=" + HOSTILE.replace("#", "")),
        sitting.get(here),
        sitting.get(f"{here}/record", **{"HX-Request": "true"}),
        sitting.get(f"{here}/print"),
        sitting.get(f"{here}/media/{voice}/compare"),
        sitting.get(f"{here}/media/{voice}/transcript"),
        sitting.post(f"{here}/identity"),
        sitting.get("/staff/audit"),
        sitting.get("/staff/figures"),
        sitting.get("/staff/exports"),
        sitting.get("/staff/login?next=" + HOSTILE.replace("#", "")),
    ]
    keeper = sit(Role.ADMINISTRATOR)
    pages += [keeper.get(f"/staff/{name}") for name in ("queue", "channels", "prompts")]
    pages.append(keeper.get("/staff/channels/xsl-clinic"))
    for page in pages:
        assert page.status_code == 200, page.text[:300]
        assert "<script>alert" not in page.text and "<img src=x" not in page.text
        assert "49" not in re.findall(r"}}(\d+)", page.text)
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        # Nothing inline that such a policy would have to let through.
        assert inline(page.text) == []
    logged = capfd.readouterr()
    assert "alert(1)" not in logged.out + logged.err


class Tags(HTMLParser):
    """What a browser would take for markup. found : what a strict policy forbids"""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [f"{tag} {name}" for name in given if name == "style" or name[:2] == "on"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(tag)
        if (given.get("src") or "/").startswith("x"):
            self.found.append(f"{tag} src")


def inline(page: str) -> list[str]:
    """List the inline scripts and styles of a page."""
    tags = Tags()
    tags.feed(page)
    return tags.found


def _voice(house: House, complaint_id: UUID) -> UUID:
    from sqlmodel import select

    with reading(house.engine) as session:
        return session.exec(
            select(Medium.id).where(
                Medium.complaint_id == complaint_id, Medium.kind == Kind.VOICE, Medium.reason == ""
            )
        ).one()


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "'=1", "＝1", '=HYPERLINK("x")'],
)
def test_no_cell_is_a_formula(value: str) -> None:
    written = io.StringIO()
    export.write_csv(written, iter([[value]]))
    cell = list(csv.reader(io.StringIO(written.getvalue())))[1][0]
    assert cell.startswith("'")


def wait_for(sitting: Sitting, form: str) -> bytes:
    """Ask for an export, wait until it is made, and fetch it."""
    assert sitting.post("/staff/exports", form=form).status_code == 303
    for _ in range(200):
        page = sitting.get("/staff/exports", **{"HX-Request": "true"}).text
        found = re.search(r'href="(/staff/exports/[\w-]+/file)"', page)
        if found:
            return bytes(sitting.get(found[1]).content)
        time.sleep(0.1)
    raise AssertionError("the export was not made")


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_a_list_is_exported_in_the_background(sit, house: House, form: str) -> None:  # type: ignore[no-untyped-def]
    with writing(house.engine) as session:
        for number in range(3):
            cases.complaint(session, house.keys, title=f"=第{number}件")
    sitting = sit(Role.INSPECTOR, Permission.EXPORT)
    content = wait_for(sitting, form)
    if form == "csv":
        table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        titles = [row["title"] for row in table]
    elif form == "json":
        titles = ["'" + row["title"] for row in json.loads(content)]
    else:
        sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        titles = [f"'{title}" for title in re.findall(r"<t>(=第\d件)</t>", sheet)]
    assert titles == ["'=第2件", "'=第1件", "'=第0件"]
    with reading(house.engine) as session:
        deeds = [event.deed for event in audit.recent(session, actor=str(sitting.account.id))]
    assert "exported" in deeds


def test_an_export_belongs_to_whoever_asked(sit, house: House) -> None:  # type: ignore[no-untyped-def]
    first = sit(Role.INSPECTOR, Permission.EXPORT)
    wait_for(first, "csv")
    with reading(house.engine) as session:
        (made,) = export.of(session, first.account)
    second = sit(Role.INSPECTOR, Permission.EXPORT)
    assert second.get(f"/staff/exports/{made.id}/file").status_code == 404


def test_the_audit_page_shows_damage(sit, house: House) -> None:  # type: ignore[no-untyped-def]
    sitting = sit(Role.ADMINISTRATOR)
    head = sitting.get("/staff/audit/head").text.strip()
    assert "链条完整" in sitting.post("/staff/audit/verify", head=head).text
    with writing(house.engine) as session:
        event = audit.recent(session)[-1]
        event.actor = "nobody"
    assert "被改动" in sitting.post("/staff/audit/verify", head=head).text


def test_what_was_given_up_is_tried_again(sit, house: House) -> None:  # type: ignore[no-untyped-def]
    with writing(house.engine) as session:
        made = cases.complaint(session, house.keys)
        medium = cases.medium(
            session, made, reason="processing_failed", state=MediumState.NEEDS_LISTENER, attempts=3
        )
    sitting = sit(Role.ADMINISTRATOR)
    page = sitting.get("/staff/queue").text
    assert str(medium.id) in page and "没有留下原因" in page
    with writing(house.engine) as session:
        for why in ("ValueError", "overrun"):
            details = {"medium": str(medium.id), "why": why, "attempt": 3}
            audit.append(session, house.keys, "system", Deed.ATTEMPT_FAILED, made.id, details)
    page = sitting.get("/staff/queue").text
    assert "超出时间或内存限制" in page and "ValueError" not in page
    assert sitting.post(f"/staff/queue/retry/{medium.id}").status_code == 303
    with reading(house.engine) as session:
        again = session.get_one(Medium, medium.id)
        assert (again.state, again.reason, again.attempts) == (MediumState.STORED, "", 0)
    assert "没有失败的" in sitting.get("/staff/queue").text


def test_a_worker_that_died_is_missed() -> None:
    roll, moment = Roll(), now()
    hand = Hand("w1", ("prepare",), "idle", moment, 3, 0)
    assert roll.call((hand,), moment)[0].alive
    # A heartbeat that stopped, and then a worker that the queue has forgotten.
    assert not roll.call((hand,), moment + timedelta(seconds=30))[0].alive
    assert not roll.call((), moment + timedelta(seconds=60))[0].alive
    assert roll.call((), moment + timedelta(hours=1)) == ()


def test_metrics_need_their_token(app: FastAPI, client: TestClient, house: House) -> None:
    from dataclasses import replace

    from pydantic import SecretStr

    assert client.get("/metrics").status_code == 404
    at = app.state.house
    app.state.house = replace(
        at, settings=at.settings.model_copy(update={"metrics_token": SecretStr("m" * 20)})
    )
    assert client.get("/metrics", headers={"Authorization": "Bearer no"}).status_code == 404
    with writing(house.engine) as session:
        made = cases.complaint(session, house.keys, declared_language="ug")
        cases.medium(session, made, state=MediumState.PREPARED)
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {'m' * 20}"})
    assert 'xiangyin_waiting{language="ug",stage="transcribe"} 1.0' in answer.text


def test_two_people_do_not_overwrite_each_other(sit, house: House) -> None:  # type: ignore[no-untyped-def]
    with writing(house.engine) as session:
        made = cases.complaint(session, house.keys)
    sitting = sit(Role.LEAD)
    here = f"/staff/complaints/{made.id}"
    first = sitting.post(f"{here}/fields", version="1", name="title", value="改好的标题")
    assert first.status_code == 303
    second = sitting.post(f"{here}/fields", version="1", name="title", value="另一个")
    assert second.status_code == 409 and "别人刚刚改动" in second.text
    with reading(house.engine) as session:
        kept = session.get_one(Complaint, made.id)
        assert (kept.title, kept.confirmed) == ("改好的标题", ["title"])
        assert kept.provenance["title"][0]["by"] == "staff"
