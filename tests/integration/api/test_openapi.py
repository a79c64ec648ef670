from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from api.programs import describe, reports, schemas
from models.database import writing
from models.listing import Page
from models.record import StandardComplaint, TranscriptRecord
from tests import cases
from tests.conftest import House
from tests.integration.api.conftest import Hire
from tests.integration.api.matrix import DOORS

JSON = ("application/json", "application/problem+json", "application/schema+json")


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/v1/openapi.json").json())


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give every body of the document: where it is, its media type and its description."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            asked = operation.get("requestBody", {}).get("content", {})
            for media_type, body in asked.items():
                yield f"{method} {path} request", media_type, body
            for status, answer in operation["responses"].items():
                for media_type, body in answer.get("content", {}).items():
                    yield f"{method} {path} {status}", media_type, body


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    missing = [(where, kind) for where, kind, body in bodies(document) if "example" not in body]
    assert missing == []


def test_every_example_follows_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for where, media_type, body in bodies(document):
        if media_type not in JSON or not body.get("schema"):
            continue
        schema = {**body["schema"], "components": document["components"]}
        jsonschema.validate(body["example"], schema, jsonschema.Draft202012Validator)
        checked += 1
        assert where
    assert checked > 20


def test_the_examples_are_what_the_models_say() -> None:
    TypeAdapter(Page).validate_python({"complaints": [], "next": None})
    made = StandardComplaint.model_json_schema(by_alias=True, mode="serialization")
    jsonschema.validate(describe.COMPLAINT, made, jsonschema.Draft202012Validator)
    TranscriptRecord.model_validate_json(json.dumps(describe.TRANSCRIPT))
    reports.Acknowledgement.model_validate(reports.EXAMPLE)


def test_every_route_for_programs_is_described(document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    programs = {door for door in DOORS if door[1].startswith("/v1/") or door[1].endswith("z")}
    assert described == programs - {("GET", "/v1/openapi.json")}


def test_the_published_schema_is_a_schema_and_every_record_follows_it(
    client: TestClient, house: House, hire: Hire
) -> None:
    answer = client.get("/v1/schemas/complaint.json")
    schema = answer.json()
    assert answer.headers["content-type"] == "application/schema+json"
    assert schema["$schema"] == schemas.DIALECT
    jsonschema.Draft202012Validator.check_schema(schema)
    with writing(house.engine) as session:
        made = cases.complaint(session, house.keys)
        voice = cases.medium(session, made)
        cases.transcript(session, voice, "路没有修")
    record = client.get(f"/v1/complaints/{made.id}", headers=hire()).json()
    jsonschema.validate(record, schema, jsonschema.Draft202012Validator)
    assert record["media"][0]["bytes"] == 10


def test_the_codes_have_names_in_two_languages(client: TestClient) -> None:
    codes = client.get("/v1/codes").json()
    assert {"zh", "en"} == set(codes["domain"]["assistance"])
    assert "none" in codes["conduct"]


def test_no_page_of_the_framework_loads_from_elsewhere(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/v1/openapi.json", "/v1/complaints", "/nowhere"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "microphone=(self)" in headers["permissions-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers
    assert "set-cookie" not in headers


def test_an_unknown_method_is_refused_with_those_that_are_known(client: TestClient) -> None:
    answer = client.put("/v1/reports")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_what_nobody_caught_is_answered_in_our_form_and_without_values(
    app: FastAPI, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "曲木阿呷13800138000"

    def fail() -> None:
        raise ValueError(secret)

    app.get("/broken")(fail)
    answer = TestClient(app).get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    logged = capfd.readouterr().err
    assert secret not in logged + answer.text
    assert "ValueError" in logged
    assert "fail" in logged


def test_validation_names_our_parameters_and_never_the_values(
    client: TestClient, hire: Hire, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "secret-value-4711"
    for query in (f"size={secret}", f"status={secret}", f"assignee={secret}", f"{secret}=1"):
        answer = client.get(f"/v1/complaints?{query}", headers=hire())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields")
        assert secret not in answer.text
    answer = client.get(f"/v1/complaints/{secret}", headers=hire())
    assert answer.json()["fields"] == ["complaint_id"]
    assert secret not in answer.text + capfd.readouterr().err
