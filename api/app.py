"""The web application, put together in one place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from redis import Redis

from api import errors, health
from api.access_log import AccessLog
from api.citizen import routes as citizen
from api.headers import SecurityHeaders
from api.house import House
from api.limits import Limiter
from api.linger import Linger
from api.programs import describe, routes
from api.staff import routes as console
from ingest.accept import Intake
from ingest.blobs import open_blobs
from ingest.queue import Queue, RedisQueue
from models import clocks, codes
from models.database import open_database
from models.errors import Misconfigured
from models.logs import configure as configure_logs
from models.settings import Settings

QUEUE_SECONDS = 2.0


def create_app(settings: Settings | None = None, *, queue: Queue | None = None) -> FastAPI:
    """Read the settings, open what they name, and give the application that serves it.

    queue : stands behind the port instead of the Redis that the settings name
    """
    settings = settings or Settings()
    configure_logs(settings.log_level, "serve")
    house = open_house(settings, queue)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        citizen.close(app)
        house.engine.dispose()

    app = FastAPI(
        title="乡音 Xiangyin",
        version=describe.VERSION,
        description=describe.DESCRIPTION,
        lifespan=lifespan,
        # The pages that the framework brings load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        openapi_tags=describe.TAGS,
    )
    app.state.house = house
    app.state.pulse = health.Pulse()
    errors.install(app)
    for router in (health.router, *routes.ROUTERS):
        app.include_router(router)
    describe.keep_examples(app, (health.router, *routes.ROUTERS))
    citizen.mount(app, house)
    console.install(app, house, secure=settings.base_url.startswith("https:"))
    # The last one added is the outermost.
    app.add_middleware(Linger)
    app.add_middleware(SecurityHeaders, secure=settings.base_url.startswith("https:"))
    app.add_middleware(AccessLog)
    return app


def open_house(settings: Settings, queue: Queue | None = None) -> House:
    """Open database, key, blob store and queue as the settings say."""
    engine, keys = open_database(settings)
    blobs = open_blobs(settings.blobs, keys, settings.data / "staging")
    queue = queue or _redis_queue(settings)
    holidays = clocks.load(settings.holidays)
    return House(
        settings=settings,
        engine=engine,
        keys=keys,
        blobs=blobs,
        queue=queue,
        intake=Intake(
            engine,
            keys,
            blobs,
            queue,
            settings.limits,
            default_channel=settings.default_channel,
            idempotency_hours=settings.idempotency_hours,
            retention_years=settings.retention_years,
            holidays=holidays,
        ),
        limiter=Limiter(settings.rates),
        codes=codes.load(settings.codes),
        holidays=holidays,
    )


def _redis_queue(settings: Settings) -> RedisQueue:
    if not settings.redis_url:
        raise Misconfigured(
            "没有队列：请用 xiangyin up 启动，或设置 XIANGYIN_REDIS_URL。",
            "There is no queue: start with `xiangyin up`, or set XIANGYIN_REDIS_URL.",
            code="no_queue",
        )
    return RedisQueue(
        Redis.from_url(
            settings.redis_url,
            socket_timeout=QUEUE_SECONDS,
            socket_connect_timeout=QUEUE_SECONDS,
        )
    )
