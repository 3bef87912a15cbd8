"""Targets of export and what they refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export_targets",
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("paused", sa.Integer, nullable=False, server_default="0"),
        sa.Column("week", sa.String(8), nullable=False, server_default=""),
        sa.Column("delivered", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("walk", sa.LargeBinary),
        sa.Column("asked", sa.LargeBinary),
        sa.PrimaryKeyConstraint("target", name="pk_export_targets"),
    )
    op.create_table(
        "export_letters",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("snapshot", sa.String(8), nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("refused_at", sa.Float(53), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("resend", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_export_letters"),
    )
    op.create_index("ix_export_letters_newest", "export_letters", ["target", "refused_at", "id"])
    op.create_index("ix_export_letters_resend", "export_letters", ["target", "resend", "refused_at", "id"])


def downgrade() -> None:
    op.drop_table("export_letters")
    op.drop_table("export_targets")
