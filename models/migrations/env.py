"""Run migrations against the engine that `models.database` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString, SQLModel

from models.columns import EnumText, UtcDateTime


def _plain_types(kind: str, item: Any, _: object) -> str | Literal[False]:
    # Migrations are history: they name no class of today's code.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EnumText | AutoString):
        return "sa.String()"
    return False


def _migrate() -> None:
    engine = context.config.attributes["engine"]
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            render_as_batch=True,
            render_item=_plain_types,
        )
        with context.begin_transaction():
            context.run_migrations()


_migrate()
