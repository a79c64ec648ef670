"""An upgrade has what old phones do not play converted, and it is heard until then."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from models import prompts
from models.database import connect, migrate, reading


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def bare(request: pytest.FixtureRequest, tmp_path):  # type: ignore[no-untyped-def]
    """A database with nothing in it."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'bare.db'}")
    else:
        engine = connect(request.getfixturevalue("postgres_url"))
    yield engine
    engine.dispose()


def test_recorded_prompts_are_converted_after_an_upgrade(bare: Engine) -> None:
    migrate(bare, "0003")
    with bare.begin() as connection:
        for name, mime in (("welcome", "audio/webm"), ("record", "audio/mpeg")):
            connection.execute(
                sa.text(
                    "INSERT INTO prompt (channel_code, language, name, blob, mime, seconds, "
                    "settings, created_at) VALUES ('', 'bo', :name, :blob, :mime, 2, '{}', "
                    "'2026-01-01 00:00:00+00:00')"
                ),
                {"name": name, "mime": mime, "blob": f"prompts/{name}"},
            )
    migrate(bare)
    with reading(bare) as session:
        old = prompts.find(session, "", "bo", "welcome")
        assert old is not None and old.blob == old.waiting == "prompts/welcome"
        fine = prompts.find(session, "", "bo", "record")
        assert fine is not None and fine.waiting == ""
