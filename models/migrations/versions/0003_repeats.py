"""The index in which a report's repeats are found"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repeat_trace",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
            name=op.f("fk_repeat_trace_complaint_id_complaint"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_repeat_trace")),
        sa.UniqueConstraint("complaint_id", name=op.f("uq_repeat_trace_complaint_id")),
    )
    op.create_table(
        "repeat_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trace", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "trace", name=op.f("pk_repeat_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_repeat_other_id"), "repeat", ["other_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_repeat_other_id"), table_name="repeat")
    op.drop_table("repeat_key")
    op.drop_table("repeat_trace")
