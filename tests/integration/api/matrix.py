"""Who may pass through which door: every route of the application, and every kind of visitor.

A new route that is not in `DOORS` fails the matrix test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import FastAPI
from starlette.routing import Mount

from models.account import Permission, Role
from tests.cases import CITY, COUNTY, NATION, NEIGHBOUR, PROVINCE


class Door(StrEnum):
    """What it takes to pass."""

    PUBLIC = "public"
    RECEIPT = "receipt"
    LIST = "list"
    READ = "read"
    IDENTITY = "identity"
    ORIGINAL = "original"


@dataclass(frozen=True)
class Route:
    """A route as a visitor tries it. ok : the status for whoever may pass"""

    door: Door
    ok: int = 200
    query: str = ""


RECORD = "/v1/complaints/{complaint_id}"
MEDIUM = RECORD + "/media/{medium_id}"

DOORS: dict[tuple[str, str], tuple[Route, ...]] = {
    ("GET", "/healthz"): (Route(Door.PUBLIC),),
    ("GET", "/readyz"): (Route(Door.PUBLIC),),
    ("GET", "/v1/openapi.json"): (Route(Door.PUBLIC),),
    ("GET", "/v1/schemas/complaint.json"): (Route(Door.PUBLIC),),
    ("GET", "/v1/codes"): (Route(Door.PUBLIC),),
    # Without a form in it: that anybody may send one is tested where reports are.
    ("POST", "/v1/reports"): (Route(Door.PUBLIC, ok=415),),
    ("GET", "/v1/report"): (Route(Door.RECEIPT),),
    ("GET", "/v1/report/answers/{medium_id}"): (Route(Door.RECEIPT),),
    ("GET", "/v1/complaints"): (Route(Door.LIST),),
    ("GET", RECORD): (Route(Door.READ), Route(Door.IDENTITY, query="?identity=true")),
    ("GET", MEDIUM + "/transcript"): (Route(Door.READ),),
    ("GET", MEDIUM + "/transcript.vtt"): (Route(Door.READ),),
    ("GET", MEDIUM + "/copy"): (Route(Door.READ),),
    ("GET", MEDIUM + "/original"): (Route(Door.ORIGINAL),),
    ("GET", "/"): (Route(Door.PUBLIC),),
    ("GET", "/c/{code}"): (Route(Door.PUBLIC),),
    ("GET", "/c/{code}/poster"): (Route(Door.PUBLIC),),
    ("GET", "/c/{code}/poster.svg"): (Route(Door.PUBLIC),),
    ("GET", "/receipt"): (Route(Door.PUBLIC),),
    ("GET", "/citizen/{version}/{file:path}"): (Route(Door.PUBLIC),),
    ("GET", "/prompts/{code}/{tag}/{name}.mp3"): (Route(Door.PUBLIC),),
    ("GET", "/worker.js"): (Route(Door.PUBLIC),),
    ("GET", "/manifest.webmanifest"): (Route(Door.PUBLIC),),
    # Without a body, a protocol version or a ticket: what they do with those has tests of its own.
    ("POST", "/uploads/tickets"): (Route(Door.PUBLIC, ok=422),),
    ("POST", "/uploads"): (Route(Door.PUBLIC, ok=412),),
    ("HEAD", "/uploads/{upload_id}"): (Route(Door.PUBLIC, ok=412),),
    ("PATCH", "/uploads/{upload_id}"): (Route(Door.PUBLIC, ok=412),),
    ("DELETE", "/uploads/{upload_id}"): (Route(Door.PUBLIC, ok=412),),
    ("POST", "/uploads/{upload_id}"): (Route(Door.PUBLIC, ok=412),),
    ("POST", "/reports"): (Route(Door.PUBLIC, ok=422),),
    ("GET", "/receipt/state"): (Route(Door.RECEIPT),),
    ("GET", "/receipt/answers/{medium_id}"): (Route(Door.RECEIPT),),
    ("PUT", "/receipt/consent"): (Route(Door.RECEIPT, ok=422),),
    ("POST", "/receipt/additions"): (Route(Door.RECEIPT, ok=422),),
    ("POST", "/receipt/withdrawal"): (Route(Door.RECEIPT),),
}


@dataclass(frozen=True)
class Visitor:
    """Somebody who tries every route.

    reads : their role reads complaints at all; sees : the one complaint of the matrix is theirs
    more : other fields of the account
    """

    name: str
    role: Role | None = None
    division: str = COUNTY
    reads: bool = True
    sees: bool = True
    permissions: tuple[Permission, ...] = ()
    more: tuple[tuple[str, Any], ...] = ()


ALL = tuple(Permission)
NAMED = "曲木阿呷"
UNIT = "u-qinghe"

# The complaint: held by the county, in Yi, of round r1, about the unit UNIT, NAMED shut out.
R1: tuple[tuple[str, Any], ...] = (("rounds", ["r1"]),)
VISITORS = (
    Visitor("nobody", reads=False, sees=False),
    Visitor("somebody with a false token", reads=False, sees=False),
    Visitor("a listener of the language", Role.LISTENER, more=(*R1, ("languages", ["ii"]))),
    Visitor(
        "a listener with every permission",
        Role.LISTENER,
        permissions=ALL,
        more=(*R1, ("languages", ["ii"])),
    ),
    Visitor(
        "a listener of another language",
        Role.LISTENER,
        sees=False,
        permissions=ALL,
        more=(*R1, ("languages", ["ug"])),
    ),
    Visitor("an inspector", Role.INSPECTOR, more=R1),
    Visitor(
        "an inspector who may see identities",
        Role.INSPECTOR,
        permissions=(Permission.IDENTITY,),
        more=R1,
    ),
    Visitor(
        "an inspector who may fetch originals",
        Role.INSPECTOR,
        permissions=(Permission.ORIGINALS,),
        more=R1,
    ),
    Visitor(
        "an inspector who may export", Role.INSPECTOR, permissions=(Permission.EXPORT,), more=R1
    ),
    Visitor("an inspector of no round", Role.INSPECTOR, sees=False, permissions=ALL),
    Visitor(
        "an inspector of another round",
        Role.INSPECTOR,
        sees=False,
        permissions=ALL,
        more=(("rounds", ["r2"]),),
    ),
    Visitor("a lead", Role.LEAD, more=R1),
    Visitor("a lead with every permission", Role.LEAD, permissions=ALL, more=R1),
    Visitor("a lead of the city above", Role.LEAD, CITY, permissions=ALL, more=R1),
    Visitor("a lead of the province above", Role.LEAD, PROVINCE, permissions=ALL, more=R1),
    Visitor("a lead of the neighbour", Role.LEAD, NEIGHBOUR, sees=False, permissions=ALL, more=R1),
    Visitor(
        "a lead who is named in it",
        Role.LEAD,
        sees=False,
        permissions=ALL,
        more=(*R1, ("name", NAMED)),
    ),
    Visitor(
        "a lead who works for the unit",
        Role.LEAD,
        sees=False,
        permissions=ALL,
        more=(*R1, ("unit_code", UNIT)),
    ),
    Visitor(
        "an overseer", Role.OVERSEER, NATION, reads=False, sees=False, permissions=ALL, more=R1
    ),
    Visitor(
        "an administrator",
        Role.ADMINISTRATOR,
        NATION,
        reads=False,
        sees=False,
        permissions=ALL,
        more=R1,
    ),
)


def expected(route: Route, visitor: Visitor) -> int:
    """Tell which status a visitor is to get."""
    if route.door is Door.PUBLIC:
        return route.ok
    if route.door is Door.RECEIPT or visitor.role is None:
        # A staff token is no receipt.
        return 401
    needed = {Door.IDENTITY: Permission.IDENTITY, Door.ORIGINAL: Permission.ORIGINALS}
    permission = needed.get(route.door)
    lacks = permission is not None and permission not in visitor.permissions
    if not visitor.reads or (lacks and route.door is Door.ORIGINAL):
        return 403
    if route.door is not Door.LIST and not visitor.sees:
        return 404
    return 403 if lacks else route.ok


def every_route(app: FastAPI) -> Iterator[tuple[str, str]]:
    """List the methods and paths of an application, also of routers within routers."""
    for route in app.routes:
        nested = getattr(route, "effective_route_contexts", None)
        for each in nested() if nested is not None else (route,):
            if isinstance(each, Mount):
                yield "GET", f"{each.path}/*"
                continue
            methods = set(getattr(each, "methods", None) or ()) - {"OPTIONS"}
            # HEAD tells no more than the GET beside it.
            for method in sorted(methods - {"HEAD"} if "GET" in methods else methods):
                yield method, each.path
