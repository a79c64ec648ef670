"""Database and key belong together, and SQLite loses no update."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models import database
from models.errors import Misconfigured
from models.event import Deployment
from models.settings import Settings


def test_an_empty_database_gets_its_key(tmp_path: Path) -> None:
    _, made = database.open_database(Settings(data=tmp_path))
    _, again = database.open_database(Settings(data=tmp_path))
    assert made == again


def test_a_lost_key_is_asked_for_and_not_made_anew(tmp_path: Path) -> None:
    database.open_database(Settings(data=tmp_path))
    (tmp_path / "key").unlink()
    with pytest.raises(Misconfigured, match="backup"):
        database.open_database(Settings(data=tmp_path))
    assert not (tmp_path / "key").exists()


def test_a_foreign_key_is_refused(tmp_path: Path) -> None:
    database.open_database(Settings(data=tmp_path / "one"))
    database.open_database(Settings(data=tmp_path / "two"))
    (tmp_path / "one" / "key").write_text((tmp_path / "two" / "key").read_text())
    with pytest.raises(Misconfigured, match="does not match"):
        database.open_database(Settings(data=tmp_path / "one"))


def test_concurrent_increments_are_all_kept(tmp_path: Path) -> None:
    engine, _ = database.open_database(Settings(data=tmp_path))
    with database.writing(engine) as session:
        session.add(Deployment(name="count", value="0"))

    def increment(_: int) -> None:
        with database.writing(engine) as session:
            row = session.get_one(Deployment, "count")
            row.value = str(int(row.value) + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increment, range(200)))
    with database.reading(engine) as session:
        assert session.get_one(Deployment, "count").value == "200"
    engine.dispose()


def test_an_error_shows_no_values(tmp_path: Path) -> None:
    engine, _ = database.open_database(Settings(data=tmp_path))
    with pytest.raises(Exception) as raised, database.writing(engine) as session:
        session.add(Deployment(name="key", value="the village head took it"))
        session.flush()
    assert "village head" not in str(raised.value)
    engine.dispose()
