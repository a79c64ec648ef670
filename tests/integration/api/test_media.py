from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from models import audit
from models.account import Permission, Role
from models.database import reading, writing
from models.medium import Kind
from tests import cases
from tests.cases import COUNTY
from tests.conftest import House
from tests.integration.api.conftest import Hire

CONTENT = secrets.token_bytes(300_000)


@dataclass(frozen=True)
class Stored:
    """A recording with its copy, and where it is asked for."""

    complaint_id: UUID
    medium_id: UUID

    @property
    def address(self) -> str:
        return f"/v1/complaints/{self.complaint_id}/media/{self.medium_id}"


@pytest.fixture
def stored(house: House) -> Stored:
    with house.blobs.writer("media/one") as writer:
        writer.write(CONTENT)
        writer.commit()
    with writing(house.engine) as session:
        made = cases.complaint(session, house.keys)
        voice = cases.medium(
            session, made, original="media/one", copy_="media/one", copy_mime="audio/mp4"
        )
        cases.transcript(session, voice, "路没有修", "<b>也没有水</b>")
    return Stored(made.id, voice.id)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=65530-65545", 65_530, 65_546),
        ("bytes=299990-", 299_990, 300_000),
        ("bytes=-10", 299_990, 300_000),
        ("bytes=100000-999999", 100_000, 300_000),
    ],
)
def test_a_range_is_given_exactly(
    client: TestClient, stored: Stored, hire: Hire, asked: str, start: int, end: int
) -> None:
    answer = client.get(f"{stored.address}/copy", headers={**hire(), "Range": asked})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/300000"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers["content-type"] == "audio/mp4"


def test_the_whole_is_given_where_no_range_is_asked(
    client: TestClient, stored: Stored, hire: Hire
) -> None:
    answer = client.get(f"{stored.address}/copy", headers=hire())
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["accept-ranges"] == "bytes"
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("asked", ["bytes=300000-", "bytes=999999-9999999", "bytes=-0"])
def test_a_range_outside_the_file_is_refused_with_its_size(
    client: TestClient, stored: Stored, hire: Hire, asked: str
) -> None:
    answer = client.get(f"{stored.address}/copy", headers={**hire(), "Range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "bad_range")
    assert answer.headers["content-range"] == "bytes */300000"


def test_a_range_of_something_else_gets_the_whole(
    client: TestClient, stored: Stored, hire: Hire
) -> None:
    headers = hire()
    etag = client.get(f"{stored.address}/copy", headers=headers).headers["etag"]
    ask = {**headers, "Range": "bytes=0-9"}
    same = client.get(f"{stored.address}/copy", headers={**ask, "If-Range": etag})
    other = client.get(f"{stored.address}/copy", headers={**ask, "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_a_range_opens_only_the_chunks_that_it_needs(
    client: TestClient, house: House, stored: Stored, hire: Hire
) -> None:
    (path,) = (house.settings.data / "blobs").rglob("media/one")
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed)
    first = client.get(f"{stored.address}/copy", headers={**hire(), "Range": "bytes=0-99"})
    assert (first.status_code, first.content) == (206, CONTENT[:100])


def test_the_original_is_saved_and_never_opened_in_a_page(
    client: TestClient, house: House, stored: Stored, hire: Hire
) -> None:
    headers = hire(Role.INSPECTOR, COUNTY, Permission.ORIGINALS)
    answer = client.get(f"{stored.address}/original", headers=headers)
    assert answer.content == CONTENT
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    with reading(house.engine) as session:
        events = audit.recent(session, complaint_id=stored.complaint_id)
    assert [event.deed for event in events] == ["original_fetched"]


def test_what_is_not_prepared_yet_is_told(
    client: TestClient, house: House, stored: Stored, hire: Hire
) -> None:
    with writing(house.engine) as session:
        report = cases.complaint(session, house.keys)
        voice = cases.medium(session, report)
        text = cases.medium(session, report, kind=Kind.TEXT, text="路", original="")
    headers = hire(Role.LEAD, COUNTY, *Permission)
    for of, what in ((voice, "copy"), (text, "copy"), (text, "original")):
        answer = client.get(f"/v1/complaints/{report.id}/media/{of.id}/{what}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_file")
    for form in ("transcript", "transcript.vtt"):
        answer = client.get(f"/v1/complaints/{report.id}/media/{voice.id}/{form}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_transcript")


def test_a_transcript_is_read_as_json_and_as_webvtt(
    client: TestClient, stored: Stored, hire: Hire
) -> None:
    headers = hire()
    made = client.get(f"{stored.address}/transcript", headers=headers).json()
    assert [one["text"] for one in made["segments"]] == ["路没有修", "<b>也没有水</b>"]
    assert made["segments"][0]["words"][0]["text"] == "路"
    answer = client.get(f"{stored.address}/transcript.vtt?version=1", headers=headers)
    assert answer.headers["content-type"].startswith("text/vtt")
    assert answer.text.startswith("WEBVTT\n")
    assert "&lt;b&gt;" in answer.text
    gone = client.get(f"{stored.address}/transcript?version=9", headers=headers)
    assert gone.status_code == 404


def test_pages_of_the_list_follow_by_cursor(client: TestClient, house: House, hire: Hire) -> None:
    with writing(house.engine) as session:
        made = {str(cases.complaint(session, house.keys).id) for _ in range(5)}
    headers, seen, cursor = hire(), [], ""
    while cursor is not None:
        query = f"?size=2&cursor={cursor}" if cursor else "?size=2&status=ready&status=accepted"
        page = client.get(f"/v1/complaints{query}", headers=headers).json()
        seen += [row["id"] for row in page["complaints"]]
        cursor = page["next"]
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize(
    "query",
    [
        "cursor=nonsense",
        "size=0",
        "size=201",
        "status=lost",
        "received_from=0001-01-01T00:00:00%2B14:00",
        "received_until=9999-12-31T23:59:59-14:00",
        "received_from=2026-01-01",
        "surprise=1",
        "assignee=me",
    ],
)
def test_a_list_that_cannot_be_asked_for_is_refused(
    client: TestClient, hire: Hire, query: str
) -> None:
    assert client.get(f"/v1/complaints?{query}", headers=hire()).status_code == 422
