"""Resumable uploads: cut anywhere, go on, arrive once; and never without leave."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select
from starlette.testclient import TestClient

from api.app import create_app
from api.citizen import uploads as uploads_module
from models import receipt
from models.complaint import Complaint, IdentityMode
from models.database import reading
from models.medium import Medium, Purpose
from models.settings import Rates
from tests.conftest import House

SOUND = b"ID3" + bytes(range(256)) * 800


def key() -> str:
    return secrets.token_hex(16)


def leave(client: TestClient, number: str, channel: str = "xsl-clinic") -> str:
    answer = client.post("/uploads/tickets", json={"channel": channel, "key": number})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


def headers(token: str, **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"Tus-Resumable": "1.0.0", "Authorization": f"Upload {token}"} | named


def create(client: TestClient, token: str, length: int, purpose: str = "complaint") -> str:
    pairs = {"kind": "voice", "purpose": purpose}
    written = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())
    given = headers(token, Upload_Length=str(length), Upload_Metadata=written)
    answer = client.post("/uploads", headers=given)
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0"
    location: str = answer.headers["location"]
    return location


def patch(client: TestClient, token: str, where: str, offset: int, piece: bytes) -> Any:
    given = headers(
        token, Upload_Offset=str(offset), Content_Type="application/offset+octet-stream"
    )
    return client.patch(where, headers=given, content=piece)


def upload(client: TestClient, token: str, sound: bytes = SOUND, purpose: str = "complaint") -> str:
    where = create(client, token, len(sound), purpose)
    answer = patch(client, token, where, 0, sound)
    assert answer.status_code == 204, answer.text
    return where.rsplit("/", 1)[-1]


def send(client: TestClient, token: str, number: str, *ids: str, **more: Any) -> Any:
    body = {"token": token, "key": number, "uploads": list(ids), "channel": "xsl-clinic"}
    return client.post("/reports", json=body | more)


def originals(house: House) -> list[bytes]:
    with reading(house.engine) as session:
        media = session.exec(select(Medium).order_by(Medium.position)).all()  # type: ignore[arg-type]
    return [b"".join(house.blobs.read(medium.original)) for medium in media if medium.original]


def test_an_upload_in_pieces_becomes_one_report_byte_for_byte(
    client: TestClient, house: House
) -> None:
    number = key()
    token = leave(client, number)
    where = create(client, token, len(SOUND))
    offset = 0
    for piece in (SOUND[:10], SOUND[10:70_000], SOUND[70_000:]):
        answer = patch(client, token, where, offset, piece)
        offset += len(piece)
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(offset))
    told = client.head(where, headers=headers(token))
    assert told.headers["upload-offset"] == told.headers["upload-length"] == str(len(SOUND))
    assert told.headers["cache-control"] == "no-store"
    answer = send(client, token, number, where.rsplit("/", 1)[-1], language="ug", upward=True)
    assert answer.status_code == 202
    assert receipt.parse(answer.json()["receipt"])
    assert len(answer.json()["qr"]) == len(answer.json()["qr"][0])
    assert originals(house) == [SOUND]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=8))
def test_wherever_it_is_cut_the_offset_holds(client: TestClient, cuts: list[int]) -> None:
    token = leave(client, key())
    where = create(client, token, len(SOUND))
    offset = 0
    for until in sorted({*cuts, len(SOUND)} - {0}):
        assert patch(client, token, where, offset, SOUND[offset:until]).status_code == 204
        told = client.head(where, headers=headers(token))
        assert int(told.headers["upload-offset"]) == until
        offset = until


def test_the_same_report_sent_again_gives_the_same_receipt(
    client: TestClient, house: House
) -> None:
    number = key()
    token = leave(client, number)
    assert leave(client, number) == token
    one = upload(client, token)
    first, again = (send(client, token, number, one).json() for _ in range(2))
    assert first == again
    with reading(house.engine) as session:
        assert len(session.exec(select(Complaint)).all()) == 1


def test_a_server_that_started_anew_takes_the_same_report_once(
    client: TestClient, app: FastAPI, house: House
) -> None:
    from api.citizen.door import open_door

    number = key()
    token = leave(client, number)
    first = send(client, token, number, upload(client, token)).json()["receipt"]
    app.state.citizen = open_door(app.state.house)
    assert client.head("/uploads/anything", headers=headers(token)).status_code == 401
    token = leave(client, number)
    assert send(client, token, number, upload(client, token)).json()["receipt"] == first


def test_what_lies_on_disk_while_an_upload_runs_is_not_what_was_said(
    client: TestClient, house: House
) -> None:
    token = leave(client, key())
    said = b"ID3" + b"the village head took it" * 9_000
    where = create(client, token, len(said) + 1)
    assert patch(client, token, where, 0, said).status_code == 204
    for folder, _, names in os.walk(house.settings.data):
        for name in names:
            assert b"village head took" not in (Path(folder) / name).read_bytes()
    for path in list(Path("/proc/self/fd").iterdir()):
        if path.is_file() and str(house.settings.data) in str(path.readlink()):
            assert b"village head took" not in path.read_bytes()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Authorization": "Upload no-such-token"}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Upload-Length": "-1"}, 422),
        ({"Upload-Length": "0"}, 422),
        ({"Upload-Length": "٣"}, 422),
        ({"Upload-Length": str(10**14)}, 413),
        ({"Upload-Metadata": "kind dm9pY2U=,purpose Li4vLi4vZXRj"}, 422),
        ({"Upload-Metadata": "kind ***"}, 422),
        ({"Upload-Metadata": "kind dGV4dA=="}, 422),
        ({"Upload-Metadata": "kind dm9pY2U=,filename " + "QUFB" * 100}, 422),
    ],
)
def test_headers_that_will_not_do_are_refused(
    client: TestClient, changed: dict[str, str], status: int
) -> None:
    given = headers(leave(client, key()), Upload_Length="5", Upload_Metadata="kind dm9pY2U=")
    encoded = {name: value.encode() for name, value in (given | changed).items()}
    answer = client.post("/uploads", headers=encoded)
    assert answer.status_code == status, answer.text


def test_another_tickets_upload_is_not_there(client: TestClient) -> None:
    mine, yours = leave(client, key()), leave(client, key())
    where = create(client, mine, len(SOUND))
    assert client.head(where, headers=headers(yours)).status_code == 404
    assert patch(client, yours, where, 0, SOUND).status_code == 404
    assert client.delete(where, headers=headers(yours)).status_code == 404
    for name in ("..%2f..%2fkey", "%00", "../key"):
        assert client.head(f"/uploads/{name}", headers=headers(mine)).status_code in (404, 405)


def test_a_wrong_offset_is_refused_and_changes_nothing(client: TestClient) -> None:
    token = leave(client, key())
    where = create(client, token, len(SOUND))
    assert patch(client, token, where, 0, SOUND[:100]).status_code == 204
    assert patch(client, token, where, 50, SOUND[50:]).status_code == 409
    assert client.head(where, headers=headers(token)).headers["upload-offset"] == "100"


def test_more_than_was_announced_ends_the_upload(client: TestClient) -> None:
    token = leave(client, key())
    where = create(client, token, 100)
    assert patch(client, token, where, 0, SOUND).status_code == 413
    assert client.head(where, headers=headers(token)).status_code == 404


def test_what_is_no_sound_or_picture_is_refused_while_it_comes(client: TestClient) -> None:
    token = leave(client, key())
    where = create(client, token, 40_000)
    assert patch(client, token, where, 0, b"<html>" + bytes(30_000)).status_code == 415
    assert client.head(where, headers=headers(token)).status_code == 404


def test_a_newer_request_takes_over_from_one_that_hangs(app: FastAPI, client: TestClient) -> None:
    from models.errors import Conflict

    token = leave(client, key())
    where = create(client, token, len(SOUND))
    shelf = app.state.citizen.uploads
    hanging = shelf.of(token, where.rsplit("/", 1)[-1])
    turn = shelf.take_turn(hanging)
    shelf.write(hanging, turn, SOUND[:10])
    assert client.head(where, headers=headers(token)).headers["upload-offset"] == "10"
    with pytest.raises(Conflict):
        shelf.write(hanging, turn, SOUND[10:20])
    assert patch(client, token, where, 10, SOUND[10:]).status_code == 204


def test_a_cancelled_upload_is_gone(client: TestClient) -> None:
    token = leave(client, key())
    where = create(client, token, len(SOUND))
    override = headers(token, X_HTTP_Method_Override="DELETE")
    assert client.post(where, headers=override).status_code == 204
    assert client.head(where, headers=headers(token)).status_code == 404


def test_a_ticket_has_room_for_as_many_files_as_a_report(client: TestClient, house: House) -> None:
    token = leave(client, key())
    for _ in range(house.settings.limits.files):
        create(client, token, 5)
    given = headers(token, Upload_Length="5", Upload_Metadata="kind dm9pY2U=")
    assert client.post("/uploads", headers=given).json()["code"] == "too_many_files"


def test_a_report_waits_for_its_files(client: TestClient) -> None:
    number = key()
    token = leave(client, number)
    where = create(client, token, len(SOUND))
    patch(client, token, where, 0, SOUND[:100])
    answer = send(client, token, number, where.rsplit("/", 1)[-1])
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_unfinished")


def test_silent_uploads_give_way_when_all_places_are_taken(
    client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "MOST", 1)
    token = leave(client, key())
    first = create(client, token, 5)
    given = headers(token, Upload_Length="5", Upload_Metadata="kind dm9pY2U=")
    assert client.post("/uploads", headers=given).status_code == 429
    monkeypatch.setattr(uploads_module, "SILENT_SECONDS", -1)
    assert client.post("/uploads", headers=given).status_code == 201
    assert client.head(first, headers=headers(token)).status_code == 404


def test_a_spoken_name_is_identity(client: TestClient, house: House) -> None:
    number = key()
    token = leave(client, number)
    ids = upload(client, token), upload(client, token, SOUND[:-1], "identity")
    assert send(client, token, number, *ids, identity="real_name").status_code == 202
    with reading(house.engine) as session:
        report = session.exec(select(Complaint)).one()
        media = session.exec(select(Medium)).all()
    assert report.identity_mode is IdentityMode.REAL_NAME
    assert {medium.purpose for medium in media} == {Purpose.COMPLAINT, Purpose.IDENTITY}


def test_a_closed_channel_gives_no_leave(client: TestClient) -> None:
    answer = client.post("/uploads/tickets", json={"channel": "nowhere", "key": key()})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_channel")


def test_a_proof_is_taken_once_and_only_if_it_solves(app: FastAPI) -> None:
    import altcha

    from api.citizen.proof import Proofs

    proofs = Proofs(app.state.house.keys, cost=1)
    challenge = altcha.Challenge.from_dict(proofs.challenge())
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    payload = altcha.Payload(challenge, solution).to_base64()
    assert proofs.accepts(payload)
    assert not proofs.accepts(payload)
    for wrong in ("", "x", payload[:-8], "A" * 9_000):
        assert not proofs.accepts(wrong)


def test_behind_a_named_proxy_each_phone_has_a_limit_of_its_own(house: House) -> None:
    settings = house.settings.model_copy(
        update={
            "trusted_proxies": "127.0.0.1",
            "rates": Rates(submissions_per_address="2/hour"),
        }
    )
    app = create_app(settings, queue=house.queue)
    with TestClient(app, client=("127.0.0.1", 5000)) as client:

        def asks(phone: str) -> int:
            body = {"channel": "xsl-clinic", "key": key()}
            answer = client.post(
                "/uploads/tickets", json=body, headers={"X-Forwarded-For": f"8.8.8.8, {phone}"}
            )
            return answer.status_code

        assert [asks("203.0.113.9") for _ in range(4)] == [200, 200, 428, 428]
        assert asks("203.0.113.10") == 200
