"""After a whole run, from the request to the finished report, nothing tells who it came from."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

import pytest
from sqlmodel import select

from models.complaint import Complaint
from models.database import reading
from models.settings import Settings
from tests.integration.processes import Installation, await_that, free_port, up
from tests.integration.traces import HEADERS, REPORTER, TRACES, files, form, rows

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SAMPLES = Path(__file__).parents[2] / "samples" / "demo"
TEXT = "石桥村的路三年没有修，修路的钱不知道去了哪里。"


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, source_address=(REPORTER, 0), timeout=60
    )
    try:
        connection.request(method, path, body, HEADERS | headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def ready(port: int) -> bool:
    try:
        return b'"ready"' in ask(port, "GET", "/readyz")
    except OSError:
        return False


def test_a_whole_run_leaves_no_trace_of_the_reporter(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path / "data",
        port=free_port(),
        log_level="DEBUG",
        # What a proxy says of the reporter is used, and must go no further.
        trusted_proxies=REPORTER,
        sweep_seconds=1,
        stale_seconds=3,
    )
    installation = Installation(settings)
    said = tmp_path / "said.log"
    sent = [
        ("audio", (SAMPLES / "zh-phone.m4a").read_bytes()),
        ("image", (SAMPLES / "zh-letter.jpg").read_bytes()),
        ("text", TEXT.encode()),
        ("audio", b"RIFF\x00\x00\x00\x00WAVE"),
    ]
    try:
        with said.open("wb") as output, up(installation, output):
            await_that(lambda: ready(settings.port), 90)
            receipts = []
            for field, content in sent:
                body, headers = form(content, field)
                answer = json.loads(ask(settings.port, "POST", "/v1/reports", body, **headers))
                receipts.append(answer["receipt"])
            with reading(installation.engine) as session:
                reports = session.exec(select(Complaint.id)).all()
            assert len(reports) == len(sent)
            installation.wait(reports)
            for receipt in [*receipts, "0000 0000 0000 0000"]:
                ask(settings.port, "GET", "/v1/report", Authorization=f"Receipt {receipt}")
        kept = [("output", said.read_bytes()), *files(settings.data), *rows(installation.engine)]
        for where, content in kept:
            for trace in TRACES:
                assert trace.encode() not in content, f"{trace} in {where}"
            for receipt in receipts:
                assert receipt.replace(" ", "").encode() not in content, f"a receipt in {where}"
        logged = said.read_text("utf-8")
        assert TEXT[:6] not in logged
        assert '"prepared"' in logged and '"transcribed"' in logged
    finally:
        installation.close()
