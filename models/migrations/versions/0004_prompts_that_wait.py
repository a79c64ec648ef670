"""Recordings of prompts that wait to be made playable everywhere"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("prompt") as batch_op:
        batch_op.add_column(sa.Column("waiting", sa.String(), nullable=False, server_default=""))
    # What old phones do not play is converted now that it can be, and heard as it is until then.
    op.execute("UPDATE prompt SET waiting = blob WHERE mime NOT IN ('audio/mpeg', 'audio/mp4')")


def downgrade() -> None:
    op.execute("DELETE FROM prompt WHERE blob = ''")
    with op.batch_alter_table("prompt") as batch_op:
        batch_op.drop_column("waiting")
