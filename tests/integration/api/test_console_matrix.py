"""Every route of the console, tried by everybody; and its forms, tried from elsewhere."""

from __future__ import annotations

from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from models import access
from models.account import Account
from models.complaint import Complaint
from models.database import writing
from models.medium import Medium
from tests import cases
from tests.conftest import House
from tests.integration.api.console import CONSOLE, Try, expected
from tests.integration.api.matrix import NAMED, VISITORS, Visitor, every_route
from tests.integration.api.test_matrix import Matter, matter  # noqa: F401  a fixture


def sit(client: TestClient, account: Account) -> str:
    """Log in and give the token for forms."""
    answer = client.post(
        "/staff/login",
        data={"username": account.username, "password": cases.PASSWORD},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 204, answer.text
    return answer.headers["X-Csrf"]


def knock(client: TestClient, method: str, path: str, way: Try, token: str, matter: Matter) -> int:  # noqa: F811
    """Try a route and give the status."""
    where = path.replace(":path", "").format(
        complaint_id=matter.complaint_id,
        medium_id=matter.medium_id,
        export_id=uuid4(),
        code="xsl-clinic",
        tag="zh",
        name="welcome",
        form="json",
        path="console.css",
    )
    headers = {"X-Csrf": token, "Accept": "application/json"}
    answer = client.request(
        method,
        where + way.query,
        headers=headers,
        data=dict(way.form) if way.form is not None else None,
        json=way.json,
        content=way.raw,
        follow_redirects=False,
    )
    if answer.status_code in (401, 403, 404):
        assert str(matter.complaint_id) not in answer.text
    return answer.status_code


def test_every_route_of_the_console_is_in_its_matrix(app: FastAPI) -> None:
    ours = {
        (method, path)
        for method, path in every_route(app)
        if path.startswith("/staff") or path == "/metrics"
    }
    assert ours == set(CONSOLE)


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda visitor: visitor.name)
def test_everybody_gets_through_their_own_doors_of_the_console(
    client: TestClient,
    house: House,
    matter: Matter,  # noqa: F811
    visitor: Visitor,
) -> None:
    account, token = None, "none"
    if visitor.role is not None:
        with writing(house.engine) as session:
            account = cases.account(
                session,
                visitor.role,
                visitor.division,
                *visitor.permissions,
                **dict(visitor.more),
            )
            report = session.get_one(Complaint, matter.complaint_id)
            report.shut_out = [str(account.id)] if account.name == NAMED else []
        token = sit(client, account)
    with writing(house.engine) as session:
        session.get_one(Medium, matter.medium_id).seconds = 5.0
    wrong = []
    for (method, path), way in CONSOLE.items():
        allowed = account is not None and (way.act is None or access.may(account, way.act))
        got = knock(client, method, path, way, token, matter)
        if got not in expected(way, visitor, allowed):
            wrong.append((method, path, got, sorted(expected(way, visitor, allowed))))
    assert wrong == []


def test_a_form_from_elsewhere_changes_nothing(
    client: TestClient,
    house: House,
    matter: Matter,  # noqa: F811
) -> None:
    with writing(house.engine) as session:
        account = cases.account(session, rounds=["r1"])
    sit(client, account)
    for (method, path), way in CONSOLE.items():
        if method == "GET" or path in ("/staff/login", "/staff/language"):
            continue
        for token in ("", "guessed"):
            assert knock(client, method, path, way, token, matter) == 403, path
