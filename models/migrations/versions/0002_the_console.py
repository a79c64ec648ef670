"""The index for searching, exports, who is here, and when something was heard"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_entry",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("terms", sa.LargeBinary().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
            name=op.f("fk_search_entry_complaint_id_complaint"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_search_entry")),
        sa.UniqueConstraint("complaint_id", name=op.f("uq_search_entry_complaint_id")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Without a pending list no search has to read what was not merged yet.
        op.execute(
            "CREATE INDEX ix_search_entry_terms ON search_entry USING gin (terms) "
            "WITH (fastupdate = off)"
        )
    else:
        op.execute(
            "CREATE VIRTUAL TABLE complaint_terms USING fts5(terms, content='', columnsize=0, "
            "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M* Co' tokenchars '_'\")"
        )
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("blob", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_export_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_account_id"), "export", ["account_id"])
    op.create_table(
        "presence",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_presence_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
            name=op.f("fk_presence_complaint_id_complaint"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("complaint_id", "account_id", name=op.f("pk_presence")),
    )
    with op.batch_alter_table("heard") as batch_op:
        batch_op.add_column(
            sa.Column(
                "at",
                sa.DateTime(timezone=True),
                nullable=False,
                server_default=sa.text("CURRENT_TIMESTAMP"),
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("heard") as batch_op:
        batch_op.drop_column("at")
    op.drop_table("presence")
    op.drop_index(op.f("ix_export_account_id"), table_name="export")
    op.drop_table("export")
    if op.get_bind().dialect.name != "postgresql":
        op.execute("DROP TABLE complaint_terms")
    op.drop_table("search_entry")
