"""Indexes that give every page of alerts without sorting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert_subjects", sa.Column("last_seen", sa.Float(53), nullable=False, server_default="0"))
    op.execute(
        "UPDATE alert_subjects SET last_seen = (SELECT last_seen FROM alerts WHERE alerts.id = alert_subjects.alert_id)"
    )
    op.create_index("ix_alert_subjects_newest", "alert_subjects", ["kind", "subject", "last_seen", "alert_id"])
    op.drop_index("ix_alerts_status", "alerts")
    op.drop_index("ix_alerts_severity", "alerts")
    op.create_index("ix_alerts_state", "alerts", ["status", "severity", "last_seen", "id"])
    op.create_index("ix_alerts_detector", "alerts", ["detector", "last_seen", "id"])


def downgrade() -> None:
    op.drop_index("ix_alerts_detector", "alerts")
    op.drop_index("ix_alerts_state", "alerts")
    op.create_index("ix_alerts_severity", "alerts", ["severity", "last_seen", "id"])
    op.create_index("ix_alerts_status", "alerts", ["status", "last_seen", "id"])
    op.drop_index("ix_alert_subjects_newest", "alert_subjects")
    op.drop_column("alert_subjects", "last_seen")
