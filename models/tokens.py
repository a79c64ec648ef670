"""Bearer tokens: how a program acts for an account. Only a keyed hash of each is kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from models import audit
from models.account import Account, Token
from models.audit import Deed
from models.columns import now
from models.errors import NotFound, Unauthenticated
from models.keys import Keys

# A fixed beginning lets secret scanners find a token that slipped into a file.
PREFIX = "xyt_"
RANDOM_BYTES = 32
PURPOSE = "token"


def issue(
    session: Session,
    keys: Keys,
    account: Account,
    name: str = "",
    *,
    days: int | None = None,
    actor: str = "operator",
) -> str:
    """Make a token for an account and give it, the only time that it can be read."""
    plain = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    token = Token(
        account_id=account.id,
        digest=_digest(keys, plain),
        name=name,
        expires_at=None if days is None else now() + timedelta(days=days),
    )
    session.add(token)
    audit.append(
        session,
        keys,
        actor,
        Deed.TOKEN_ISSUED,
        details={"token": str(token.id), "account": str(account.id)},
    )
    return plain


def holder(session: Session, keys: Keys, plain: str) -> Account:
    """Give the account that a token acts for; raise Unauthenticated if it is not to be trusted."""
    token = session.exec(select(Token).where(Token.digest == _digest(keys, plain))).first()
    account = None if token is None else session.get(Account, token.account_id)
    expired = token is not None and token.expires_at is not None and token.expires_at <= now()
    if account is None or expired or account.disabled:
        raise Unauthenticated(
            "令牌无效或已过期，请向管理员索取新的令牌。",
            "The token is unknown or has expired: ask an administrator for a new one.",
            code="bad_token",
        )
    return account


def listing(session: Session, account_id: UUID) -> Sequence[Token]:
    """List an account's tokens, oldest first."""
    return session.exec(
        select(Token).where(Token.account_id == account_id).order_by(col(Token.created_at))
    ).all()


def revoke(session: Session, keys: Keys, token_id: UUID, *, actor: str = "operator") -> None:
    """Delete a token, so that it opens nothing from now on."""
    token = session.get(Token, token_id)
    if token is None:
        raise NotFound(
            "没有这个令牌，可能已经撤销。",
            "There is no such token: it may have been revoked already.",
            code="no_token",
        )
    session.delete(token)
    audit.append(
        session,
        keys,
        actor,
        Deed.TOKEN_REVOKED,
        details={"token": str(token_id), "account": str(token.account_id)},
    )


def _digest(keys: Keys, plain: str) -> str:
    return keys.digest(PURPOSE, plain.encode())
