"""Logging in at the organisation's own provider, against a real one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from models import accounts, audit
from models.account import Account, Role
from models.database import reading, writing
from tests import cases
from tests.conftest import House
from tests.integration.api import provider as elsewhere
from tests.integration.api.provider import Person, Provider

PAGE = {"Accept": "text/html"}
HERE = "http://testserver"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with elsewhere.running(f"{HERE}/staff/oidc/back") as running:
        yield running


@pytest.fixture
def client(house: House, provider: Provider) -> Iterator[TestClient]:
    settings = house.settings.model_copy(
        update={
            "public_url": HERE,
            "oidc_issuer": provider.issuer,
            "oidc_client_id": elsewhere.CLIENT,
            "oidc_client_secret": SecretStr(elsewhere.SECRET),
        }
    )
    app = create_app(settings, queue=house.queue)
    with TestClient(app) as client:
        yield client
    app.state.house.engine.dispose()


@pytest.fixture
def account(house: House) -> Account:
    with writing(house.engine) as session:
        made = cases.account(session, Role.LISTENER, username="li", languages=["ug"])
        accounts.tie(session, house.keys, made, "employee-7")
        return made


def leave(client: TestClient) -> str:
    """Begin at the console, and give the address that the provider sends back to."""
    sent = client.get("/staff/oidc", headers=PAGE, follow_redirects=False)
    assert sent.status_code == 302, sent.text
    came = httpx.get(sent.headers["location"], follow_redirects=False)
    assert came.status_code == 302, came.text
    return came.headers["location"]


def come_back(client: TestClient, address: str) -> httpx.Response:
    """Follow the provider's answer to the console."""
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == HERE
    return client.get(f"{parts.path}?{parts.query}", headers=PAGE, follow_redirects=False)


def is_in(client: TestClient) -> bool:
    return client.get("/staff/inbox", headers=PAGE, follow_redirects=False).status_code == 200


def test_a_known_person_gets_in_with_state_nonce_and_challenge(
    client: TestClient, provider: Provider, account: Account, house: House
) -> None:
    provider.person = Person("employee-7")
    answer = come_back(client, leave(client))
    assert answer.status_code == 303 and answer.headers["location"] == "/staff"
    assert is_in(client)
    (asked,) = provider.asked
    assert asked["code_challenge_method"] == "S256" and asked["code_challenge"]
    assert asked["state"] and asked["nonce"] and asked["scope"] == "openid"
    with reading(house.engine) as session:
        (event,) = audit.recent(session, actor=str(account.id))
        assert (event.deed, event.details) == ("logged_in", {"by": "oidc"})


def test_whom_nobody_tied_to_an_account_stays_out(
    client: TestClient, provider: Provider, account: Account
) -> None:
    provider.person = Person("employee-8", {"preferred_username": account.username})
    answer = come_back(client, leave(client))
    assert answer.status_code == 401 and "没有对应的账号" in answer.text
    assert not is_in(client)


def test_a_closed_account_stays_out(
    client: TestClient, provider: Provider, account: Account, house: House
) -> None:
    provider.person = Person("employee-7")
    with writing(house.engine) as session:
        accounts.set_disabled(session, house.keys, session.get_one(Account, account.id), True)
    assert come_back(client, leave(client)).status_code == 401
    assert not is_in(client)


def test_a_role_comes_from_our_account_and_never_from_the_provider(
    client: TestClient, provider: Provider, account: Account
) -> None:
    provider.person = Person(
        "employee-7", {"role": "administrator", "roles": ["administrator"], "groups": ["lead"]}
    )
    come_back(client, leave(client))
    assert is_in(client)
    for path in ("/staff/queue", "/staff/audit", "/staff/figures"):
        assert client.get(path, headers=PAGE).status_code == 403


def test_an_answer_that_nobody_here_asked_for_is_refused(
    client: TestClient, provider: Provider, account: Account
) -> None:
    provider.person = Person("employee-7")
    address = leave(client)
    client.cookies.clear()
    answer = come_back(client, address)
    assert answer.status_code == 401 and "统一登录没有成功" in answer.text
    assert not is_in(client)


def test_an_answer_works_once(client: TestClient, provider: Provider, account: Account) -> None:
    provider.person = Person("employee-7")
    address = leave(client)
    assert come_back(client, address).status_code == 303
    assert come_back(client, address).status_code == 401


def test_whoever_says_no_at_the_provider_is_told_so(client: TestClient, provider: Provider) -> None:
    provider.person = None
    answer = come_back(client, leave(client))
    assert answer.status_code == 401 and "统一登录没有成功" in answer.text


@pytest.mark.parametrize(
    "forged",
    [
        {"iss": "https://another.example"},
        {"aud": ["another client"]},
        {"nonce": "of another login"},
        {"exp": 1_000_000_000},
    ],
    ids=["issuer", "audience", "nonce", "expired"],
)
def test_a_token_that_was_made_for_something_else_is_refused(
    client: TestClient, provider: Provider, account: Account, forged: dict[str, object]
) -> None:
    provider.person, provider.forged = Person("employee-7"), forged
    answer = come_back(client, leave(client))
    assert answer.status_code == 401 and "统一登录没有成功" in answer.text
    assert not is_in(client)


def test_a_token_signed_by_another_key_is_refused(
    client: TestClient, provider: Provider, account: Account
) -> None:
    provider.person = Person("employee-7")
    provider.signs = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    assert come_back(client, leave(client)).status_code == 401
    assert not is_in(client)


def test_a_provider_that_does_not_answer_is_said_to_be_away(
    house: House, client: TestClient, provider: Provider
) -> None:
    app = client.app
    assert isinstance(app, FastAPI)
    provider.person = Person("employee-7")
    address = leave(client)
    settings = app.state.house.settings
    away = settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:9"})
    app.state.house = replace(app.state.house, settings=away)
    answer = client.get("/staff/oidc", headers=PAGE, follow_redirects=False)
    assert answer.status_code == 503 and "统一登录没有回应" in answer.text
    assert come_back(client, address).status_code == 503
    assert "用单位统一身份登录" in client.get("/staff/login", headers=PAGE).text
