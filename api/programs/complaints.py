"""GET /v1/complaints: standard complaints for the programs of inspection staff."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from api import house
from api.house import House
from api.programs import describe
from api.programs.bearer import Staff
from models import casework
from models import listing as lists
from models.database import reading, writing
from models.listing import PAGE, PAGE_MOST, Cursor, Filters, Page
from models.record import StandardComplaint

router = APIRouter(prefix="/v1/complaints", tags=["complaints"])
CURSOR_CHARACTERS = 200
SUMMARY: dict[str, Any] = {
    "id": describe.COMPLAINT_ID,
    "received_at": "2026-03-02T08:15:30Z",
    "due_at": "2026-03-09T15:59:59Z",
    "medium": "voice",
    "channel": "qinghe-clinic",
    "held_by": "510104",
    "round": "",
    "status": "ready",
    "language": "ug",
    "domain": "assistance",
    "conduct": "favouritism",
    "title": "青禾村低保名单没有公示",
    "unit": "青禾村村民委员会",
    "assignee": None,
    "version": 3,
}


class Listing(Filters):
    """Filters, and where in the list to go on. cursor : `next` of the page before"""

    cursor: str = Field("", max_length=CURSOR_CHARACTERS)
    size: int = Field(PAGE, ge=1, le=PAGE_MOST)


@router.get(
    "",
    summary="List complaints, newest first",
    responses={
        **describe.answer({"complaints": [SUMMARY], "next": None}),
        **describe.problems(401, 403, 422, 503),
    },
)
def listing(
    at: Annotated[House, Depends(house.of)], account: Staff, asked: Annotated[Listing, Query()]
) -> Page:
    """List what the token's account sees, page by page."""
    after = Cursor.parse(asked.cursor) if asked.cursor else None
    with reading(at.engine) as session:
        return lists.page(session, account, asked, after=after, size=asked.size)


@router.get(
    "/{complaint_id}",
    summary="Read one complaint as the standard record",
    response_model=StandardComplaint,
    responses={
        **describe.answer(describe.COMPLAINT),
        **describe.problems(401, 403, 404, 422, 503),
    },
)
def read(
    at: Annotated[House, Depends(house.of)],
    account: Staff,
    complaint_id: UUID,
    identity: Annotated[
        bool,
        Query(description="with who reported and nothing masked: needs the permission"),
    ] = False,
) -> StandardComplaint:
    """Give one complaint; each look is recorded."""
    with writing(at.engine) as session:
        return casework.look(session, at.keys, account, complaint_id, identity=identity)
