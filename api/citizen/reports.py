"""Sending: leave to send, the report once its files are there, and its receipt."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import segno
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api import address, errors
from api.citizen.door import Door, of
from api.errors import MEDIA_TYPE
from ingest import submission
from ingest.accept import About
from models import channels
from models.complaint import IdentityMode
from models.database import reading
from models.errors import Refused

router = APIRouter(include_in_schema=False)
AtDoor = Annotated[Door, Depends(of)]
ADDITIONS = "additions"
PROOF_STATUS = 428
CODE = r"^[a-z0-9-]{0,40}$"
KEY = r"^[0-9a-f]{32}$"
UPLOAD_ID = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{20,60}$")]


class Asked(BaseModel):
    """A body that a page sends; a field that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LeaveAsked(Asked):
    """Ask for leave to send. channel : "" for an addition to a report; proof : solved challenge."""

    channel: str = Field(pattern=CODE)
    key: str = Field(pattern=KEY)
    proof: str = Field("", max_length=4_000)


class Contents(Asked):
    """What was uploaded under a ticket, in order, and what was typed."""

    token: str = Field(min_length=20, max_length=100)
    key: str = Field(pattern=KEY)
    uploads: tuple[UPLOAD_ID, ...] = Field((), max_length=20, strict=False)
    text: str = ""


class Sent(Contents):
    """A whole report."""

    channel: str = Field(pattern=CODE)
    language: str = Field("", max_length=35)
    identity: Literal["anonymous", "real_name"] = "anonymous"
    name: str = Field("", max_length=200)
    contact: str = Field("", max_length=200)
    upward: bool = False


@router.post("/uploads/tickets")
def leave(request: Request, asked: LeaveAsked, door: AtDoor) -> Any:
    """Give leave to send one report, after some work where a limit is near."""
    submission.parse(asked.key)
    known = door.tickets.known(asked.key)
    if known is not None:
        return {"token": known.token}
    limiter, limited = door.house.limiter, asked.channel or ADDITIONS
    if asked.channel:
        with reading(door.house.engine) as session:
            channels.opened(session, asked.channel)
    came_from = address.of(request, door.house.settings.proxies)
    if limiter.near(limited, came_from) and not door.proofs.accepts(asked.proof):
        return _work_first(door)
    limiter.submit_address(came_from)
    limiter.submit_channel(limited)
    return {"token": door.tickets.issue(asked.key).token}


def _work_first(door: Door) -> JSONResponse:
    problem = errors.Problem(
        title="Precondition Required",
        status=PROOF_STATUS,
        code="proof_needed",
        zh="手机需要先算一下，请稍等。",
        en="The phone has to compute for a moment first: please wait.",
    )
    body = problem.model_dump(mode="json") | {"challenge": door.proofs.challenge()}
    return JSONResponse(body, PROOF_STATUS, media_type=MEDIA_TYPE)


@router.post("/reports", status_code=202)
def receive(sent: Sent, door: AtDoor) -> dict[str, Any]:
    """Make the report of its uploads; sent again, it gives the same receipt."""
    about = About(
        channel=sent.channel,
        declared_language=sent.language,
        identity_mode=IdentityMode(sent.identity),
        reporter_name=sent.name,
        reporter_contact=sent.contact,
        text=sent.text,
        upward_only=sent.upward,
    )
    ticket = door.tickets.of(sent.token)
    with ticket.lock:
        if ticket.answer is not None:
            return ticket.answer
        parts = door.uploads.parts(ticket.token, sent.uploads)
        try:
            acknowledged = door.house.intake.accept(parts, about, ticket.key)
        except Refused:
            # Intake has removed the parts. Where a database failed, they stay for the next try.
            door.uploads.taken(sent.uploads)
            raise
        door.uploads.taken(sent.uploads)
        ticket.answer = {"receipt": acknowledged.receipt, "qr": picture(acknowledged.receipt)}
        return ticket.answer


def picture(digits: str) -> list[str]:
    """Draw digits as a QR code: rows of 0 and 1. Only the digits, so that no address is kept."""
    code = segno.make(digits, error="m", micro=False)
    return ["".join("1" if dark else "0" for dark in row) for row in code.matrix]
