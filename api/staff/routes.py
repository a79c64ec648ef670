"""All routes of the console."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.middleware.sessions import SessionMiddleware

from api.house import House
from api.staff import (
    audit,
    channels,
    exports,
    figures,
    inbox,
    login,
    prompts,
    queue,
    record,
    review,
    session,
    static,
)
from api.staff.reading import Reader


def install(app: FastAPI, house: House, *, secure: bool) -> None:
    """Put the console into the application."""
    app.state.reader = Reader(house.engine, house.keys)
    router = APIRouter()
    for part in (login, inbox, review, record, exports, queue, audit, figures, static):
        router.include_router(part.router)
    for part in (channels, prompts):
        router.include_router(part.router)
    app.include_router(router)
    app.add_middleware(
        SessionMiddleware,
        secret_key=house.keys.derive(session.PURPOSE).hex(),
        session_cookie=session.COOKIE,
        path=session.PATH,
        max_age=session.HOURS * 3600,
        same_site="lax",
        https_only=secure,
    )
