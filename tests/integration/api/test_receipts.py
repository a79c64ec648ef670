from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from api.app import create_app
from api.programs import receipts
from models import receipt
from models.complaint import Message
from models.database import writing
from models.medium import Purpose
from models.settings import Rates
from models.status import Status
from tests import cases
from tests.conftest import House

RIGHT = "5724016394850717"


@pytest.fixture(autouse=True)
def report(house: House) -> None:
    with writing(house.engine) as session:
        made = cases.complaint(session, house.keys, receipt=RIGHT, status=Status.VERIFYING)
        session.add(Message(complaint_id=made.id, by="office", text="已派人核对"))
        session.add(Message(complaint_id=made.id, by="reporter", text="我再说一句"))


def ask(client: TestClient, number: str) -> Any:
    return client.get("/v1/report", headers={"Authorization": f"Receipt {number}"})


@pytest.mark.parametrize("written", [RIGHT, receipt.grouped(RIGHT), "5724-0163-9485-0717"])
def test_a_receipt_tells_state_and_answers_and_nothing_else(
    client: TestClient, written: str
) -> None:
    body = ask(client, written).json()
    assert set(body) == {"status", "zh", "en", "received_at", "answers"}
    assert (body["status"], body["zh"]) == ("verifying", "正在核查。")
    assert [one["text"] for one in body["answers"]] == ["已派人核对"]


def test_every_state_has_words_in_both_languages() -> None:
    assert set(receipts.STATES) == set(Status)


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 401, "receipt_needed"),
        ("Receipt", 401, "receipt_needed"),
        ("Receipt   ", 401, "receipt_needed"),
        (f"Bearer {RIGHT}", 401, "receipt_needed"),
        ("Receipt 5724016394850718", 422, "receipt_mistyped"),
        ("Receipt 5724016394850771", 422, "receipt_mistyped"),
        ("Receipt 1", 422, "receipt_mistyped"),
        ("Receipt 0000000000000000", 404, "unknown_receipt"),
    ],
)
def test_what_is_no_receipt_is_told_so(
    client: TestClient, header: str | None, status: int, code: str
) -> None:
    answer = client.get("/v1/report", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 401:
        assert answer.headers["www-authenticate"] == "Receipt"


def test_a_receipt_in_the_address_is_not_looked_at(client: TestClient) -> None:
    assert client.get(f"/v1/report?receipt={RIGHT}").status_code == 401
    assert client.get(f"/v1/report/{RIGHT}").status_code == 404


def test_a_wrong_receipt_takes_the_same_steps_as_a_right_one(
    client: TestClient, app: FastAPI
) -> None:
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    event.listen(app.state.house.engine, "before_cursor_execute", note)
    taken = []
    for number in (RIGHT, receipt.draw()):
        statements.clear()
        ask(client, number)
        taken.append(list(statements))
    assert taken[0] == taken[1]
    assert len(taken[0]) >= 2


@pytest.mark.parametrize("number", [RIGHT, "0000000000000000", "5724016394850718"])
def test_no_answer_comes_before_the_floor(client: TestClient, number: str) -> None:
    began = time.monotonic()
    ask(client, number)
    assert time.monotonic() - began >= receipts.FLOOR_SECONDS


@pytest.mark.parametrize("elapsed", [0.0, 0.01, 0.24, 0.26, 1.1])
def test_what_takes_longer_is_rounded_up_to_a_multiple(elapsed: float) -> None:
    whole = (elapsed + receipts.remaining(elapsed)) / receipts.FLOOR_SECONDS
    assert whole == pytest.approx(round(whole))
    assert whole * receipts.FLOOR_SECONDS > elapsed


class TestGuessing:
    @pytest.fixture
    def tight(self, house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
        monkeypatch.setattr(receipts, "FLOOR_SECONDS", 0.01)
        rates = Rates(guesses="4/hour", guesses_per_address="2/hour")
        application = create_app(
            house.settings.model_copy(update={"rates": rates}), queue=house.queue
        )
        yield application
        application.state.house.engine.dispose()

    def test_guesses_are_limited_over_the_whole_server(self, tight: FastAPI) -> None:
        for number in range(4):
            guesser = TestClient(tight, client=(f"203.0.113.{number}", 1))
            assert ask(guesser, receipt.draw()).status_code == 404
        stranger = TestClient(tight, client=("198.51.100.1", 1))
        answer = ask(stranger, RIGHT)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
        assert int(answer.headers["retry-after"]) > 0

    def test_one_address_is_stopped_before_it_uses_up_everybodys(self, tight: FastAPI) -> None:
        guesser = TestClient(tight, client=("203.0.113.1", 1))
        assert [ask(guesser, receipt.draw()).status_code for _ in range(4)] == [404, 404, 429, 429]
        assert ask(TestClient(tight, client=("198.51.100.1", 1)), RIGHT).status_code == 200

    def test_right_and_mistyped_receipts_are_no_guesses(self, tight: FastAPI) -> None:
        client = TestClient(tight)
        for _ in range(6):
            assert ask(client, RIGHT).status_code == 200
            assert ask(client, "5724016394850718").status_code == 422


class TestSpokenAnswers:
    def test_a_spoken_answer_is_heard_also_in_ranges(
        self, client: TestClient, house: House
    ) -> None:
        with house.blobs.writer("media/answer") as writer:
            writer.write(bytes(range(256)))
            writer.commit()
        number = receipt.draw()
        with writing(house.engine) as session:
            made = cases.complaint(session, house.keys, receipt=number)
            spoken = cases.medium(
                session,
                made,
                purpose=Purpose.MESSAGE,
                copy_="media/answer",
                copy_mime="audio/mp4",
            )
            session.add(Message(complaint_id=made.id, by="office", medium_id=spoken.id))
        where = f"/v1/report/answers/{spoken.id}"
        headers = {"Authorization": f"Receipt {number}"}
        assert client.get(where, headers=headers).content == bytes(range(256))
        part = client.get(where, headers={**headers, "Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
        other = {"Authorization": f"Receipt {RIGHT}"}
        assert client.get(where, headers=other).json()["code"] == "no_file"
        wrong = {"Authorization": f"Receipt {receipt.draw()}"}
        assert client.get(where, headers=wrong).json()["code"] == "unknown_receipt"
        gone = f"/v1/report/answers/{uuid4()}"
        assert client.get(gone, headers=headers).status_code == 404
