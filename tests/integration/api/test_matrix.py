from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from models import audit, casework, tokens
from models.account import Permission, Role
from models.complaint import Complaint, Message
from models.database import reading, writing
from models.medium import Purpose
from models.status import Status
from tests import cases
from tests.cases import CITY, COUNTY
from tests.conftest import House
from tests.integration.api.console import CONSOLE
from tests.integration.api.matrix import (
    DOORS,
    NAMED,
    R1,
    UNIT,
    VISITORS,
    Door,
    Visitor,
    every_route,
    expected,
)

RECEIPT = "5724016394850717"


@dataclass(frozen=True)
class Matter:
    """The one complaint that everybody tries to reach."""

    complaint_id: UUID
    medium_id: UUID
    answer_id: UUID


@pytest.fixture
def matter(house: House) -> Matter:
    blobs = {}
    for name in ("original", "copy", "answer"):
        blobs[name] = f"media/matrix-{name}"
        with house.blobs.writer(blobs[name]) as writer:
            writer.write(name.encode())
            writer.commit()
    with writing(house.engine) as session:
        made = cases.complaint(
            session,
            house.keys,
            receipt=RECEIPT,
            round="r1",
            subject_name=NAMED,
            subject_unit_code=UNIT,
        )
        voice = cases.medium(
            session, made, original=blobs["original"], copy_=blobs["copy"], copy_mime="audio/mp4"
        )
        cases.transcript(session, voice, "路没有修")
        answer = cases.medium(
            session, made, purpose=Purpose.MESSAGE, copy_=blobs["answer"], copy_mime="audio/mp4"
        )
        session.add(Message(complaint_id=made.id, by="office", medium_id=answer.id))
    return Matter(made.id, voice.id, answer.id)


def enter(house: House, matter: Matter, visitor: Visitor) -> dict[str, str]:
    """Make the visitor's account, let the report find whom it concerns, and give the headers."""
    if visitor.role is None:
        return {"Authorization": "Bearer xyt_false"} if "token" in visitor.name else {}
    with writing(house.engine) as session:
        account = cases.account(
            session, visitor.role, visitor.division, *visitor.permissions, **dict(visitor.more)
        )
        report = session.get_one(Complaint, matter.complaint_id)
        report.shut_out = [str(account.id)] if account.name == NAMED else []
        return {"Authorization": f"Bearer {tokens.issue(session, house.keys, account)}"}


def address(path: str, matter: Matter) -> str:
    medium = matter.answer_id if "answers" in path else matter.medium_id
    return path.replace(":path", "").format(
        complaint_id=matter.complaint_id,
        medium_id=medium,
        code="xsl-clinic",
        version="0",
        file="page.css",
        tag="zh",
        name="welcome",
        upload_id="none",
    )


def test_every_route_is_in_the_matrix_and_nothing_else(app: FastAPI) -> None:
    assert set(every_route(app)) == set(DOORS) | set(CONSOLE)


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda visitor: visitor.name)
def test_everybody_gets_through_their_own_doors_only(
    client: TestClient, house: House, matter: Matter, visitor: Visitor
) -> None:
    headers = enter(house, matter, visitor)
    wrong = []
    for (method, path), routes in DOORS.items():
        for route in routes:
            answer = client.request(method, address(path, matter) + route.query, headers=headers)
            if answer.status_code != expected(route, visitor):
                wrong.append((method, path, route.door, answer.status_code))
            if route.door is Door.LIST and answer.status_code == route.ok:
                listed = [row["id"] for row in answer.json()["complaints"]]
                assert listed == ([str(matter.complaint_id)] if visitor.sees else [])
            if answer.status_code in (401, 403, 404):
                assert answer.headers["content-type"] == "application/problem+json"
                assert str(matter.complaint_id) not in answer.text
    assert wrong == []


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda visitor: visitor.name)
def test_only_what_was_seen_is_in_the_log(
    client: TestClient, house: House, matter: Matter, visitor: Visitor
) -> None:
    headers = enter(house, matter, visitor)
    for method, path in DOORS:
        client.request(method, address(path, matter), headers=headers)
    with reading(house.engine) as session:
        deeds = {e.deed for e in audit.recent(session, complaint_id=matter.complaint_id)}
        assert audit.verify(session, house.keys).fault is None
    looked = {"looked", "copy_played", "transcript_read"} if visitor.sees else set()
    if visitor.sees and "originals" in visitor.permissions:
        looked.add("original_fetched")
    assert deeds == looked


@pytest.mark.parametrize(
    "fate",
    [
        {"upward_only": True, "held_by": CITY},
        {"subject_rank": "county"},
        {"subject_name": "阿甲", "subject_unit_code": None},
        {"status": Status.PASSED_UP, "held_by": CITY},
    ],
    ids=["sent past the body", "about the body", "about its staff", "passed up"],
)
def test_what_went_up_is_gone_below_and_there_above(
    client: TestClient, house: House, matter: Matter, fate: dict[str, Any]
) -> None:
    below = Visitor("below", Role.LEAD, COUNTY, permissions=tuple(Permission), more=R1)
    above = Visitor("above", Role.LEAD, CITY, permissions=tuple(Permission), more=R1)
    from_below, from_above = (enter(house, matter, visitor) for visitor in (below, above))
    with writing(house.engine) as session:
        cases.account(session, Role.INSPECTOR, COUNTY, name="阿甲")
        report = session.get_one(Complaint, matter.complaint_id)
        report.sqlmodel_update(fate)
        casework.route(session, house.keys, report)
    for (method, path), routes in DOORS.items():
        if routes[0].door in (Door.PUBLIC, Door.RECEIPT, Door.LIST):
            continue
        where = address(path, matter)
        assert client.request(method, where, headers=from_below).status_code == 404, path
        assert client.request(method, where, headers=from_above).status_code == 200, path
    assert client.get("/v1/complaints", headers=from_below).json()["complaints"] == []
    assert len(client.get("/v1/complaints", headers=from_above).json()["complaints"]) == 1


def test_the_reporter_gets_through_theirs(client: TestClient, matter: Matter) -> None:
    headers = {"Authorization": f"Receipt {RECEIPT}"}
    for (method, path), routes in DOORS.items():
        answer = client.request(method, address(path, matter), headers=headers)
        opens = routes[0].door in (Door.PUBLIC, Door.RECEIPT)
        assert answer.status_code == (routes[0].ok if opens else 401), path
