"""Whatever is sent to the interface, the server does not break and keeps to its description."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.programs import receipts
from models import receipt
from models.account import Permission, Role
from models.database import writing
from tests import cases
from tests.conftest import House
from tests.integration.api.conftest import Hire

EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    "GET /healthz",
    "GET /readyz",
    "POST /v1/reports",
    "GET /v1/report",
    "GET /v1/report/answers/{medium_id}",
    "GET /v1/complaints",
    "GET /v1/complaints/{complaint_id}",
    "GET /v1/complaints/{complaint_id}/media/{medium_id}/transcript",
    "GET /v1/complaints/{complaint_id}/media/{medium_id}/transcript.vtt",
    "GET /v1/complaints/{complaint_id}/media/{medium_id}/original",
    "GET /v1/complaints/{complaint_id}/media/{medium_id}/copy",
    "GET /v1/schemas/complaint.json",
    "GET /v1/codes",
]
WITHOUT_PARAMETERS = [
    "GET /healthz",
    "GET /readyz",
    "GET /v1/schemas/complaint.json",
    "GET /v1/codes",
]
# A digit more or less, or a wrong one, among receipts that could be right.
NUMBERS = st.one_of(st.builds(receipt.draw), st.text("0123456789 -", min_size=1, max_size=20))


@pytest.fixture
def real(house: House) -> dict[str, str]:
    """Make a complaint that all can be asked about, and give its ids."""
    with house.blobs.writer("media/fuzzed") as writer:
        writer.write(bytes(1_000))
        writer.commit()
    with writing(house.engine) as session:
        made = cases.complaint(session, house.keys)
        voice = cases.medium(
            session, made, original="media/fuzzed", copy_="media/fuzzed", copy_mime="audio/mp4"
        )
        cases.transcript(session, voice, "路没有修")
        return {"complaint_id": str(made.id), "medium_id": str(voice.id)}


def operations(app: FastAPI) -> dict[str, Any]:
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app)
    return {each.ok().label: each.ok() for each in schema.get_all_operations()}


def test_every_described_operation_is_fuzzed(app: FastAPI) -> None:
    assert sorted(operations(app)) == sorted(OPERATIONS)


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        (label, mode)
        for label in OPERATIONS
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or label not in WITHOUT_PARAMETERS
    ],
)
def test_nothing_that_is_sent_breaks_the_server(
    app: FastAPI,
    hire: Hire,
    real: dict[str, str],
    label: str,
    mode: GenerationMode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receipts, "FLOOR_SECONDS", 0.001)
    staff = hire(Role.LEAD, cases.COUNTY, *Permission)
    operation = operations(app)[label]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), number=NUMBERS, known=st.booleans())
    def send(case: Any, number: str, known: bool) -> None:
        if known:
            case.path_parameters = {
                name: real.get(name, value) for name, value in case.path_parameters.items()
            }
        asks_by_receipt = label.startswith("GET /v1/report")
        headers = {"Authorization": f"Receipt {number}"} if asks_by_receipt else staff
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()
