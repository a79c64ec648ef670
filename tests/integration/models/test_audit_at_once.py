from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from models import audit
from models.audit import Deed
from models.database import reading, writing
from models.keys import Keys

WRITERS, EACH = 8, 15


def test_events_appended_at_once_make_one_chain(either: Engine, keys: Keys) -> None:
    def write(writer: int) -> None:
        for number in range(EACH):
            with writing(either) as session:
                audit.append(session, keys, f"w{writer}", Deed.LOOKED, details={"n": number})

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    with reading(either) as session:
        found = audit.verify(session, keys)
    assert (found.count, found.fault) == (WRITERS * EACH, None)
