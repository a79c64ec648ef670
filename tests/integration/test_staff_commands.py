"""`xiangyin user change` and `xiangyin audit`: what they print, and that the database has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from models import access, accounts, audit
from models.access import Act
from models.account import Account
from models.database import connect, open_database, reading
from models.errors import Invalid, NotFound
from models.settings import Settings
from xiangyin import app

FIRST, SECOND = "a long first password", "another long password"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XIANGYIN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def engine(data: Path) -> Iterator[Engine]:
    made, _ = open_database(Settings(data=data))
    made.dispose()
    engine = connect(f"sqlite:///{data / 'xiangyin.db'}")
    yield engine
    engine.dispose()


def xiangyin(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=typed)


@pytest.fixture
def li(engine: Engine) -> str:
    words = ["user", "add", "li", "--role", "inspector", "--division", "510729"]
    done = xiangyin(*words, "--permissions", "export", typed=f"{FIRST}\n{FIRST}\n")
    assert done.exit_code == 0, done.output
    return "li"


def account(engine: Engine) -> Account:
    with reading(engine) as session:
        return accounts.by_name(session, "li")


def test_what_is_named_is_changed_and_the_rest_stays(engine: Engine, li: str) -> None:
    before = account(engine)
    words = ["--permissions", "identity,originals", "--languages", "zh,ii", "--rounds", "r1"]
    done = xiangyin("user", "change", li, *words, "--identity", "sub-7")
    assert done.exit_code == 0 and done.stdout.strip() == "Changed li."
    after = account(engine)
    assert access.may(after, Act.SEE_IDENTITY) and not access.may(after, Act.EXPORT)
    assert (after.languages, after.rounds, after.oidc_subject) == (["zh", "ii"], ["r1"], "sub-7")
    assert (after.password_hash, after.role) == (before.password_hash, before.role)
    assert xiangyin("user", "change", li, "--permissions", "", "--identity", "").exit_code == 0
    bare = account(engine)
    assert not access.may(bare, Act.SEE_IDENTITY) and not bare.oidc_subject
    assert bare.languages == ["zh", "ii"]


def test_an_account_is_closed_and_opened_again(engine: Engine, li: str) -> None:
    assert xiangyin("user", "change", li, "--disable").exit_code == 0
    assert account(engine).disabled
    assert xiangyin("user", "change", li, "--enable").exit_code == 0
    assert not account(engine).disabled


def test_a_new_password_is_asked_for_twice_and_ends_what_was_open(engine: Engine, li: str) -> None:
    before = account(engine)
    differs = xiangyin("user", "change", li, "--password", typed=f"{SECOND}\n{FIRST}\n")
    assert differs.exit_code != 0
    assert account(engine).password_hash == before.password_hash
    done = xiangyin("user", "change", li, "--password", typed=f"{SECOND}\n{SECOND}\n")
    assert done.exit_code == 0 and SECOND not in done.output
    after = account(engine)
    assert after.password_hash != before.password_hash
    assert after.session_epoch != before.session_epoch


def test_who_is_not_there_and_what_is_no_permission_is_said(engine: Engine, li: str) -> None:
    nobody = xiangyin("user", "change", "wang", "--disable")
    assert isinstance(nobody.exception, NotFound)
    unknown = xiangyin("user", "change", li, "--permissions", "export,everything")
    assert isinstance(unknown.exception, Invalid)
    assert "everything" in unknown.exception.zh and "originals" in unknown.exception.en
    assert access.may(account(engine), Act.EXPORT)


def test_every_change_is_in_the_log_without_what_is_secret(engine: Engine, li: str) -> None:
    xiangyin("user", "change", li, "--password", typed=f"{SECOND}\n{SECOND}\n")
    xiangyin("user", "change", li, "--disable")
    with reading(engine) as session:
        events = audit.recent(session)
    assert len(events) >= 3
    assert SECOND not in json.dumps([one.details for one in events])


def test_a_head_that_was_kept_shows_what_was_cut_off(engine: Engine, li: str) -> None:
    kept = xiangyin("audit", "head").stdout.strip()
    assert audit.Head.parse(kept).seq >= 1
    assert xiangyin("audit", "verify", "--head", kept).exit_code == 0
    xiangyin("user", "change", li, "--disable")
    later = xiangyin("audit", "verify", "--head", kept, "--json")
    assert later.exit_code == 0 and json.loads(later.stdout)["fault"] is None
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)"))
    cut = xiangyin("audit", "verify", "--head", kept)
    assert cut.exit_code == 1 and "Damaged" in cut.stdout
