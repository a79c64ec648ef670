from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from sqlmodel import select
from starlette.testclient import TestClient

from api import linger
from api.app import create_app
from ingest.media import HEAD_BYTES
from ingest.queue import Stage
from models import receipt
from models.clocks import OFFICE
from models.columns import now
from models.complaint import Complaint, IdentityMode, ReportMedium
from models.database import reading
from models.medium import Kind, Medium
from models.settings import Limits, Rates
from tests.conftest import COUNTY, House
from tests.files import picture, silk, sound

KEY = "3f0a9c5be17d42886b1fd0439ae7c215"
WAV = sound("wav")
PIECE = 64 * 1024
PROBLEM_FIELDS = {"type", "title", "status", "code", "zh", "en", "fields"}


def stored(house: House) -> list[str]:
    return sorted(house.blobs.older("media", now() + timedelta(days=1)))


def complaints(house: House) -> list[Complaint]:
    with reading(house.engine) as session:
        return list(session.exec(select(Complaint)))


def media(house: House) -> list[Medium]:
    with reading(house.engine) as session:
        return list(session.exec(select(Medium)))


def assert_refused(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == PROBLEM_FIELDS
    assert body["code"] == code
    assert body["zh"]
    assert body["en"]


def test_a_report_is_acknowledged_with_a_receipt_and_where_to_look(
    client: TestClient, house: House
) -> None:
    answer = client.post(
        "/v1/reports",
        data={"channel": "xsl-clinic", "declared_language": "ii", "text": "路没有修"},
        files=[("audio", ("voice.wav", WAV)), ("image", ("letter.jpg", picture("JPEG")))],
    )
    assert answer.status_code == 202
    body = answer.json()
    number = receipt.parse(body["receipt"])
    assert body["receipt"] == receipt.grouped(number)
    assert body["look"]["url"].endswith(answer.headers["location"])
    (made,) = complaints(house)
    assert made.receipt_hash == receipt.digest(house.keys, number)
    assert (made.medium, made.jurisdiction) == (ReportMedium.MIXED, COUNTY)
    assert made.declared_language == "ii"
    assert {one.kind for one in media(house)} == {Kind.VOICE, Kind.IMAGE, Kind.TEXT}
    assert house.queue.depth(Stage.PREPARE) == 3


def test_what_arrives_is_what_is_kept(client: TestClient, house: House) -> None:
    content = sound("mp3") + secrets.token_bytes(300_000)
    client.post("/v1/reports", files=[("audio", content)])
    (one,) = media(house)
    assert b"".join(house.blobs.read(one.original)) == content
    assert one.size == len(content)


@pytest.mark.parametrize(
    ("content", "mime"),
    [(silk(), "audio/silk"), (sound("amr-nb in 3gp"), "audio/3gpp"), (picture("PNG"), "image/png")],
)
def test_content_decides_and_not_the_field_the_name_or_the_type(
    client: TestClient, house: House, content: bytes, mime: str
) -> None:
    answer = client.post("/v1/reports", files=[("audio", ("x.exe", content, "text/html"))])
    assert answer.status_code == 202
    assert media(house)[0].mime == mime


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "..\\..\\windows\\system.ini",
        "a\r\nX-Injected: 1\r\n.wav",
        "<script>alert(1)</script>.wav",
        "名字\u202e\u0000.wav",
        'quote".wav',
        "x" * 2_000,
        "",
    ],
)
def test_hostile_file_names_do_nothing_and_are_kept_nowhere(
    client: TestClient, house: House, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    boundary = "frontier"
    escaped = name.replace('"', "%22").replace("\r\n", "%0D%0A")
    disposition = f'Content-Disposition: form-data; name="audio"; filename="{escaped}"'
    head = f"--{boundary}\r\n{disposition}\r\nContent-Type: text/html\r\n\r\n".encode()
    body = head + WAV + f"\r\n--{boundary}--\r\n".encode()
    answer = client.post(
        "/v1/reports",
        content=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert answer.status_code == 202
    (one,) = media(house)
    assert one.original == f"media/{one.id}"
    kept = json.dumps(
        [row.model_dump(mode="json", exclude={"peaks", "fingerprint"}) for row in media(house)]
    )
    for piece in ("passwd", "Injected", "script", "system.ini"):
        assert piece not in kept
        assert piece not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("hostile"),
    ["<script>alert(1)</script>", "'; DROP TABLE complaint; --", "\u202etxet", "{{7*7}}", "\x01"],
)
def test_hostile_text_is_kept_as_it_is(client: TestClient, house: House, hostile: str) -> None:
    assert client.post("/v1/reports", files={"text": (None, hostile)}).status_code == 202
    assert media(house)[0].text == hostile


def test_the_same_key_and_report_give_the_same_receipt(client: TestClient, house: House) -> None:
    sent: dict[str, Any] = {"files": [("audio", WAV)], "headers": {"Idempotency-Key": KEY}}
    first, second = (client.post("/v1/reports", **sent).json() for _ in range(2))
    assert first["receipt"] == second["receipt"]
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert len(complaints(house)) == 1
    assert len(stored(house)) == 1


def test_the_same_key_for_another_report_conflicts(client: TestClient, house: House) -> None:
    headers = {"Idempotency-Key": KEY}
    client.post("/v1/reports", files=[("audio", WAV)], headers=headers)
    other = client.post("/v1/reports", files=[("audio", sound("mp3"))], headers=headers)
    assert_refused(other, 409, "idempotency_key_reused")
    assert len(stored(house)) == 1


@pytest.mark.parametrize("key", ["1", "0" * 32, "my-report", "ä" * 3])
def test_a_key_that_could_be_guessed_is_refused(client: TestClient, house: House, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode()}
    answer = client.post("/v1/reports", files=[("audio", WAV)], headers=headers)
    assert_refused(answer, 422, "weak_idempotency_key")
    assert stored(house) == []


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"files": {"text": (None, " ")}}, 422, "empty"),
        ({"files": [("audio", b"")]}, 422, "empty"),
        ({"files": [("audio", WAV), ("audio", b"")]}, 422, "empty"),
        ({"files": [("audio", b"just some words")]}, 415, "not_media"),
        ({"files": [("audio", b"<html>" + b"x" * 100_000)]}, 415, "not_media"),
        ({"files": [("image", b"%PDF-1.7")]}, 415, "not_media"),
        ({"json": {"text": "x"}}, 415, "not_multipart"),
        ({"data": {"text": "x"}}, 415, "not_multipart"),
        ({"content": b""}, 415, "not_multipart"),
        ({"files": {"text": (None, "字" * 4_001)}}, 413, "text_too_long"),
        ({"files": {"text": (None, "字" * 40_001)}}, 413, "text_too_long"),
        ({"files": [("audio", WAV)] * 11}, 413, "too_many_files"),
        ({"files": {"surprise": (None, "x")}}, 422, "unknown_field"),
        ({"files": [("text", (None, "a")), ("text", (None, "b"))]}, 422, "repeated_field"),
        ({"files": {"text": (None, b"\xff\xfe")}}, 422, "not_utf8"),
        ({"files": {"text": (None, "a"), "channel": (None, "nowhere")}}, 422, "unknown_channel"),
        (
            {"files": {"text": (None, "a"), "declared_language": (None, "中文")}},
            422,
            "bad_language",
        ),
        (
            {"files": {"text": (None, "a"), "identity_mode": (None, "someone")}},
            422,
            "bad_identity_mode",
        ),
        ({"files": {"text": (None, "a"), "upward_only": (None, "yes")}}, 422, "bad_upward_only"),
        (
            {"files": {"text": (None, "a"), "reporter_name": (None, "阿依")}},
            422,
            "identity_unclear",
        ),
    ],
)
def test_what_is_refused_says_why_and_leaves_nothing_behind(
    client: TestClient, house: House, sent: dict[str, Any], status: int, code: str
) -> None:
    assert_refused(client.post("/v1/reports", **sent), status, code)
    assert stored(house) == []
    assert complaints(house) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary here",
        b'--f\r\nContent-Disposition: form-data; name="audio"\r\n\r\ncut off',
        b"--f\r\nContent-Disposition: attachment\r\n\r\nx\r\n--f--\r\n",
        b"--f\r\n\r\nx\r\n--f--\r\n",
        b"--f\r\n" + b"X-Long: " + b"y" * 9_000 + b"\r\n\r\nx\r\n--f--\r\n",
        b"--f\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(40)) + b"\r\nx\r\n--f--\r\n",
    ],
)
def test_a_malformed_form_is_refused(client: TestClient, house: House, body: bytes) -> None:
    answer = client.post(
        "/v1/reports", content=body, headers={"Content-Type": "multipart/form-data; boundary=f"}
    )
    assert_refused(answer, 400, "malformed_form")
    assert stored(house) == []


def test_a_boundary_that_is_too_long_is_refused(client: TestClient) -> None:
    kind = f"multipart/form-data; boundary={'b' * 5_000}"
    answer = client.post("/v1/reports", content=b"x", headers={"Content-Type": kind})
    assert_refused(answer, 400, "malformed_form")


def test_a_named_reporter_is_sealed(client: TestClient, house: House) -> None:
    sent = {
        "text": "路没有修",
        "identity_mode": "real_name",
        "reporter_name": "曲木阿呷",
        "reporter_contact": "13800138000",
    }
    answer = client.post("/v1/reports", files={name: (None, value) for name, value in sent.items()})
    assert answer.status_code == 202
    (made,) = complaints(house)
    assert made.identity_mode is IdentityMode.REAL_NAME
    assert made.reporter_sealed is not None
    assert "曲木".encode() not in made.reporter_sealed


def test_a_report_for_the_level_above_is_held_there(client: TestClient, house: House) -> None:
    sent = {"text": "路没有修", "channel": "xsl-clinic", "upward_only": "true"}
    client.post("/v1/reports", files={name: (None, value) for name, value in sent.items()})
    (made,) = complaints(house)
    assert (made.upward_only, made.held_by) == (True, "513400")


class TestLimits:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(recording_bytes=200_000, image_bytes=100_000, files=2)

    def test_a_file_over_the_limit_is_refused(self, client: TestClient, house: House) -> None:
        answer = client.post("/v1/reports", files=[("audio", WAV + bytes(200_000))])
        assert_refused(answer, 413, "too_large")
        assert stored(house) == []

    def test_an_announced_length_over_every_limit_is_refused_unread(
        self, app: FastAPI, house: House
    ) -> None:
        status, read = anyio.run(drip, app, 10_000_000)
        assert status == 413
        # Nothing of it was looked at: this is only what lets the client hear the answer.
        assert read <= linger.BYTES + PIECE

    def test_a_huge_upload_is_stopped_early(self, app: FastAPI, house: House) -> None:
        status, read = anyio.run(drip, app)
        assert status == 413
        assert read <= 200_000 + PIECE + linger.BYTES + PIECE
        assert stored(house) == []

    def test_what_is_no_recording_is_stopped_at_its_head(self, app: FastAPI, house: House) -> None:
        status, read = anyio.run(drip, app, None, b"<html>")
        assert status == 415
        assert read <= HEAD_BYTES + PIECE + linger.BYTES + PIECE


class TestRates:
    @pytest.fixture
    def tight(self, house: House) -> Iterator[FastAPI]:
        rates = Rates(submissions_per_channel="2/hour", submissions_per_address="3/hour")
        settings = house.settings.model_copy(update={"rates": rates})
        application = create_app(settings, queue=house.queue)
        yield application
        application.state.house.engine.dispose()

    def test_a_channel_takes_only_so_many(self, tight: FastAPI, house: House) -> None:
        client = TestClient(tight)
        for _ in range(2):
            assert client.post("/v1/reports", files=[("audio", WAV)]).status_code == 202
        answer = client.post("/v1/reports", files=[("audio", WAV)])
        assert_refused(answer, 429, "too_many")
        assert int(answer.headers["retry-after"]) > 0
        assert len(stored(house)) == 2
        other = client.post(
            "/v1/reports", files={"text": (None, "a"), "channel": (None, "xsl-clinic")}
        )
        assert other.status_code == 202

    def test_an_address_sends_only_so_many_and_is_refused_unread(
        self, tight: FastAPI, house: House
    ) -> None:
        client = TestClient(tight, client=("203.0.113.77", 4711))
        for number in range(3):
            sent = {"text": (None, "a"), "channel": (None, f"nowhere-{number}")}
            assert client.post("/v1/reports", files=sent).status_code == 422
        assert_refused(client.post("/v1/reports", files=[("audio", WAV)]), 429, "too_many")
        neighbour = TestClient(tight, client=("203.0.113.78", 4711))
        assert neighbour.post("/v1/reports", files=[("audio", WAV)]).status_code == 202


async def drip(
    app: FastAPI, announced: int | None = None, head: bytes = WAV[:100]
) -> tuple[int, int]:
    """Send an endless recording piece by piece; give the status and how much was read of it."""
    piece = bytes(PIECE)
    opening = b'--f\r\nContent-Disposition: form-data; name="audio"\r\n\r\n' + head
    length = (b"content-length", str(announced).encode())
    read, status = 0, 0

    async def body() -> AsyncIterator[bytes]:
        yield opening
        while True:
            yield piece

    pieces = body()

    async def receive() -> dict[str, Any]:
        nonlocal read
        chunk = await anext(pieces)
        read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            assert (b"connection", b"close") in message["headers"]

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/reports",
        "raw_path": b"/v1/reports",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"content-type", b"multipart/form-data; boundary=f"),
            length if announced else (b"transfer-encoding", b"chunked"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    await app(scope, receive, send)
    return status, read


def test_reporters_behind_a_named_proxy_are_limited_one_by_one(house: House) -> None:
    settings = house.settings.model_copy(
        update={
            "rates": Rates(submissions_per_address="1/hour"),
            "trusted_proxies": "127.0.0.1",
        }
    )
    app = create_app(settings, queue=house.queue)

    def send(address: str) -> int:
        with TestClient(app, client=("127.0.0.1", 40_000)) as client:
            said = {"X-Forwarded-For": address}
            answer = client.post("/v1/reports", files={"text": (None, "路没有修")}, headers=said)
            return answer.status_code

    assert [send("203.0.113.7"), send("203.0.113.7"), send("203.0.113.8")] == [202, 429, 202]


def test_a_deployment_s_own_holidays_decide_when_a_report_is_due(house: House) -> None:
    year = now().astimezone(OFFICE).year
    days = f'off = ["{year}-01-01/{year}-12-31"]'
    (house.settings.data / "holidays.toml").write_text(
        f'[years.{year}]\nsource = "a test"\n{days}\n[years.{year + 1}]\nsource = "a test"\n'
        f'off = ["{year + 1}-01-01/{year + 1}-06-30"]\n'
    )
    app = create_app(house.settings, queue=house.queue)
    with TestClient(app) as client:
        client.post("/v1/reports", files={"text": (None, "路没有修")})
    with reading(house.engine) as session:
        complaint = session.exec(select(Complaint)).one()
    assert complaint.due_at is not None
    assert complaint.due_at.astimezone(OFFICE).date() > date(year + 1, 6, 30)
