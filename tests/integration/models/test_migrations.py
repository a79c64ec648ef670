from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlmodel import SQLModel

from models.database import alembic_config, connect, migrate

# SQLite keeps its full-text index in tables of its own, and no model names PostgreSQL's.
FULL_TEXT = "complaint_terms"
FULL_TEXT_INDEX = "ix_search_entry_terms"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def bare(request: pytest.FixtureRequest, tmp_path):  # type: ignore[no-untyped-def]
    """A database with nothing in it."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'bare.db'}")
    else:
        engine = connect(request.getfixturevalue("postgres_url"))
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    names = set(inspect(engine).get_table_names()) - {"alembic_version"}
    return {name for name in names if not name.startswith(FULL_TEXT)}


def modelled(thing: object, name: str | None, kind: str, reflected: bool, _: object) -> bool:
    """Leave the full-text indexes out of a comparison."""
    return not reflected or not str(name).startswith((FULL_TEXT, FULL_TEXT_INDEX))


def test_the_migrations_make_what_the_models_say(bare: Engine) -> None:
    migrate(bare)
    with bare.connect() as connection:
        opts = {"compare_type": True, "include_object": modelled}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, SQLModel.metadata) == []


def test_every_migration_goes_up_and_down_and_up_again(bare: Engine) -> None:
    config = alembic_config(bare)
    steps = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    seen = []
    for step in steps:
        migrate(bare, step.revision)
        seen.append(tables(bare))
    assert seen[-1] == set(SQLModel.metadata.tables)
    for before in [*seen[-2::-1], set()]:
        command.downgrade(config, "-1")
        assert tables(bare) == before
    migrate(bare)
    assert tables(bare) == seen[-1]


def test_migrating_twice_changes_nothing(bare: Engine) -> None:
    migrate(bare)
    before = tables(bare)
    migrate(bare)
    assert tables(bare) == before
