"""What is done with accounts: adding and changing them, logging in, and locking out guessers."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pyotp
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine
from sqlmodel import Session, select

from models import audit, division
from models.account import Account, Permission, Role
from models.audit import Deed
from models.columns import now
from models.database import writing
from models.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated
from models.keys import Keys

PASSWORD_CHARACTERS = 10
PASSWORD_CHARACTERS_MOST = 256
FAILURES = 5
LOCK = timedelta(minutes=1)
LOCK_MOST = timedelta(hours=12)
TOTP_PURPOSE = "totp"
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
# argon2id with the parameters of RFC 9106's second choice, which pwdlib has as its own.
_HASHER = PasswordHash((Argon2Hasher(),))
# Checked when nobody has the name, so that an unknown name takes as long as a wrong password.
_DECOY = _HASHER.hash(secrets.token_urlsafe())


def add(
    session: Session,
    keys: Keys,
    *,
    username: str,
    password: str,
    role: Role,
    division_code: str,
    name: str = "",
    unit_code: str | None = None,
    rounds: Sequence[str] = (),
    languages: Sequence[str] = (),
    permissions: Sequence[Permission] = (),
    actor: str = "operator",
) -> Account:
    """Add a member of staff; raise Invalid or Conflict where the data cannot be taken."""
    if not _USERNAME.fullmatch(username):
        raise Invalid(
            "用户名只能用 2 到 40 个小写字母、数字、点、横线和下划线。",
            "A username is 2 to 40 lower-case letters, digits, dots, dashes and underscores.",
            code="bad_username",
        )
    if session.exec(select(Account).where(Account.username == username)).first() is not None:
        raise Conflict(
            "这个用户名已经有人用了，请换一个。",
            "That username is taken: choose another.",
            code="username_taken",
        )
    account = Account(
        username=username,
        name=name,
        password_hash=hash_password(password),
        role=role,
        division=division.check(division_code),
        unit_code=unit_code,
        rounds=list(rounds),
        languages=list(languages),
        permissions=[permission.value for permission in permissions],
    )
    session.add(account)
    audit.append(
        session,
        keys,
        actor,
        Deed.ACCOUNT_ADDED,
        details={
            "account": str(account.id),
            "role": role.value,
            "division": division_code,
            "permissions": " ".join(account.permissions),
        },
    )
    return account


def by_name(session: Session, username: str) -> Account:
    """Find an account by its username, or raise NotFound."""
    account = session.exec(select(Account).where(Account.username == username)).first()
    if account is None:
        raise NotFound("没有这个账号。", "There is no such account.", code="no_account")
    return account


def set_password(
    session: Session, keys: Keys, account: Account, password: str, *, actor: str = "operator"
) -> None:
    """Give an account a new password, end its sessions and lift a lock."""
    account.password_hash = hash_password(password)
    account.session_epoch += 1
    account.failures, account.locked_until = 0, None
    _changed(session, keys, account, "password", actor)


def set_disabled(
    session: Session, keys: Keys, account: Account, disabled: bool, *, actor: str = "operator"
) -> None:
    """Close an account, its sessions and its tokens, or open it again."""
    account.disabled = disabled
    account.session_epoch += 1
    _changed(session, keys, account, "disabled" if disabled else "enabled", actor)


def set_permissions(
    session: Session,
    keys: Keys,
    account: Account,
    permissions: Sequence[Permission],
    *,
    actor: str = "operator",
) -> None:
    """Grant exactly these permissions."""
    account.permissions = [permission.value for permission in permissions]
    _changed(session, keys, account, "permissions", actor)


def set_languages(
    session: Session,
    keys: Keys,
    account: Account,
    languages: Sequence[str],
    *,
    actor: str = "operator",
) -> None:
    """Say which languages somebody understands: a listener sees reports in exactly these."""
    account.languages = list(languages)
    _changed(session, keys, account, "languages", actor)


def set_rounds(
    session: Session,
    keys: Keys,
    account: Account,
    rounds: Sequence[str],
    *,
    actor: str = "operator",
) -> None:
    """Say in which inspection rounds somebody works."""
    account.rounds = list(rounds)
    _changed(session, keys, account, "rounds", actor)


def tie(
    session: Session, keys: Keys, account: Account, subject: str, *, actor: str = "operator"
) -> None:
    """Let the person whom an OpenID Connect provider calls by a subject in; "" lets go of it."""
    subject = subject.strip()
    other = session.exec(select(Account).where(Account.oidc_subject == subject)).first()
    if subject and other is not None and other.id != account.id:
        raise Conflict(
            "这个统一身份已经对应了别的账号。",
            "That identity is tied to another account already.",
            code="subject_taken",
        )
    account.oidc_subject = subject or None
    account.session_epoch += 1
    _changed(session, keys, account, "identity", actor)


def hash_password(password: str) -> str:
    """Hash a password with argon2id; raise Invalid if it is too short to be safe."""
    if not PASSWORD_CHARACTERS <= len(password) <= PASSWORD_CHARACTERS_MOST:
        raise Invalid(
            f"密码至少要 {PASSWORD_CHARACTERS} 个字符，可以用几个词连成一句。",
            f"A password needs at least {PASSWORD_CHARACTERS} characters: a few words do well.",
            code="weak_password",
        )
    return _HASHER.hash(password)


def authenticate(
    engine: Engine,
    keys: Keys,
    username: str,
    password: str,
    code: str = "",
    *,
    check_code: bool = True,
) -> Account:
    """Give the account whose name and password these are; raise Unauthenticated or TooMany.

    code : of the second factor, where the account has one; check_code : False for somebody who is
    logged in already

    The attempt is counted and committed before the password is checked, so that many attempts at
    once cannot slip past the lock, and no transaction is open while argon2 works.
    """
    with writing(engine) as session:
        account = session.exec(
            select(Account).where(Account.username == username).with_for_update()
        ).first()
        if account is not None and _is_locked(account):
            raise _locked(account)
        if account is not None:
            account.failures += 1
    matches = _HASHER.verify(
        password[:PASSWORD_CHARACTERS_MOST],
        account.password_hash if account is not None and account.password_hash else _DECOY,
    )
    if account is None or not account.password_hash or account.disabled or not matches:
        _record_failure(engine, keys, account)
        raise Unauthenticated(
            "用户名或密码不对，请再试一次。",
            "That name or password is not right: try again.",
            code="bad_login",
        )
    with writing(engine) as session:
        known = session.get(Account, account.id, with_for_update=True)
        if known is None or known.disabled:
            raise Unauthenticated(
                "账号已停用，请联系管理员。",
                "The account is closed: ask an administrator.",
                code="bad_login",
            )
        passed = not check_code or _passes(keys, known, code)
        if passed:
            known.failures, known.locked_until = 0, None
            audit.append(session, keys, str(known.id), Deed.LOGGED_IN)
    if not passed:
        _record_failure(engine, keys, account)
        raise _bad_code(code)
    return known


def by_subject(engine: Engine, keys: Keys, subject: str) -> Account:
    """Give the account that an OpenID Connect subject was tied to, or raise Unauthenticated."""
    with writing(engine) as session:
        known = session.exec(select(Account).where(Account.oidc_subject == subject)).first()
        if not subject or known is None or known.disabled:
            raise Unauthenticated(
                "这个统一身份没有对应的账号，请联系管理员。",
                "No account is tied to that identity: ask an administrator.",
                code="unknown_subject",
            )
        audit.append(session, keys, str(known.id), Deed.LOGGED_IN, details={"by": "oidc"})
    return known


@dataclass(frozen=True)
class Offer:
    """A second factor that is not in use yet. address : what an authenticator's camera reads"""

    secret: str
    address: str


def offer_second_factor(account: Account) -> Offer:
    """Draw a secret for an authenticator (TOTP, RFC 6238)."""
    secret = pyotp.random_base32()
    address = pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name="Xiangyin")
    return Offer(secret, address)


def set_second_factor(
    session: Session, keys: Keys, account: Account, secret: str, code: str
) -> None:
    """Take a second factor into use once its first code is right, and end other sessions."""
    try:
        step = _step(secret, code)
    except (ValueError, TypeError):
        step = None
    if step is None:
        raise Invalid(
            "验证码不对，请核对手机时间后重新绑定。",
            "That code is not right: check the phone's clock and set it up again.",
            code="bad_code",
        )
    account.totp_sealed = keys.seal(TOTP_PURPOSE, secret.encode(), account.id.bytes)
    account.totp_last = step
    account.session_epoch += 1
    _changed(session, keys, account, "second_factor", str(account.id))


def drop_second_factor(
    session: Session, keys: Keys, account: Account, *, actor: str = "operator"
) -> None:
    """Let an account in without a second factor again, for somebody who lost their phone."""
    account.totp_sealed, account.totp_last = None, 0
    account.session_epoch += 1
    _changed(session, keys, account, "second_factor_dropped", actor)


def _passes(keys: Keys, account: Account, code: str) -> bool:
    """Check a code of the second factor, each of which works once."""
    if account.totp_sealed is None:
        return True
    secret = keys.unseal(TOTP_PURPOSE, account.totp_sealed, account.id.bytes).decode()
    step = _step(secret, code)
    if step is None or step <= account.totp_last:
        return False
    account.totp_last = step
    return True


def _step(secret: str, code: str) -> int | None:
    """Give the time step whose code this is, one early or late allowed."""
    totp = pyotp.TOTP(secret)
    present = int(now().timestamp()) // totp.interval
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def _bad_code(code: str) -> Unauthenticated:
    if not code:
        return Unauthenticated(
            "请输入手机上的 6 位验证码。",
            "Enter the six digits that your phone shows.",
            code="code_needed",
        )
    return Unauthenticated(
        "验证码不对或已用过，请等下一个。",
        "That code is not right or was used: wait for the next one.",
        code="bad_code",
    )


def _record_failure(engine: Engine, keys: Keys, account: Account | None) -> None:
    if account is None:
        return
    with writing(engine) as session:
        known = session.get(Account, account.id, with_for_update=True)
        if known is None:
            return
        over = known.failures - FAILURES
        if over >= 0:
            known.locked_until = now() + min(LOCK * 2 ** min(over, 16), LOCK_MOST)
        audit.append(
            session,
            keys,
            str(known.id),
            Deed.LOCKED_OUT if over >= 0 else Deed.LOGIN_FAILED,
            details={"failures": known.failures},
        )


def _is_locked(account: Account) -> bool:
    return account.locked_until is not None and account.locked_until > now()


def _locked(account: Account) -> TooMany:
    wait = 1 if account.locked_until is None else (account.locked_until - now()).total_seconds()
    return TooMany(
        "错误次数太多，账号已暂时锁定，请稍后再试。",
        "Too many failed attempts: the account is locked for a while, try again later.",
        retry_after=max(1, round(wait)),
        code="locked_out",
    )


def _changed(session: Session, keys: Keys, account: Account, what: str, actor: str) -> None:
    session.add(account)
    audit.append(
        session,
        keys,
        actor,
        Deed.ACCOUNT_CHANGED,
        details={"account": str(account.id), "what": what},
    )


def name_of(session: Session, account_id: UUID) -> str:
    """Give the name to show for an account, or its username, or "" if it is gone."""
    account = session.get(Account, account_id)
    return "" if account is None else account.name or account.username
