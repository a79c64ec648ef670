"""The receipt: how a report stands, answers to hear, consent, additions, withdrawal."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from api import ranges
from api.citizen.door import Door, of
from api.citizen.reports import Asked, Contents
from api.programs.bearer import Written
from api.programs.receipts import guarded
from models import following, receipt
from models.database import reading, writing
from models.errors import Refused
from models.stored import StoredFile

router = APIRouter(include_in_schema=False, prefix="/receipt")
AtDoor = Annotated[Door, Depends(of)]


class Agreed(Asked):
    """The reporter's answer about training."""

    agreed: bool


@router.get("/state")
async def state(request: Request, door: AtDoor, written: Written) -> dict[str, Any]:
    """Tell how a report stands and what the office has answered."""
    house = door.house

    def find(digits: str) -> following.Following | None:
        with reading(house.engine) as session:
            return following.follow(session, house.keys, digits)

    stands = await guarded(house, request, written, find)
    answers = [
        {"from": "office", "text": one.text, "sound": one.medium and str(one.medium), "at": one.at}
        for one in stands.answers
    ]
    return {
        "state": stands.status.value,
        "channel": stands.channel,
        "language": stands.language,
        "open": stands.open,
        "may_withdraw": stands.may_withdraw,
        "consent": stands.training_consent,
        "messages": answers,
    }


@router.get("/answers/{medium_id}", response_class=Response)
async def sound(request: Request, door: AtDoor, written: Written, medium_id: UUID) -> Response:
    """Give a spoken answer."""
    house = door.house

    def find(digits: str) -> StoredFile | None:
        with reading(house.engine) as session:
            return following.spoken_answer(session, house.keys, digits, medium_id)

    file = await guarded(house, request, written, find)
    return await run_in_threadpool(ranges.respond, request, house.blobs, file)


@router.put("/consent")
async def consent(
    request: Request, door: AtDoor, written: Written, said: Agreed
) -> dict[str, bool]:
    """Note whether the recording may teach the machine its language."""
    house = door.house

    def note(digits: str) -> UUID | None:
        with writing(house.engine) as session:
            found = following.consent(session, house.keys, digits, said.agreed)
            return None if found is None else found.id

    await guarded(house, request, written, note)
    return {"agreed": said.agreed}


@router.post("/withdrawal")
async def withdrawal(request: Request, door: AtDoor, written: Written) -> dict[str, str]:
    """Withdraw a report that nobody has accepted yet."""
    house = door.house

    def withdraw(digits: str) -> str | None:
        with writing(house.engine) as session:
            if following.by_receipt(session, house.keys, digits) is None:
                return None
            return following.withdraw(session, house.keys, digits).status.value

    return {"state": await guarded(house, request, written, withdraw)}


@router.post("/additions", status_code=202)
async def additions(
    request: Request, door: AtDoor, written: Written, sent: Contents
) -> dict[str, bool]:
    """Add recordings, photographs or text to a report; sent again, they are added once."""
    house = door.house

    def find(digits: str) -> UUID | None:
        with reading(house.engine) as session:
            found = following.by_receipt(session, house.keys, digits)
            return None if found is None else found.id

    complaint_id = await guarded(house, request, written, find)
    await run_in_threadpool(_add, door, complaint_id, sent, receipt.parse(written))
    return {"added": True}


def _add(door: Door, complaint_id: UUID, sent: Contents, digits: str) -> None:
    ticket = door.tickets.of(sent.token)
    with ticket.lock:
        if ticket.answer is not None:
            return
        parts = door.uploads.parts(ticket.token, sent.uploads)
        try:
            door.house.intake.add(complaint_id, parts, sent.text)
        except Refused:
            door.uploads.taken(sent.uploads)
            raise
        door.uploads.taken(sent.uploads)
        ticket.answer = {"added": door.house.keys.digest("added", digits.encode())}
