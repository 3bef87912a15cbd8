"""Alerts, findings, tokens, settings, states."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("detector", sa.String(128), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("alert_type", sa.String(128), nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("first_seen", sa.Float(53), nullable=False),
        sa.Column("last_seen", sa.Float(53), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_newest", "alerts", ["last_seen", "id"])
    op.create_index("ix_alerts_key", "alerts", ["detector", "key", "first_seen"])
    op.create_index("ix_alerts_status", "alerts", ["status", "last_seen", "id"])
    op.create_index("ix_alerts_severity", "alerts", ["severity", "last_seen", "id"])
    op.create_index("ix_alerts_type", "alerts", ["alert_type", "last_seen", "id"])
    op.create_table(
        "alert_subjects",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("alert_id", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_alert_subjects_alert_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("kind", "subject", "alert_id", name="pk_alert_subjects"),
    )
    op.create_index("ix_alert_subjects_alert", "alert_subjects", ["alert_id"])
    op.create_table(
        "findings",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("recommendation", sa.String(128), nullable=False),
        sa.Column("endpoint_id", sa.String(16), nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
    )
    op.create_index("ix_findings_order", "findings", ["severity", "endpoint", "id"])
    op.create_index("ix_findings_status", "findings", ["status", "severity", "endpoint", "id"])
    op.create_index("ix_findings_endpoint", "findings", ["endpoint_id"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("secret_hash", sa.String(128), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53)),
        sa.Column("last_used_at", sa.Float(53)),
        sa.Column("revoked_at", sa.Float(53)),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
    )
    op.create_table(
        "detector_settings",
        sa.Column("detector", sa.String(128), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("detector", name="pk_detector_settings"),
    )
    op.create_table(
        "states",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_states"),
    )


def downgrade() -> None:
    for name in ("states", "detector_settings", "tokens", "findings", "alert_subjects", "alerts"):
        op.drop_table(name)
