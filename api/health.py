"""Whether this process lives, and whether all that it needs does."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from api import house
from api.house import House
from models import database

router = APIRouter(tags=["health"])
PULSE_SECONDS = 1.0


class Health(BaseModel):
    """What answers, asked just now.

    status : ready if all do; degraded if only the queue is away, when reports are still taken in
    and wait for it; down if reports cannot be taken in
    """

    status: Literal["ready", "degraded", "down"]
    database: bool
    queue: bool
    blobs: bool


READY = {"status": "ready", "database": True, "queue": True, "blobs": True}
AWAY = {"status": "degraded", "database": True, "queue": False, "blobs": True}


def ask(at: House) -> Health:
    """Ask database, queue and blob store whether they answer."""
    stored, carried, kept = database.alive(at.engine), at.queue.alive(), at.blobs.alive()
    if not (stored and kept):
        status: Literal["ready", "degraded", "down"] = "down"
    else:
        status = "ready" if carried else "degraded"
    return Health(status=status, database=stored, queue=carried, blobs=kept)


class Pulse:
    """Ask at most once a second: anybody may come here, and asking writes to the blob store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._felt: Health | None = None
        self._until = 0.0

    def feel(self, at: House) -> Health:
        """Give what answers, as of a second ago or later."""
        with self._lock:
            if self._felt is None or time.monotonic() >= self._until:
                self._felt = ask(at)
                self._until = time.monotonic() + PULSE_SECONDS
            return self._felt


def pulse(request: Request) -> Pulse:
    """Give the pulse of the application that answers this request."""
    found: Pulse = request.app.state.pulse
    return found


Felt = Annotated[Pulse, Depends(pulse)]


@router.get(
    "/healthz",
    summary="Say that this process lives, and what of its surroundings does",
    response_model=Health,
    responses={200: {"content": {"application/json": {"example": READY}}}},
)
def live(at: Annotated[House, Depends(house.of)], felt: Felt) -> Health:
    """Answer 200 as long as the process works: restarting it mends nothing else."""
    return felt.feel(at)


@router.get(
    "/readyz",
    summary="Say whether everything answers",
    response_model=Health,
    responses={
        200: {"content": {"application/json": {"example": READY}}},
        503: {"model": Health, "content": {"application/json": {"example": AWAY}}},
    },
)
def ready(at: Annotated[House, Depends(house.of)], felt: Felt, response: Response) -> Health:
    """Answer 200 if all of them answer, else 503 and which do not."""
    health = felt.feel(at)
    response.status_code = 200 if health.status == "ready" else 503
    return health
