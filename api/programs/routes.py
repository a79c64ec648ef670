"""All routes of the first version of the interface."""

from __future__ import annotations

from fastapi import APIRouter

from api.programs import complaints, media, receipts, reports, schemas

ROUTERS: tuple[APIRouter, ...] = (
    reports.router,
    receipts.router,
    complaints.router,
    media.router,
    schemas.router,
)
