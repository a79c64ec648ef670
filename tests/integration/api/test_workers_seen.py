"""A real worker process, killed, and what an administrator sees of it."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from models.account import Role
from models.database import writing
from models.settings import Settings
from tests import cases
from tests.integration.processes import START_SECONDS, Installation, await_that, family_of
from workers.valkey import Valkey

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
# What the issue promises, not what was measured.
PROMISED_SECONDS = 30.0


def test_a_worker_that_is_killed_is_missed_on_the_page_and_in_the_metrics(
    tmp_path: Path, valkey_server: Valkey
) -> None:
    settings = Settings(
        data=tmp_path / "data", redis_url=valkey_server.url, log_level="WARNING",
        metrics_token=SecretStr("t" * 24),
    )  # fmt: skip
    installation = Installation(settings)
    with writing(installation.engine) as session:
        cases.account(session, Role.ADMINISTRATOR, username="admin")
    app = create_app(settings)
    with TestClient(app, headers={"Accept": "text/html"}) as client:
        form = {"username": "admin", "password": cases.PASSWORD}
        assert client.post("/staff/login", data=form).status_code == 200
        process = installation.start([sys.executable, "-m", "xiangyin", "worker", "prepare"])

        def page() -> str:
            return client.get("/staff/queue").text

        def metrics() -> str:
            token = {"Authorization": "Bearer " + "t" * 24}
            return client.get("/metrics", headers=token).text

        await_that(lambda: 'xiangyin_workers{alive="true"} 1.0' in metrics(), START_SECONDS)
        assert "没有回应" not in page()
        for one in family_of(process.pid):
            one.kill()
        psutil.wait_procs(family_of(process.pid), 5)
        await_that(lambda: "没有回应，自" in page(), PROMISED_SECONDS)
        assert 'xiangyin_workers{alive="false"} 1.0' in metrics()
    installation.close()
    app.state.house.engine.dispose()
