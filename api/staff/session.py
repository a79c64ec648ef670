"""Who is at the console: a signed cookie that names an account and ends when nothing is done.

The cookie says which account, of which epoch, and when something was last done; the account's own
row decides whether that still holds, so that an administrator ends every session at once.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Request
from starlette.datastructures import FormData

from api import house
from api.house import House
from models import access
from models.access import Act
from models.account import Account
from models.database import reading
from models.errors import NotAllowed, Unauthenticated

COOKIE = "xiangyin_staff"
PATH = "/staff"
PURPOSE = "session"
HOURS = 12
TOKEN_BYTES = 24
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# What a page asks by itself must not keep alive a session at which nobody sits.
POLLED = "X-Polled"

Lang = Literal["zh", "en"]


@dataclass(frozen=True)
class Seat:
    """Somebody at the console. csrf : what every form of theirs carries back"""

    account: Account
    csrf: str
    lang: Lang

    def may(self, act: Act | str) -> bool:
        """Tell whether the account may do an act at all."""
        return access.may(self.account, Act(act))


def begin(request: Request, account: Account) -> None:
    """Begin a session under new secrets, so that none that was planted before is taken over."""
    lang = lang_of(request)
    request.session.clear()
    moment = int(time.time())
    request.session.update(
        id=str(account.id),
        epoch=account.session_epoch,
        csrf=secrets.token_urlsafe(TOKEN_BYTES),
        began=moment,
        seen=moment,
        lang=lang,
    )


def end(request: Request) -> None:
    """Forget who sat here, not which language they read."""
    lang = lang_of(request)
    request.session.clear()
    request.session["lang"] = lang


def lang_of(request: Request) -> Lang:
    """Give the language of the console that was chosen here."""
    return "en" if request.session.get("lang") == "en" else "zh"


def present(request: Request, at: Annotated[House, Depends(house.of)]) -> Account:
    """Give the account that sits here, or raise Unauthenticated."""
    session, moment = request.session, int(time.time())
    idle = at.settings.session_idle_minutes * 60
    if "id" not in session:
        raise _login_needed()
    late = moment - int(session.get("seen", 0)) > idle
    if late or moment - int(session.get("began", 0)) > HOURS * 3600:
        end(request)
        raise _login_needed()
    with reading(at.engine) as database:
        account = database.get(Account, UUID(session["id"]))
    if account is None or account.disabled or account.session_epoch != session.get("epoch"):
        end(request)
        raise _login_needed()
    if POLLED.lower() not in request.headers:
        session["seen"] = moment
    return account


async def seat(request: Request, account: Annotated[Account, Depends(present)]) -> Seat:
    """Give who sits here, after making sure that a change was asked for by our own page."""
    token = str(request.session.get("csrf", ""))
    if request.method not in SAFE_METHODS:
        await _require_own_page(request, token)
    return Seat(account, token, lang_of(request))


async def _require_own_page(request: Request, token: str) -> None:
    given = request.headers.get("x-csrf", "")
    if not given and request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        form: FormData = await request.form()
        given = str(form.get("csrf", ""))
    site = request.headers.get("sec-fetch-site", "same-origin")
    same = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if not same or site not in ("same-origin", "none"):
        raise NotAllowed(
            "页面已过期，请刷新后再操作。",
            "This page is out of date: reload it and do it again.",
            code="csrf",
        )


def _login_needed() -> Unauthenticated:
    return Unauthenticated("请先登录。", "Log in first.", code="login_needed")


At = Annotated[House, Depends(house.of)]
Here = Annotated[Seat, Depends(seat)]
