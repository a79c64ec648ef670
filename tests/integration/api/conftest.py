"""The whole web application on the small house of one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from models import tokens
from models.account import Account, Permission, Role
from models.database import writing
from tests import cases
from tests.cases import COUNTY
from tests.conftest import House

Hire = Callable[..., dict[str, str]]


@pytest.fixture
def app(house: House) -> Iterator[FastAPI]:
    application = create_app(house.settings, queue=house.queue)
    yield application
    application.state.house.engine.dispose()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def hire(house: House) -> Hire:
    """Make an account and give the headers that its token takes."""

    def make(
        role: Role = Role.INSPECTOR,
        division: str = COUNTY,
        *permissions: Permission,
        **more: object,
    ) -> dict[str, str]:
        with writing(house.engine) as session:
            account: Account = cases.account(session, role, division, *permissions, **more)
            return {"Authorization": f"Bearer {tokens.issue(session, house.keys, account)}"}

    return make
