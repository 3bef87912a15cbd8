"""Snapshots of the secure score, leases, and the index that the score is counted from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_scores_day", "scores", ["day", "number"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
    )
    op.create_index("ix_findings_judged", "findings", ["recommendation", "status", "endpoint_id"])
    op.execute("INSERT INTO counters (name, value) VALUES ('score', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM counters WHERE name = 'score'")
    op.drop_index("ix_findings_judged", "findings")
    op.drop_table("leases")
    op.drop_table("scores")
