"""The database: SQLite in WAL with immediate transactions, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event, inspect, make_url, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, create_engine

import models.account
import models.channel
import models.complaint
import models.event
import models.export
import models.medium
import models.presence
import models.trace
import models.transcript  # noqa: F401  every table must be known before metadata is used
from models import index
from models import keys as key_file
from models.errors import Misconfigured, Unavailable
from models.event import Deployment
from models.keys import Keys
from models.settings import Settings

BUSY_MS = 15_000
index.watch()


def connect(url: str) -> Engine:
    """Open an engine. PostgreSQL addresses without a driver use psycopg 3."""
    address = make_url(url)
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    # Parameters hold what people said: they never reach a log or an error text.
    options: dict[str, Any] = {"hide_parameters": True}
    if address.drivername.startswith("sqlite"):
        engine = create_engine(address, **options)
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return create_engine(address, pool_pre_ping=True, **options)


def _tune_sqlite(connection: Any, _: object) -> None:
    # The driver's own transactions start deferred and lose concurrent updates; we begin ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"busy_timeout={BUSY_MS}",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Open a session that commits at the end, or rolls back when anything is raised."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.commit()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open a session for queries only; on SQLite it never waits for a writer."""
    with Session(engine.execution_options(reading=True), expire_on_commit=False) as session:
        yield session


def alembic_config(engine: Engine) -> Config:
    """Point Alembic at the packaged migrations and this engine."""
    config = Config()
    config.set_main_option("script_location", str(files("models").joinpath("migrations")))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to a revision."""
    command.upgrade(alembic_config(engine), revision)


def open_database(settings: Settings) -> tuple[Engine, Keys]:
    """Open database and key together, creating both if the database is empty.

    Raise Misconfigured if the key does not match, Unavailable if the database does not answer.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    engine = connect(settings.database)
    try:
        empty = not inspect(engine).has_table("deployment")
    except OperationalError as error:
        raise Unavailable(
            "数据库没有回应，请稍后再试，或检查 XIANGYIN_DATABASE_URL。",
            "The database does not answer: try again later, or check XIANGYIN_DATABASE_URL.",
            code="database_unavailable",
        ) from error
    path = settings.keys
    keys = key_file.create(path) if empty and not path.exists() else key_file.load(path)
    migrate(engine)
    _match(engine, keys)
    _keep_index(engine)
    return engine, keys


def _keep_index(engine: Engine) -> None:
    """Write the search index anew if a version that wrote it otherwise made it."""
    with reading(engine) as session:
        known = session.get(Deployment, "index")
    if known is not None and known.value == index.VERSION:
        return
    index.rebuild(engine)
    with writing(engine) as session:
        session.merge(Deployment(name="index", value=index.VERSION))


def _match(engine: Engine, keys: Keys) -> None:
    """Remember the key's fingerprint in a new database; refuse a key that is not its own."""
    with writing(engine) as session:
        known = session.get(Deployment, "key")
        if known is None:
            session.add(Deployment(name="key", value=keys.fingerprint))
        elif known.value != keys.fingerprint:
            raise Misconfigured(
                "密钥与数据库不匹配：请从备份恢复原来的密钥文件，不要另建新的。",
                "The key does not match this database: restore its own key file from your backup "
                "and do not make a new one.",
                code="key_mismatch",
            )


def alive(engine: Engine) -> bool:
    """Tell whether the database answers a query."""
    try:
        with reading(engine) as session:
            session.connection().execute(text("SELECT 1"))
    except OperationalError:
        return False
    return True
