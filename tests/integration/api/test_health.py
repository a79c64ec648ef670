from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from redis import Redis
from starlette.testclient import TestClient

from api import health
from ingest.queue import RedisQueue
from tests.conftest import House
from tests.files import sound


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PULSE_SECONDS", 0.0)


def without(app: FastAPI, **parts: object) -> TestClient:
    """Replace parts of the house by ones that are not there."""
    house = app.state.house
    fields = {name: getattr(house, name) for name in type(house).__dataclass_fields__}
    app.state.house = type(house)(**(fields | parts))
    return TestClient(app)


@pytest.fixture
def no_queue(tmp_path: Path) -> RedisQueue:
    return RedisQueue(Redis.from_url(f"unix://{tmp_path}/nowhere.sock"))


def test_everything_that_answers_is_ready(client: TestClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.json() == health.READY


def test_a_queue_that_is_away_is_told_and_reports_are_still_taken(
    app: FastAPI, house: House, no_queue: RedisQueue
) -> None:
    client = without(app, queue=no_queue)
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (503, health.AWAY)
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, health.AWAY)
    app.state.house.intake.queue = no_queue
    answer = client.post("/v1/reports", files=[("audio", sound("wav"))])
    assert answer.status_code == 202


def test_a_database_that_is_away_is_told(app: FastAPI, house: House, tmp_path: Path) -> None:
    from models.database import connect

    gone = connect(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    client = without(app, engine=gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["database"]) == ("down", False)
    asked = client.get("/v1/report", headers={"Authorization": "Receipt 5724016394850717"})
    assert (asked.status_code, asked.json()["code"]) == (503, "database_unavailable")
    assert int(asked.headers["retry-after"]) > 0
    gone.dispose()


def test_a_blob_store_that_is_away_is_told(app: FastAPI, house: House) -> None:
    class Away:
        def alive(self) -> bool:
            return False

    answer = without(app, blobs=Away()).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "database": True, "queue": True, "blobs": False}


def test_asking_often_costs_no_more_than_asking_once_a_second(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PULSE_SECONDS", 60.0)
    asked = []

    class Counting:
        def alive(self) -> bool:
            asked.append(1)
            return True

    client = without(app, blobs=Counting())
    for _ in range(5):
        client.get("/readyz")
    assert len(asked) == 1
