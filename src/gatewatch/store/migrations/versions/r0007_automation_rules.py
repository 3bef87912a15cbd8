"""Automation rules, their runs, and what each change made different."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WAITING = sa.text("waiting = 1")


def upgrade() -> None:
    op.add_column("changes", sa.Column("difference", sa.LargeBinary))
    op.create_table(
        "automation_rules",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("due", sa.Float(53), nullable=False, server_default="0"),
        sa.Column("matched", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("matched_at", sa.Float(53), nullable=False, server_default="0"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_automation_rules"),
    )
    op.create_table(
        "rule_runs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("about", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False, server_default="0"),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_runs"),
    )
    op.create_index("ix_rule_runs_newest", "rule_runs", ["at", "id", "outcome"])
    op.create_index("ix_rule_runs_rule", "rule_runs", ["rule", "at", "id", "outcome"])
    op.create_index("ix_rule_runs_subject", "rule_runs", ["about", "subject", "at", "id"])
    op.create_index("ix_rule_runs_waiting", "rule_runs", ["at", "id"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_table(
        "automation_progress",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_automation_progress"),
    )


def downgrade() -> None:
    op.drop_table("automation_progress")
    op.drop_table("rule_runs")
    op.drop_table("automation_rules")
    op.drop_column("changes", "difference")
