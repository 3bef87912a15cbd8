"""Tickets of other systems that stand for incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_links",
        sa.Column("connection", sa.String(64), primary_key=True),
        sa.Column("ticket", sa.String(128), primary_key=True),
        sa.Column("incident", sa.BigInteger, nullable=False),
        sa.Column("synced_at", sa.Float(53), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_ticket_links_incident", "ticket_links", ["incident"])
    op.create_table(
        "ticket_polls",
        sa.Column("connection", sa.String(64), primary_key=True),
        sa.Column("polled_at", sa.Float(53), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("ticket_polls")
    op.drop_table("ticket_links")
