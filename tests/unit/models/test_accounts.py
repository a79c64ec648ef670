from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import Session

from models import accounts, audit, tokens
from models.account import Account, Permission, Role
from models.columns import now
from models.database import reading, writing
from models.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated
from tests.cases import COUNTY, PASSWORD
from tests.conftest import House


def add(
    session: Session, house: House, username: str, role: Role = Role.INSPECTOR, name: str = ""
) -> Account:
    return accounts.add(
        session,
        house.keys,
        username=username,
        password=PASSWORD,
        role=role,
        division_code=COUNTY,
        name=name,
    )


@pytest.fixture
def member(house: House) -> Account:
    with writing(house.engine) as session:
        return add(session, house, "ayi")


def log_in(house: House, password: str = PASSWORD, username: str = "ayi") -> Account:
    return accounts.authenticate(house.engine, house.keys, username, password)


def fail(house: House, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            log_in(house, "wrong password")


def stored(house: House, member: Account) -> Account:
    with reading(house.engine) as session:
        found = session.get(Account, member.id)
    assert found is not None
    return found


def test_passwords_are_kept_as_argon2id_only(house: House, member: Account) -> None:
    assert member.password_hash.startswith("$argon2id$")
    assert PASSWORD not in member.password_hash


def test_the_right_password_logs_in_and_forgives_failures(house: House, member: Account) -> None:
    fail(house, 2)
    assert log_in(house).id == member.id
    assert stored(house, member).failures == 0


@pytest.mark.parametrize(
    ("username", "password"), [("ayi", "wrong password"), ("nobody", PASSWORD), ("ayi", "")]
)
def test_a_wrong_name_and_a_wrong_password_are_told_alike(
    house: House, member: Account, username: str, password: str
) -> None:
    with pytest.raises(Unauthenticated) as raised:
        log_in(house, password, username)
    assert raised.value.code == "bad_login"


def test_repeated_failures_lock_the_account_for_longer_and_longer(
    house: House, member: Account
) -> None:
    fail(house, accounts.FAILURES)
    with pytest.raises(TooMany) as raised:
        log_in(house)
    assert 0 < raised.value.retry_after <= accounts.LOCK.total_seconds()
    with writing(house.engine) as session:
        session.get_one(Account, member.id).locked_until = now() - timedelta(seconds=1)
    fail(house, 1)
    until = stored(house, member).locked_until
    assert until is not None
    assert until > now() + accounts.LOCK


def test_attempts_at_once_cannot_slip_past_the_lock(house: House, member: Account) -> None:
    def attempt(_: int) -> type[Exception] | None:
        try:
            log_in(house, "wrong password")
        except (Unauthenticated, TooMany) as error:
            return type(error)
        return None

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attempt, range(8)))
    assert stored(house, member).failures >= accounts.FAILURES
    assert attempt(0) is TooMany


def test_a_closed_account_neither_logs_in_nor_opens_with_a_token(
    house: House, member: Account
) -> None:
    with writing(house.engine) as session:
        token = tokens.issue(session, house.keys, member)
        known = session.get_one(Account, member.id)
        accounts.set_disabled(session, house.keys, known, True)
    with pytest.raises(Unauthenticated):
        log_in(house)
    with reading(house.engine) as session, pytest.raises(Unauthenticated):
        tokens.holder(session, house.keys, token)


def test_a_new_password_ends_sessions_and_lifts_the_lock(house: House, member: Account) -> None:
    fail(house, accounts.FAILURES)
    with writing(house.engine) as session:
        known = session.get_one(Account, member.id)
        accounts.set_password(session, house.keys, known, "another pass phrase")
    assert log_in(house, "another pass phrase").session_epoch == 1


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_that_will_not_do_is_refused(house: House, password: str) -> None:
    with pytest.raises(Invalid):
        accounts.hash_password(password)


@pytest.mark.parametrize("username", ["", "A", "阿依", "a b", "../x", "a" * 41])
def test_a_username_that_will_not_do_is_refused(house: House, username: str) -> None:
    with writing(house.engine) as session, pytest.raises(Invalid):
        add(session, house, username)


def test_a_username_is_given_once(house: House, member: Account) -> None:
    with writing(house.engine) as session, pytest.raises(Conflict):
        add(session, house, "ayi")


def test_permissions_are_granted_to_a_person(house: House, member: Account) -> None:
    with writing(house.engine) as session:
        known = session.get_one(Account, member.id)
        accounts.set_permissions(session, house.keys, known, [Permission.EXPORT])
    assert stored(house, member).permissions == ["export"]


def test_an_account_that_is_not_there_is_said_so(house: House) -> None:
    with reading(house.engine) as session, pytest.raises(NotFound):
        accounts.by_name(session, "nobody")


def test_what_is_done_with_accounts_is_in_the_audit_log(house: House, member: Account) -> None:
    fail(house, accounts.FAILURES)
    with writing(house.engine) as session:
        deeds = {event.deed for event in audit.recent(session)}
        assert audit.verify(session, house.keys).fault is None
    assert {"account_added", "login_failed", "locked_out"} <= deeds


def test_a_token_is_kept_as_a_keyed_hash_and_opens_until_it_is_revoked(
    house: House, member: Account
) -> None:
    with writing(house.engine) as session:
        plain = tokens.issue(session, house.keys, member, "report program")
    with writing(house.engine) as session:
        (row,) = tokens.listing(session, member.id)
        assert plain not in row.digest
        assert tokens.holder(session, house.keys, plain).id == member.id
        tokens.revoke(session, house.keys, row.id)
        with pytest.raises(Unauthenticated):
            tokens.holder(session, house.keys, plain)
        with pytest.raises(NotFound):
            tokens.revoke(session, house.keys, row.id)


def test_a_token_expires(house: House, member: Account) -> None:
    with writing(house.engine) as session:
        plain = tokens.issue(session, house.keys, member, days=0)
        with pytest.raises(Unauthenticated):
            tokens.holder(session, house.keys, plain)


def test_the_role_and_division_of_an_account_are_kept(house: House) -> None:
    with writing(house.engine) as session:
        made = add(session, house, "ayi.l", Role.LEAD, name="阿依")
        assert accounts.name_of(session, made.id) == "阿依"
        assert (made.role, made.division) == (Role.LEAD, COUNTY)
