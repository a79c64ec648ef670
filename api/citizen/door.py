"""What the citizens' door holds for as long as the process runs."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from api.citizen import words
from api.citizen.assets import Assets
from api.citizen.proof import Proofs
from api.citizen.tickets import Tickets
from api.citizen.uploads import Uploads
from api.house import House


@dataclass(frozen=True)
class Door:
    """Made once by `api.citizen.routes.mount`."""

    house: House
    assets: Assets
    tickets: Tickets
    uploads: Uploads
    proofs: Proofs


def open_door(house: House) -> Door:
    """Read the page's files and begin with nothing on its way."""
    return Door(
        house=house,
        assets=Assets(words.DOOR / "static"),
        tickets=Tickets(),
        uploads=Uploads(house.intake, house.settings.limits),
        proofs=Proofs(house.keys),
    )


def of(request: Request) -> Door:
    """Give the door of the application that answers this request."""
    door: Door = request.app.state.citizen
    return door
