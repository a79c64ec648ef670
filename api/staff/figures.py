"""Figures, for those who oversee and for everybody who wants to know how it goes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.staff import pages
from api.staff.pages import StaffRoute
from api.staff.session import At, Here
from models import figures
from models.database import reading

router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)


@router.get("/figures")
def show(request: Request, at: At, here: Here) -> Response:
    """Show how many there are of what."""
    with reading(at.engine) as session:
        counted = figures.count(session, here.account)
    return pages.render(request, "figures.html", here, figures=counted, codes=at.codes)
