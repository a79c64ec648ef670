"""Who is asking: a program by its token, a reporter by a receipt. Never in an address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api import house
from api.house import House
from models import tokens
from models.account import Account
from models.database import reading
from models.errors import Unauthenticated

_bearer = HTTPBearer(auto_error=False, description="token of a staff account")
_receipt = APIKeyHeader(
    name="Authorization",
    scheme_name="Receipt",
    auto_error=False,
    description="`Receipt` and the sixteen digits, grouped or not",
)


def account(
    at: Annotated[House, Depends(house.of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Account:
    """Give the account whose token came with the request, or raise Unauthenticated."""
    if given is None:
        raise Unauthenticated(
            "请在 Authorization 头中带上 Bearer 令牌。",
            "Send a bearer token in the Authorization header.",
            code="token_needed",
        )
    with reading(at.engine) as session:
        return tokens.holder(session, at.keys, given.credentials)


def receipt(given: Annotated[str | None, Security(_receipt)]) -> str:
    """Give what was written as a receipt, or raise Unauthenticated where nothing was."""
    scheme, _, written = (given or "").partition(" ")
    if scheme.lower() != "receipt" or not written.strip():
        raise Unauthenticated(
            "请在 Authorization 头中写上 Receipt 和 16 位回执号。",
            "Send the word Receipt and the sixteen digits in the Authorization header.",
            code="receipt_needed",
        )
    return written


Staff = Annotated[Account, Depends(account)]
Written = Annotated[str, Depends(receipt)]
