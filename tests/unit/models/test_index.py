"""The index written anew says what it said, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, select

from models import index, search
from models.account import Role
from models.database import reading, writing
from models.index import Entry
from models.keys import Keys
from models.medium import Kind
from models.search import Query
from tests import cases

WRONG = "_all stale"


def entries(session: Session) -> dict[int | None, str]:
    return {one.seq: one.terms for one in session.exec(select(Entry))}


def assert_rebuilt(engine: Engine, keys: Keys) -> None:
    with writing(engine) as session:
        lead = cases.account(session, Role.LEAD, rounds=["*"])
        for number in range(7):
            report = cases.complaint(session, keys, title=f"第{number}件", description="没有通水")
            said = cases.medium(session, report, kind=Kind.VOICE)
            cases.transcript(session, said, "饮水工程", "修了三年")
            cases.transcript(session, said, "饮水工程", "修了五年", version=2)
    with reading(engine) as session:
        wanted = entries(session)
    with writing(engine) as session:
        some = sorted(one for one in wanted if one)[1::3]
        if index.is_postgresql(session):
            session.connection().execute(
                update(Entry).where(Entry.seq.in_(some)).values(terms=WRONG)  # type: ignore[union-attr]
            )
        else:
            for one in some:
                index.replace(session, session.get_one(Entry, one), WRONG)
    assert index.rebuild(engine) == 7
    with reading(engine) as session:
        assert entries(session) == wanted
        for words, count in {"修了五年": 7, "修了三年": 0, "通水": 7, "stale": 0}.items():
            assert search.count(session, lead, Query(words=words)) == count, words


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "REBUILT_AT_ONCE", 3)


def test_what_is_stale_is_written_anew(engine: Engine, keys: Keys) -> None:
    assert_rebuilt(engine, keys)


@pytest.mark.postgres
def test_what_is_stale_is_written_anew_on_postgresql(postgres: Engine, keys: Keys) -> None:
    assert_rebuilt(postgres, keys)


def test_an_empty_index_is_rebuilt_at_once(engine: Engine) -> None:
    assert index.rebuild(engine) == 0
