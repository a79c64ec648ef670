from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from models import audit
from models.audit import Deed
from models.database import connect, migrate, reading, writing
from models.keys import Keys

WRITERS, EACH = 8, 15


def append_at_once(engine: Engine, keys: Keys) -> audit.Verdict:
    def write(writer: int) -> None:
        for number in range(EACH):
            with writing(engine) as session:
                audit.append(session, keys, f"w{writer}", Deed.LOOKED, details={"n": number})

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    with reading(engine) as session:
        return audit.verify(session, keys)


def test_events_appended_at_once_make_one_chain_on_sqlite(engine: Engine, keys: Keys) -> None:
    found = append_at_once(engine, keys)
    assert (found.count, found.fault) == (WRITERS * EACH, None)


@pytest.mark.postgres
def test_events_appended_at_once_make_one_chain_on_postgresql(
    postgres_url: str, keys: Keys
) -> None:
    engine = connect(postgres_url)
    migrate(engine)
    found = append_at_once(engine, keys)
    engine.dispose()
    assert (found.count, found.fault) == (WRITERS * EACH, None)
