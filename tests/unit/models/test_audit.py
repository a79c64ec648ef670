from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from models import audit
from models.audit import START, Damage, Deed, Fault, Head
from models.database import reading, writing
from models.errors import Invalid
from models.keys import Keys


@pytest.fixture
def chain(engine: Engine, keys: Keys) -> Engine:
    """A database with five events."""
    for number in range(5):
        with writing(engine) as session:
            details = {"n": number, "ratio": 0.1, "word": "岭"}
            audit.append(session, keys, "system", Deed.LOOKED, uuid4(), details)
    return engine


def tamper(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        for each in statement.split(";"):
            connection.execute(text(each))


def verdict(engine: Engine, keys: Keys, exported: Head | None = None) -> audit.Verdict:
    with reading(engine) as session:
        return audit.verify(session, keys, exported)


def test_an_empty_log_holds(engine: Engine, keys: Keys) -> None:
    assert verdict(engine, keys) == audit.Verdict(0, START, None)


def test_an_untouched_chain_holds(chain: Engine, keys: Keys) -> None:
    found = verdict(chain, keys)
    assert found.fault is None
    assert found.count == 5
    assert found.head.seq == 5


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE event SET actor = 'nobody' WHERE seq = 3", Fault(3, Damage.CHANGED)),
        ("UPDATE event SET deed = 'listed' WHERE seq = 1", Fault(1, Damage.CHANGED)),
        ("UPDATE event SET details = '{\"n\": 9}' WHERE seq = 5", Fault(5, Damage.CHANGED)),
        ("UPDATE event SET at = '2020-01-01 00:00:00.000000' WHERE seq = 2", None),
        ("UPDATE event SET complaint_id = NULL WHERE seq = 4", Fault(4, Damage.CHANGED)),
        ("DELETE FROM event WHERE seq = 3", Fault(3, Damage.MISSING)),
        ("DELETE FROM event WHERE seq = 1", Fault(1, Damage.MISSING)),
        ("DELETE FROM event WHERE seq = 5", Fault(5, Damage.CUT)),
        ("DELETE FROM event", Fault(1, Damage.CUT)),
        (
            "UPDATE event SET seq = 90 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 3; "
            "UPDATE event SET seq = 3 WHERE seq = 90",
            Fault(2, Damage.CHANGED),
        ),
        (
            "DELETE FROM event WHERE seq = 3; UPDATE event SET seq = 3 WHERE seq = 4; "
            "UPDATE event SET seq = 4 WHERE seq = 5",
            Fault(3, Damage.CHANGED),
        ),
        (
            "INSERT INTO event (seq, at, actor, deed, details, mac) SELECT 6, at, actor, deed, "
            "details, mac FROM event WHERE seq = 5",
            Fault(6, Damage.CHANGED),
        ),
        ("DELETE FROM deployment WHERE name = 'audit_head'", Fault(6, Damage.CUT)),
    ],
)
def test_edits_deletions_and_reorderings_are_seen(
    chain: Engine, keys: Keys, statement: str, fault: Fault | None
) -> None:
    tamper(chain, statement)
    assert verdict(chain, keys).fault == (fault or Fault(2, Damage.CHANGED))


def test_an_older_head_put_back_with_a_shorter_log_is_seen_against_an_exported_one(
    chain: Engine, keys: Keys
) -> None:
    with reading(chain) as session:
        older = session.connection().execute(
            text("SELECT value FROM deployment WHERE name = 'audit_head'")
        )
        snapshot = older.scalar_one()
    with writing(chain) as session:
        audit.append(session, keys, "system", Deed.LOOKED)
        exported = audit.head(session)
    tamper(chain, "DELETE FROM event WHERE seq = 6")
    with chain.begin() as connection:
        connection.execute(
            text("UPDATE deployment SET value = :value WHERE name = 'audit_head'"),
            {"value": snapshot},
        )
    assert verdict(chain, keys).fault is None
    assert verdict(chain, keys, exported).fault == Fault(6, Damage.CUT)


def test_an_exported_head_that_is_still_in_the_chain_holds(chain: Engine, keys: Keys) -> None:
    with reading(chain) as session:
        exported = audit.head(session)
    with writing(chain) as session:
        audit.append(session, keys, "system", Deed.LOOKED)
    assert verdict(chain, keys, Head.parse(str(exported))).fault is None
    assert verdict(chain, keys, Head(exported.seq, "0" * 64)).fault == Fault(5, Damage.CHANGED)


def test_a_chain_rebuilt_under_another_key_does_not_hold(chain: Engine, keys: Keys) -> None:
    other = Keys(bytes(32))
    tamper(chain, "DELETE FROM event; DELETE FROM deployment WHERE name = 'audit_head'")
    with writing(chain) as session:
        audit.append(session, other, "system", Deed.LOOKED)
    assert verdict(chain, keys).fault == Fault(1, Damage.CHANGED)


def test_an_event_falls_with_the_deed_it_belongs_to(engine: Engine, keys: Keys) -> None:
    with pytest.raises(RuntimeError), writing(engine) as session:
        audit.append(session, keys, "system", Deed.LOOKED)
        raise RuntimeError
    assert verdict(engine, keys).count == 0


def test_several_events_of_one_transaction_follow_each_other(engine: Engine, keys: Keys) -> None:
    with writing(engine) as session:
        for _ in range(3):
            audit.append(session, keys, "system", Deed.LOOKED)
    assert verdict(engine, keys).count == 3
    assert verdict(engine, keys).fault is None


@pytest.mark.parametrize("written", ["", "5", "x:y", "-1:" + "0" * 64, "5:short"])
def test_what_is_no_head_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        Head.parse(written)


def test_recent_events_page_backwards(chain: Engine) -> None:
    with reading(chain) as session:
        assert [event.seq for event in audit.recent(session, size=2)] == [5, 4]
        assert [event.seq for event in audit.recent(session, before=4, size=9)] == [3, 2, 1]
