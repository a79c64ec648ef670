"""All routes of the citizens' door."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from api.citizen import following, pages, reports, tus
from api.citizen.door import Door, open_door
from api.house import House
from models import channels
from models.database import writing

router = APIRouter()
# Tickets lie under the same path as uploads: they come first.
for each in (reports.router, tus.router, following.router, pages.router):
    router.include_router(each)


def close(app: FastAPI) -> None:
    """Let go of what is on its way when the process ends."""
    door: Door = app.state.citizen
    door.uploads.close()


def mount(app: FastAPI, house: House) -> None:
    """Open the door on an application, and make the default channel the first time."""
    with writing(house.engine) as session:
        channels.ensure_default(session, house.settings.default_channel)
    app.state.citizen = open_door(house)
    app.include_router(router)
