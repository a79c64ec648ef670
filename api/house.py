"""What one web process holds for as long as it runs."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Engine

from api.limits import Limiter
from ingest.accept import Intake
from ingest.blobs import Blobs
from ingest.queue import Queue
from models.clocks import Holidays
from models.codes import Codes
from models.keys import Keys
from models.settings import Settings


@dataclass(frozen=True)
class House:
    """The ports and settings that routes hand down; made once by `api.app.create_app`."""

    settings: Settings
    engine: Engine
    keys: Keys
    blobs: Blobs
    queue: Queue
    intake: Intake
    limiter: Limiter
    codes: Codes
    holidays: Holidays


def of(request: Request) -> House:
    """Give the house of the application that answers this request."""
    house: House = request.app.state.house
    return house
