"""A transaction on a fresh database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from models.database import writing
from tests.conftest import House


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    with writing(house.engine) as session:
        yield session
