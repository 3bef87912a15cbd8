"""Indexes from which lists of alerts by condition are answered."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SELECTED = ["status", "severity", "classification", "determination", "assigned_to", "incident", "detector"]
_ORDERED = {
    "ix_alerts_changed": ["changed_at", "id", "created_at"],
    "ix_alerts_created": ["created_at", "id", "changed_at"],
}


def upgrade() -> None:
    for name, columns in _ORDERED.items():
        op.drop_index(name, "alerts")
        op.create_index(name, "alerts", [*columns, *_SELECTED])


def downgrade() -> None:
    for name, columns in _ORDERED.items():
        op.drop_index(name, "alerts")
        op.create_index(name, "alerts", columns[:2])
