"""The interface on PostgreSQL, which is stricter about what a text may hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from models import tokens
from models.account import Permission, Role
from models.channel import Channel
from models.database import writing
from models.settings import Settings
from tests import cases
from tests.conftest import House
from tests.files import sound

pytestmark = pytest.mark.postgres
FILTERS = ("channel", "unit", "domain", "conduct", "language", "round", "cursor")


@pytest.fixture
def app(house: House, settings: Settings, postgres_url: str, tmp_path: str) -> Iterator[FastAPI]:
    data = settings.data / "postgres"
    own = settings.model_copy(update={"data": data, "database_url": postgres_url})
    application = create_app(own, queue=house.queue)
    with writing(application.state.house.engine) as session:
        session.add(Channel(code="xsl-clinic", name="杏树岭卫生院", jurisdiction=cases.COUNTY))
    yield application
    application.state.house.engine.dispose()


def test_a_report_goes_in_and_is_read_again(app: FastAPI) -> None:
    client, at = TestClient(app), app.state.house
    sent = client.post(
        "/v1/reports",
        files=[
            ("audio", sound("wav")),
            ("text", (None, "路没\0有修")),
            ("channel", (None, "xsl-clinic")),
        ],
        headers={"Idempotency-Key": "3f0a9c5be17d42886b1fd0439ae7c215"},
    )
    assert sent.status_code == 202
    receipt = {"Authorization": f"Receipt {sent.json()['receipt']}"}
    assert client.get("/v1/report", headers=receipt).json()["status"] == "received"
    with writing(at.engine) as session:
        account = cases.account(session, Role.LEAD, cases.COUNTY, *Permission)
        headers = {"Authorization": f"Bearer {tokens.issue(session, at.keys, account)}"}
    (row,) = client.get("/v1/complaints", headers=headers).json()["complaints"]
    record = client.get(f"/v1/complaints/{row['id']}?identity=true", headers=headers).json()
    assert {one["kind"] for one in record["media"]} == {"voice", "text"}
    voice = next(one["id"] for one in record["media"] if one["kind"] == "voice")
    original = client.get(f"/v1/complaints/{row['id']}/media/{voice}/original", headers=headers)
    assert original.content == sound("wav")
    # What this database takes in no text is refused, and is no fault of the server.
    for name in FILTERS:
        answer = client.get("/v1/complaints", params={name: "a\0b"}, headers=headers)
        assert (name, answer.status_code) == (name, 422)
    assert client.get("/readyz").status_code == 200
