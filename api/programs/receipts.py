"""GET /v1/report: what a reporter learns with a receipt."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api import address as addresses
from api import house, ranges
from api.house import House
from api.limits import Limiter
from api.programs import describe
from api.programs.bearer import Written
from models import following
from models import receipt as receipts
from models.codes import Name
from models.database import reading
from models.following import Answer, ReporterView
from models.status import Status
from models.stored import StoredFile

router = APIRouter(prefix="/v1", tags=["reports"])
# Well above what any look-up takes; whatever takes longer is rounded up to the next multiple.
FLOOR_SECONDS = 0.25

Found = TypeVar("Found")

STATES = {
    Status.RECEIVED: Name(zh="已收到，正在处理。", en="Received, and being prepared."),
    Status.READY: Name(zh="已收到，等工作人员查看。", en="Received; staff will look at it."),
    Status.NEEDS_LISTENER: Name(
        zh="已收到，等懂您语言的工作人员来听。",
        en="Received; someone who speaks your language will listen.",
    ),
    Status.IN_REVIEW: Name(zh="工作人员正在查看。", en="Staff are looking at it."),
    Status.ACCEPTED: Name(zh="已经受理。", en="Accepted."),
    Status.PASSED_UP: Name(zh="已交给上一级机关。", en="Passed to the level above."),
    Status.TRANSFERRED: Name(zh="已转给有关机关办理。", en="Passed to the body in charge."),
    Status.VERIFYING: Name(zh="正在核查。", en="Being verified."),
    Status.CONCLUDED: Name(zh="核查有了结论。", en="Verified; there is a result."),
    Status.RECTIFYING: Name(zh="正在整改。", en="Being put right."),
    Status.ARCHIVED: Name(zh="已经办结。", en="Closed."),
    Status.WITHDRAWN: Name(zh="您已经撤回。", en="Withdrawn by you."),
}


class ReportState(BaseModel):
    """Where the report stands, as a code and in words, and what the office answered."""

    status: Status
    zh: str
    en: str
    received_at: datetime
    answers: tuple[Answer, ...]


EXAMPLE = {
    "status": "verifying",
    "zh": "正在核查。",
    "en": "Being verified.",
    "received_at": "2026-03-02T08:15:30Z",
    "answers": [{"text": "已经派人到村里核对名单。", "medium": None, "at": "2026-03-05T02:00:00Z"}],
}


@router.get(
    "/report",
    summary="Ask what became of a report",
    responses={**describe.answer(EXAMPLE), **describe.problems(401, 404, 422, 429, 503)},
)
async def look(
    request: Request, at: Annotated[House, Depends(house.of)], written: Written
) -> ReportState:
    """Tell the state and the office's answers; a wrong receipt takes as long as a right one."""
    view = await guarded(at, request, written, lambda digits: _view(at, digits))
    words = STATES[view.status]
    return ReportState(
        status=view.status,
        zh=words.zh,
        en=words.en,
        received_at=view.received_at,
        answers=view.answers,
    )


@router.get(
    "/report/answers/{medium_id}",
    summary="Hear what the office answered",
    response_class=Response,
    responses={
        **describe.file("audio/*"),
        **describe.problems(401, 404, 416, 422, 429, 503),
    },
)
async def hear(
    request: Request, at: Annotated[House, Depends(house.of)], written: Written, medium_id: UUID
) -> Response:
    """Give a spoken answer of the office, also in ranges."""

    def find(digits: str) -> StoredFile | None:
        with reading(at.engine) as session:
            return following.spoken_answer(session, at.keys, digits, medium_id)

    file = await guarded(at, request, written, find)
    return await run_in_threadpool(ranges.respond, request, at.blobs, file)


async def guarded(
    at: House, request: Request, written: str, find: Callable[[str], Found | None]
) -> Found:
    """Look something up by a receipt within the limit on guesses, and answer no sooner than always.

    find : gives None where the receipt is unknown
    """
    address = addresses.of(request, at.settings.proxies)
    began = time.monotonic()
    try:
        return await run_in_threadpool(_try, at.limiter, address, written, find)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(remaining(time.monotonic() - began))


def remaining(elapsed: float) -> float:
    """Tell how long to wait so that the whole takes a multiple of the floor."""
    return FLOOR_SECONDS - elapsed % FLOOR_SECONDS


def _try(
    limiter: Limiter, address: str | None, written: str, find: Callable[[str], Found | None]
) -> Found:
    limiter.may_guess(address)
    found = find(receipts.parse(written))
    if found is None:
        limiter.guessed_wrong(address)
        raise following.unknown_receipt()
    return found


def _view(at: House, digits: str) -> ReporterView | None:
    with reading(at.engine) as session:
        return following.reporter_view(session, at.keys, digits)
