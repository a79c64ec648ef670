"""All routes of the first version of the interface."""

from __future__ import annotations

from fastapi import APIRouter

from api.programs import reports

router = APIRouter()
router.include_router(reports.router)
