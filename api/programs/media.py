"""Transcripts, originals and listening copies of one complaint."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from api import house, ranges
from api.house import House
from api.programs import describe
from api.programs.bearer import Staff
from models import casework, webvtt
from models.database import writing
from models.record import TranscriptRecord

router = APIRouter(prefix="/v1/complaints/{complaint_id}/media/{medium_id}", tags=["complaints"])
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="the newest unless given")]
SOUND: describe.Responses = {
    **describe.file("audio/*", "image/*"),
    **describe.problems(401, 403, 404, 416, 422, 503),
}


@router.get(
    "/transcript",
    summary="Read a transcript",
    response_model=TranscriptRecord,
    responses={
        **describe.answer(describe.TRANSCRIPT),
        **describe.problems(401, 403, 404, 422, 503),
    },
)
def transcript(
    at: Annotated[House, Depends(house.of)],
    account: Staff,
    complaint_id: UUID,
    medium_id: UUID,
    version: Version = None,
) -> TranscriptRecord:
    """Give a transcript with its segments, words, times and doubts."""
    with writing(at.engine) as session:
        return casework.transcript(
            session, at.keys, account, complaint_id, medium_id, version=version
        )


@router.get(
    "/transcript.vtt",
    summary="Read a transcript as WebVTT",
    response_class=Response,
    responses={
        **describe.text(describe.WEBVTT, webvtt.MEDIA_TYPE),
        **describe.problems(401, 403, 404, 422, 503),
    },
)
def subtitles(
    at: Annotated[House, Depends(house.of)],
    account: Staff,
    complaint_id: UUID,
    medium_id: UUID,
    version: Version = None,
) -> Response:
    """Give a transcript that players show in time with the recording."""
    with writing(at.engine) as session:
        record = casework.transcript(
            session, at.keys, account, complaint_id, medium_id, version=version
        )
    return Response(webvtt.write(record), media_type=webvtt.MEDIA_TYPE)


@router.get(
    "/original",
    summary="Fetch the untouched original",
    response_class=Response,
    responses=SOUND,
)
def original(
    request: Request,
    at: Annotated[House, Depends(house.of)],
    account: Staff,
    complaint_id: UUID,
    medium_id: UUID,
) -> Response:
    """Give the bytes that came in, which needs the permission; each fetch is recorded."""
    with writing(at.engine) as session:
        file = casework.original(session, at.keys, account, complaint_id, medium_id)
    return ranges.respond(request, at.blobs, file, name=f"{medium_id}.original")


@router.get(
    "/copy",
    summary="Play the listening copy, or see the photograph",
    response_class=Response,
    responses=SOUND,
)
def copy(
    request: Request,
    at: Annotated[House, Depends(house.of)],
    account: Staff,
    complaint_id: UUID,
    medium_id: UUID,
) -> Response:
    """Give the copy that every browser plays, without place and device, also in ranges."""
    with writing(at.engine) as session:
        file = casework.listening_copy(session, at.keys, account, complaint_id, medium_id)
    return ranges.respond(request, at.blobs, file)
