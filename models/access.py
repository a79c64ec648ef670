"""Who sees which complaint, and who may do what with it.

An account sees what its division, or one below, holds now - and of inspection rounds only its own -
unless the report concerns the account or its unit, or the reporter asked that only the level above
hears it. What an account may not see does not exist for it: the answer is NotFound, never a refusal
that tells that there is something.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, false, func, or_, true
from sqlmodel import Session, col, select

from models import division
from models.account import Account, Permission, Role
from models.complaint import Complaint
from models.errors import NotAllowed, NotFound
from models.transcript import UNKNOWN_LANGUAGE

EVERY_ROUND = "*"


class Act(StrEnum):
    """What somebody may want to do."""

    READ = "read"
    TRANSCRIBE = "transcribe"
    DECIDE = "decide"
    ANSWER = "answer"
    ASSIGN = "assign"
    HAND_OVER = "hand_over"
    SEE_IDENTITY = "see_identity"
    FETCH_ORIGINAL = "fetch_original"
    EXPORT = "export"
    SEE_FIGURES = "see_figures"
    READ_AUDIT = "read_audit"
    ADMINISTER = "administer"


_CASEWORK = frozenset({Act.READ, Act.TRANSCRIBE, Act.DECIDE, Act.ANSWER, Act.SEE_FIGURES})
BY_ROLE: dict[Role, frozenset[Act]] = {
    Role.LISTENER: frozenset({Act.READ, Act.TRANSCRIBE}),
    Role.INSPECTOR: _CASEWORK,
    Role.LEAD: _CASEWORK | {Act.ASSIGN, Act.HAND_OVER, Act.READ_AUDIT},
    Role.OVERSEER: frozenset({Act.SEE_FIGURES}),
    # Whoever keeps the machines running has no need to read what people said.
    Role.ADMINISTRATOR: frozenset({Act.ADMINISTER, Act.READ_AUDIT, Act.SEE_FIGURES}),
}
# These need a role that reads complaints and the permission granted to the person.
BY_PERMISSION: dict[Act, Permission] = {
    Act.SEE_IDENTITY: Permission.IDENTITY,
    Act.FETCH_ORIGINAL: Permission.ORIGINALS,
    Act.EXPORT: Permission.EXPORT,
}


def may(account: Account, act: Act) -> bool:
    """Tell whether the account's role and permissions allow an act at all."""
    allowed = BY_ROLE[account.role]
    needed = BY_PERMISSION.get(act)
    if needed is not None:
        return Act.READ in allowed and account.may(needed)
    return act in allowed


def require(account: Account, act: Act) -> None:
    """Raise NotAllowed unless the account may do this."""
    if not may(account, act):
        raise NotAllowed(
            "您的账号没有这项权限，如工作需要请向管理员申请。",
            "Your account may not do this: ask an administrator if your work needs it.",
        )


def visible(account: Account) -> ColumnElement[bool]:
    """Give the condition on `Complaint` that holds for exactly what the account sees."""
    if Act.READ not in BY_ROLE[account.role]:
        return false()
    return and_(
        _in_subtree(account),
        _in_rounds(account),
        _not_concerned(account),
        _past_the_local_body(account),
        _spoken(account),
    )


def find(
    session: Session, account: Account, complaint_id: UUID, *, locked: bool = False
) -> Complaint:
    """Give a complaint that the account sees, or raise NotFound.

    locked : hold the row until the transaction ends, so that what was read is what is changed
    """
    query = select(Complaint).where(Complaint.id == complaint_id, visible(account))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    complaint = session.exec(query).first()
    if complaint is None:
        raise NotFound(
            "没有这件举报，或者您无权查看。",
            "There is no such complaint, or it is not yours to see.",
            code="no_complaint",
        )
    return complaint


def _in_subtree(account: Account) -> ColumnElement[bool]:
    shared = division.prefix(account.division)
    return col(Complaint.held_by).startswith(shared) if shared else true()


def _in_rounds(account: Account) -> ColumnElement[bool]:
    if EVERY_ROUND in account.rounds:
        return true()
    return col(Complaint.round).in_(["", *account.rounds])


def _not_concerned(account: Account) -> ColumnElement[bool]:
    named = cast(col(Complaint.shut_out), Text).contains(str(account.id))
    if account.unit_code is None:
        return ~named
    return and_(~named, func.coalesce(Complaint.subject_unit_code, "") != account.unit_code)


def _past_the_local_body(account: Account) -> ColumnElement[bool]:
    """Keep what a reporter sent past a body from it and from those below, whoever holds it."""
    gone_past, code = [], account.division
    while code != division.NATION:
        gone_past.append(code)
        code = division.parent(code)
    return or_(~col(Complaint.upward_only), col(Complaint.jurisdiction).not_in(gone_past))


def _spoken(account: Account) -> ColumnElement[bool]:
    """Show a listener what is in a language they speak, or in one that nobody could tell."""
    if account.role is not Role.LISTENER:
        return true()
    heard = cast(col(Complaint.languages), Text)
    conditions: list[ColumnElement[bool]] = []
    for tag in dict.fromkeys([*account.languages, UNKNOWN_LANGUAGE]):
        conditions += [
            col(Complaint.language) == tag,
            col(Complaint.language).startswith(f"{tag}-", autoescape=True),
            heard.contains(f'"{tag}"', autoescape=True),
            heard.contains(f'"{tag}-', autoescape=True),
        ]
        if tag != UNKNOWN_LANGUAGE:
            conditions.append(col(Complaint.declared_language) == tag)
    return or_(*conditions)
