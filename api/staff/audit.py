"""The audit log: reading it, taking its head away, and verifying it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlmodel import Session, col, select

from api.staff import pages
from api.staff.pages import StaffRoute
from api.staff.session import At, Here
from models import access, audit, division
from models.access import Act
from models.account import Account
from models.audit import Deed, Head
from models.database import reading, writing

router = APIRouter(prefix="/staff/audit", route_class=StaffRoute, include_in_schema=False)
PAGE = 100
Before = Annotated[int | None, Query(ge=1, le=2**62)]
Wanted = Annotated[str, Query(max_length=64)]


@router.get("")
def show(
    request: Request,
    at: At,
    here: Here,
    before: Before = None,
    deed: Wanted = "",
    actor: Wanted = "",
    complaint: Wanted = "",
) -> Response:
    """Show events, newest first."""
    access.require(here.account, Act.READ_AUDIT)
    about = _id(complaint)
    with reading(at.engine) as session:
        sight = audit.sight(session, here.account)
        events = audit.recent(
            session,
            before=before,
            size=PAGE,
            complaint_id=about,
            actor=actor,
            deed=deed,
            within=sight,
        )
        head = audit.head(session)
        called = _called(session, here.account)
    return pages.render(
        request,
        "audit.html",
        here,
        events=events,
        head=head,
        called=called,
        deeds=tuple(Deed),
        deed=deed,
        actor=actor,
        complaint=complaint if about else "",
        verdict=None,
        more=events[-1].seq if len(events) == PAGE else None,
    )


@router.get("/head")
def head(at: At, here: Here) -> Response:
    """Give the head of the chain as a file to be kept elsewhere."""
    access.require(here.account, Act.READ_AUDIT)
    with reading(at.engine) as session:
        newest = audit.head(session)
    return Response(
        f"{newest}\n",
        media_type="text/plain",
        headers={"Content-Disposition": f'attachment; filename="audit-head-{newest.seq}.txt"'},
    )


@router.post("/verify")
def verify(
    request: Request,
    at: At,
    here: Here,
    head: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Follow the chain from its beginning, against a head that was kept if one is given."""
    access.require(here.account, Act.READ_AUDIT)
    kept = Head.parse(head) if head.strip() else None
    with reading(at.engine) as session:
        verdict = audit.verify(session, at.keys, kept)
    with writing(at.engine) as session:
        details = {"events": verdict.count, "whole": verdict.fault is None}
        audit.append(session, at.keys, str(here.account.id), Deed.AUDIT_READ, details=details)
    return pages.render(request, "verdict.html", here, verdict=verdict, against=kept)


def _called(session: Session, account: Account) -> dict[str, str]:
    shared = division.prefix(account.division)
    rows = session.exec(select(Account).where(col(Account.division).startswith(shared)))
    return {str(one.id): one.name or one.username for one in rows}


def _id(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None
