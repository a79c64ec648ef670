"""The same tests on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models.database import connect, migrate
from models.keys import Keys
from tests.conftest import furnish


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, keys: Keys) -> Iterator[Engine]:
    """A migrated database with two channels in it: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("engine")
        return
    engine = connect(request.getfixturevalue("postgres_url"))
    migrate(engine)
    furnish(engine, keys)
    yield engine
    engine.dispose()
