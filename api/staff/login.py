"""Logging in and out, by password with an optional second factor, or through OpenID Connect."""

from __future__ import annotations

import re
from typing import Annotated, Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import APIRouter, Form, Request, Response
from joserfc.errors import JoseError

from api import errors
from api.staff import pages, session
from api.staff.pages import StaffRoute
from api.staff.session import At, Here
from models import accounts, audit
from models.account import Account
from models.audit import Deed
from models.database import writing
from models.errors import NotFound, TooMany, Unauthenticated, Unavailable

router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
HOME = "/staff"
PROVIDER_SECONDS = 10.0
_OWN = re.compile(r"/staff(/[\w./?=&%,:+-]*)?")

Short = Annotated[str, Form(max_length=300)]


@router.get("/login")
def ask(request: Request, at: At, next: str = HOME) -> Response:
    """Show the form."""
    return _form(request, at, next)


@router.post("/login")
def log_in(
    request: Request,
    at: At,
    username: Short = "",
    password: Short = "",
    code: Annotated[str, Form(max_length=12)] = "",
    next: Annotated[str, Form(max_length=2_000)] = HOME,
) -> Response:
    """Check name, password and code, and begin a session."""
    scripted = not pages.wants_page(request)
    try:
        account = accounts.authenticate(
            at.engine, at.keys, username.strip().lower(), password, code.strip()
        )
    except (Unauthenticated, TooMany) as error:
        if scripted:
            raise
        return _form(request, at, next, error=error, username=username)
    session.begin(request, account)
    if scripted:
        return Response(status_code=204, headers={"X-Csrf": request.session["csrf"]})
    return pages.back(request, _own(next))


@router.post("/logout")
def log_out(request: Request, at: At, here: Here) -> Response:
    """End all sessions of the account, so that no copy of a cookie lives on."""
    with writing(at.engine) as database:
        account = database.get_one(Account, here.account.id, with_for_update=True)
        account.session_epoch += 1
        audit.append(database, at.keys, str(account.id), Deed.LOGGED_OUT)
    session.end(request)
    return pages.back(request, "/staff/login")


@router.post("/language")
def choose_language(
    request: Request,
    lang: Annotated[str, Form(pattern="^(zh|en)$")],
    next: Annotated[str, Form(max_length=2_000)] = HOME,
) -> Response:
    """Switch the console between Chinese and English."""
    request.session["lang"] = lang
    return pages.back(request, _own(next))


@router.get("/oidc")
async def to_provider(request: Request, at: At) -> Response:
    """Send somebody to the organisation's own login."""
    client = _client(at)
    address = f"{at.settings.base_url}/staff/oidc/back"
    try:
        made: Response = await client.authorize_redirect(request, address)
    except (httpx2.HTTPError, ValueError) as error:
        raise _away() from error
    return made


@router.get("/oidc/back")
async def from_provider(request: Request, at: At) -> Response:
    """Take somebody who comes back from it; who they are here was decided by an administrator."""
    try:
        token = await _client(at).authorize_access_token(request)
    except (OAuthError, AuthlibBaseError, JoseError) as error:
        # No state of ours, a refusal, or a token that is not for us, not of now, not theirs.
        raise _failed() from error
    except (httpx2.HTTPError, ValueError) as error:
        raise _away() from error
    if "userinfo" not in token:
        raise _failed()
    account = accounts.by_subject(at.engine, at.keys, str(token["userinfo"].get("sub", "")))
    session.begin(request, account)
    return pages.back(request, HOME)


@router.get("/account")
def show_account(request: Request, at: At, here: Here) -> Response:
    """Show what the account is and may do."""
    return pages.render(request, "account.html", here, changed="", error=None, offer=None)


@router.post("/account/password")
def change_password(
    request: Request, at: At, here: Here, old: Short = "", new: Short = ""
) -> Response:
    """Change one's own password, which ends every other session."""
    account = accounts.authenticate(
        at.engine, at.keys, here.account.username, old, check_code=False
    )
    with writing(at.engine) as database:
        known = database.get_one(Account, account.id, with_for_update=True)
        accounts.set_password(database, at.keys, known, new, actor=str(known.id))
    session.begin(request, known)
    return pages.back(request, "/staff/account")


@router.post("/account/second")
def set_second_factor(
    request: Request,
    at: At,
    here: Here,
    secret: Annotated[str, Form(max_length=64)] = "",
    code: Annotated[str, Form(max_length=12)] = "",
) -> Response:
    """Offer a second factor, or take it into use once its first code is right."""
    if not secret:
        offer = accounts.offer_second_factor(here.account)
        return pages.render(request, "account.html", here, changed="", error=None, offer=offer)
    with writing(at.engine) as database:
        known = database.get_one(Account, here.account.id, with_for_update=True)
        accounts.set_second_factor(database, at.keys, known, secret, code)
    session.begin(request, known)
    return pages.back(request, "/staff/account")


def _form(
    request: Request,
    at: At,
    following: str,
    *,
    error: Unauthenticated | TooMany | None = None,
    username: str = "",
) -> Response:
    status = errors.status_of(error) if error else 200
    return pages.render(
        request,
        "login.html",
        status=status,
        following=_own(following),
        error=error,
        username=username,
        code_needed=error is not None and error.code in ("code_needed", "bad_code"),
    )


def _own(address: str) -> str:
    """Give the address if it is one of the console's own, else its first page."""
    return address if _OWN.fullmatch(address) and "//" not in address else HOME


def _client(at: At) -> Any:
    if not at.settings.oidc_issuer:
        raise NotFound("没有启用统一登录。", "There is no organisation's login here.")
    oauth = OAuth()
    return oauth.register(
        "staff",
        client_id=at.settings.oidc_client_id,
        client_secret=at.settings.oidc_client_secret.get_secret_value(),
        server_metadata_url=(
            at.settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration"
        ),
        client_kwargs={
            "scope": "openid",
            "code_challenge_method": "S256",
            "timeout": PROVIDER_SECONDS,
        },
    )


def _failed() -> Unauthenticated:
    return Unauthenticated(
        "统一登录没有成功，请再试一次。",
        "The organisation's login did not succeed: try again.",
        code="oidc_failed",
    )


def _away() -> Unavailable:
    return Unavailable(
        "统一登录没有回应，请稍后再试，或用密码登录。",
        "The organisation's login does not answer: try later, or log in with your password.",
        code="oidc_unavailable",
    )
