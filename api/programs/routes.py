"""All routes of the first version of the interface."""

from __future__ import annotations

from fastapi import APIRouter

from api.programs import complaints, media, receipts, reports, schemas

router = APIRouter()
for each in (reports, receipts, complaints, media, schemas):
    router.include_router(each.router)
