"""Remediation activities, exceptions from recommendations, and watching traffic after a containment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _activities()
    op.create_table(
        "remediation_exceptions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("recommendation", sa.String(128), nullable=False),
        sa.Column("collection_id", sa.String(64), nullable=False),
        sa.Column("endpoint_id", sa.String(16), nullable=False),
        sa.Column("ended", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_remediation_exceptions_newest", "remediation_exceptions", ["created_at", "id"])
    op.create_index("ix_remediation_exceptions_ended", "remediation_exceptions", ["ended", "created_at"])
    op.add_column("findings", sa.Column("exception", sa.String(40), nullable=False, server_default=""))
    op.add_column("containments", sa.Column("recovering", sa.Integer, nullable=False, server_default="0"))
    op.create_index("ix_containments_recovering", "containments", ["recovering", "created_at"])


def _activities() -> None:
    op.create_table(
        "remediations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("recommendation", sa.String(128), nullable=False),
        sa.Column("incident", sa.BigInteger, nullable=False),
        sa.Column("assigned_to", sa.String(256), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("due_at", sa.Float(53)),
        sa.Column("completed_at", sa.Float(53)),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_remediations_newest", "remediations", ["created_at", "id"])
    op.create_index("ix_remediations_completed", "remediations", ["completed_at"])
    op.create_index("ix_remediations_incident", "remediations", ["incident", "created_at"])
    op.create_table(
        "remediation_targets",
        sa.Column("activity", sa.String(36), primary_key=True),
        sa.Column("endpoint_id", sa.String(16), primary_key=True),
        sa.Column("finding", sa.String(64), nullable=False),
        sa.Column("fixed", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_index("ix_containments_recovering", "containments")
    op.drop_column("containments", "recovering")
    op.drop_column("findings", "exception")
    for table in ("remediation_exceptions", "remediation_targets", "remediations"):
        op.drop_table(table)
