"""The page of one complaint, and what is done to its transcripts there."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api import ranges
from api.staff import desk, inbox, pages, reading
from api.staff.pages import StaffRoute
from api.staff.reading import Reader
from api.staff.session import At, Here
from models import access, audit, casework, database, dossier, fields, presence, review, search
from models.access import Act
from models.audit import Deed
from models.database import writing
from models.medium import Medium
from models.review import Correction
from models.transcript import Transcript

router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)


Read = Annotated[Reader, Depends(reading.of)]


class Played(BaseModel):
    """A stretch that was played, in seconds."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    start: float = Field(ge=0, le=1e6)
    end: float = Field(ge=0, le=1e6)


class Heard(BaseModel):
    """What somebody has heard of a recording. missing : numbers of segments not played yet"""

    ranges: list[tuple[float, float]]
    missing: list[int]


class Saved(BaseModel):
    """The version that was made."""

    version: int


@dataclass(frozen=True)
class Change:
    """A stretch of a text beside another. kind : same, gone or new"""

    kind: str
    text: str


@dataclass(frozen=True)
class Compared:
    """One segment of time in three versions: as recognised, tidied, and as it stands now."""

    start: float
    end: float
    raw: tuple[Change, ...]
    tidy: str
    newest: tuple[Change, ...]


@router.get("/complaints/{complaint_id}")
def show(request: Request, at: At, here: Here, complaint_id: UUID) -> Response:
    """Show one complaint, and remember who looked."""
    access.require(here.account, Act.READ)
    wanted = inbox.of_request(request)
    with writing(at.engine) as session:
        complaint = access.find(session, here.account, complaint_id)
        presence.arrive(session, complaint_id, here.account.id)
        shown = desk.gather(session, here, complaint)
        newer, older = search.neighbours(
            session, here.account, inbox.query_of(here, wanted), complaint_id
        )
        audit.append(session, at.keys, str(here.account.id), Deed.LOOKED, complaint_id)
    return pages.render(
        request,
        "review.html",
        here,
        desk=shown,
        newer=newer,
        older=older,
        asked=wanted,
        tail=wanted.address().partition("?")[2],
        codes=at.codes,
        ranks=fields.RANKS,
    )


@router.get("/complaints/{complaint_id}/print")
def print_view(request: Request, at: At, here: Here, complaint_id: UUID) -> Response:
    """Show one complaint on paper."""
    with writing(at.engine) as session:
        complaint = access.find(session, here.account, complaint_id)
        access.require(here.account, Act.READ)
        shown = desk.gather(session, here, complaint)
        audit.append(
            session, at.keys, str(here.account.id), Deed.LOOKED, complaint_id, {"print": True}
        )
    return pages.render(request, "print.html", here, desk=shown, codes=at.codes)


@router.get("/complaints/{complaint_id}/here")
def who_is_here(request: Request, at: At, here: Here, complaint_id: UUID) -> Response:
    """Say who else has it open, and that we still do."""
    with writing(at.engine) as session:
        complaint = access.find(session, here.account, complaint_id)
        presence.arrive(session, complaint_id, here.account.id)
        others = presence.others(session, complaint_id, here.account.id)
    return JSONResponse({"names": list(others), "version": complaint.version})


@router.get("/complaints/{complaint_id}/media/{medium_id}/copy")
def copy(request: Request, at: At, here: Here, complaint_id: UUID, medium_id: UUID) -> Response:
    """Play the listening copy, or show the photograph."""
    with writing(at.engine) as session:
        file = casework.listening_copy(session, at.keys, here.account, complaint_id, medium_id)
    return ranges.respond(request, at.blobs, file)


@router.get("/complaints/{complaint_id}/media/{medium_id}/original")
def original(request: Request, at: At, here: Here, complaint_id: UUID, medium_id: UUID) -> Response:
    """Fetch the untouched original, which needs the permission."""
    with writing(at.engine) as session:
        file = casework.original(session, at.keys, here.account, complaint_id, medium_id)
    return ranges.respond(request, at.blobs, file, name=f"{medium_id}.original")


@router.get("/complaints/{complaint_id}/media/{medium_id}/peaks")
def peaks(at: At, here: Here, complaint_id: UUID, medium_id: UUID) -> Response:
    """Give the waveform: int8 pairs, lowest and highest."""
    with database.reading(at.engine) as session:
        medium = review.voice(session, here.account, complaint_id, medium_id)
    return Response(
        medium.peaks or b"",
        media_type="application/octet-stream",
        headers={"X-Peaks-Rate": str(medium.peaks_rate or 0)},
    )


@router.get("/complaints/{complaint_id}/media/{medium_id}/transcript")
def transcript(
    request: Request, at: At, here: Here, complaint_id: UUID, medium_id: UUID
) -> Response:
    """Show the transcript as it stands now, to be put in place of the one on the page."""
    with database.reading(at.engine) as session:
        complaint = access.find(session, here.account, complaint_id)
        medium = review.voice(session, here.account, complaint_id, medium_id)
        gathered = dossier.gather(session, complaint)
        shown = desk.gather(session, here, complaint)
        one = next(one for one in shown.sounds if one.medium.id == medium.id)
        del gathered
    return pages.render(request, "transcript.html", here, desk=shown, sound=one)


@router.post("/complaints/{complaint_id}/media/{medium_id}/transcript")
def correct(
    at: At,
    here: Here,
    reader: Read,
    complaint_id: UUID,
    medium_id: UUID,
    correction: Correction,
) -> Saved:
    """Save a new version."""
    reader.warm()
    with writing(at.engine) as session:
        made = review.correct(session, at.keys, here.account, complaint_id, medium_id, correction)
        reader.again(session, complaint_id)
    return Saved(version=made.version)


@router.post("/complaints/{complaint_id}/media/{medium_id}/accept")
def accept(
    request: Request,
    at: At,
    here: Here,
    reader: Read,
    complaint_id: UUID,
    medium_id: UUID,
    version: Annotated[int, Form(ge=1)],
) -> Response:
    """Accept the newest version."""
    reader.warm()
    with writing(at.engine) as session:
        review.accept(session, at.keys, here.account, complaint_id, medium_id, version)
        reader.again(session, complaint_id)
    if pages.wants_page(request):
        return pages.back(request, f"/staff/complaints/{complaint_id}")
    return Response(status_code=204)


@router.post("/complaints/{complaint_id}/media/{medium_id}/heard")
def heard(at: At, here: Here, complaint_id: UUID, medium_id: UUID, played: Played) -> Heard:
    """Record that seconds were played."""
    access.require(here.account, Act.TRANSCRIBE)
    with writing(at.engine) as session:
        medium = review.voice(session, here.account, complaint_id, medium_id)
        stretches = review.hear(session, here.account, medium, played.start, played.end)
        newest = review.newest(session, medium_id)
        segments = newest.read_segments() if newest is not None else ()
    return Heard(ranges=list(stretches), missing=list(review.unheard(segments, stretches)))


@router.put("/complaints/{complaint_id}/media/{medium_id}/draft")
def keep_draft(
    at: At, here: Here, complaint_id: UUID, medium_id: UUID, correction: Correction
) -> Response:
    """Keep what is being written."""
    access.require(here.account, Act.TRANSCRIBE)
    with writing(at.engine) as session:
        review.voice(session, here.account, complaint_id, medium_id)
        review.save_draft(session, here.account, medium_id, correction)
    return Response(status_code=204)


@router.delete("/complaints/{complaint_id}/media/{medium_id}/draft")
def drop_draft(at: At, here: Here, complaint_id: UUID, medium_id: UUID) -> Response:
    """Forget what was being written."""
    with writing(at.engine) as session:
        review.voice(session, here.account, complaint_id, medium_id)
        review.drop_draft(session, here.account, medium_id)
    return Response(status_code=204)


@router.get("/complaints/{complaint_id}/media/{medium_id}/compare")
def compare(
    request: Request,
    at: At,
    here: Here,
    complaint_id: UUID,
    medium_id: UUID,
    base: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Show the versions of a transcript side by side with what changed."""
    with writing(at.engine) as session:
        complaint = access.find(session, here.account, complaint_id)
        medium = review.voice(session, here.account, complaint_id, medium_id)
        gathered = dossier.gather(session, complaint)
        rows = [row for row in gathered.transcripts if row.medium_id == medium.id]
        shown = desk.gather(session, here, complaint)
        one = next(one for one in shown.sounds if one.medium.id == medium.id)
        first = next((row for row in rows if row.version == base), rows[0] if rows else None)
        audit.append(
            session,
            at.keys,
            str(here.account.id),
            Deed.TRANSCRIPT_READ,
            complaint_id,
            {"medium": str(medium_id), "compared": True},
        )
    return pages.render(
        request,
        "compare.html",
        here,
        desk=shown,
        sound=one,
        base=first,
        lines=_compared(gathered, medium, first, rows[-1]) if first else (),
    )


def _compared(
    gathered: dossier.Dossier, medium: Medium, first: Transcript, newest: Transcript
) -> tuple[Compared, ...]:
    """Put what was said at the same time beside each other."""
    hide = gathered.masker.hide_segments
    old = hide(medium.id, first.read_segments())
    new = hide(medium.id, newest.read_segments())
    edges = sorted({one.start for one in old})
    if not edges:
        edges = sorted({one.start for one in new})
    made = []
    for place, start in enumerate(edges):
        after = edges[place + 1] if place + 1 < len(edges) else float("inf")
        begin = start if place else 0.0
        before = [one for one in old if begin <= one.start < after]
        now = [one for one in new if begin <= (one.start + one.end) / 2 < after]
        raw, written = " ".join(o.text for o in before), " ".join(n.text for n in now)
        gone, added = changes(raw, written)
        last = max([one.end for one in [*before, *now]], default=start)
        made.append(Compared(start, last, gone, " ".join(o.tidy for o in before), added))
    return tuple(made)


def changes(old: str, new: str) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Cut two texts where they differ."""
    gone: list[Change] = []
    added: list[Change] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            gone.append(Change("same", old[a:b]))
            added.append(Change("same", new[c:d]))
            continue
        if b > a:
            gone.append(Change("gone", old[a:b]))
        if d > c:
            added.append(Change("new", new[c:d]))
    return tuple(gone), tuple(added)
