"""Incidents, the audit log and the log of changes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PENDING, _CONCLUDED = sa.text("pending = 1"), sa.text("classification != 'unknown'")
_NEW: dict[str, tuple[sa.types.TypeEngine[Any], str]] = {
    "incident": (sa.BigInteger(), "0"),
    "pending": (sa.Integer(), "1"),
    "tactic": (sa.String(32), ""),
    "calls": (sa.BigInteger(), "0"),
    "detected_at": (sa.Float(53), "0"),
    "created_at": (sa.Float(53), "0"),
    "changed_at": (sa.Float(53), "0"),
    "classification": (sa.String(32), "unknown"),
    "determination": (sa.String(40), "unknown"),
    "assigned_to": (sa.String(256), ""),
}
_INDEXES = {
    "ix_alerts_incident": ["incident", "first_seen", "id"],
    "ix_alerts_changed": ["changed_at", "id"],
    "ix_alerts_created": ["created_at", "id"],
}
_REFUSE = {
    "sqlite": tuple(
        f"CREATE TRIGGER activities_no_{verb} BEFORE {verb} ON activities BEGIN"
        f" SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        for verb in ("update", "delete")
    ),
    "postgresql": (
        """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$""",
        """CREATE TRIGGER activities_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON activities
           FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    ),
}
_TABLES = ("suppressions", "counters", "changes", "activities", "incident_tags", "incident_entities", "incidents")


def upgrade() -> None:
    for name, (kind, default) in _NEW.items():
        op.add_column("alerts", sa.Column(name, kind, nullable=False, server_default=default))
    # Alerts of before are looked at by correlation like new ones; pollers see them as created when they were seen.
    op.execute("UPDATE alerts SET detected_at = first_seen, created_at = first_seen, changed_at = last_seen")
    for name, columns in _INDEXES.items():
        op.create_index(name, "alerts", columns)
    op.drop_index("ix_alerts_newest", "alerts")
    op.create_index("ix_alerts_newest", "alerts", ["last_seen", "id", "first_seen"])
    op.create_index(
        "ix_alerts_pending", "alerts", ["first_seen", "id"], sqlite_where=_PENDING, postgresql_where=_PENDING
    )
    op.create_index(
        "ix_alerts_concluded",
        "alerts",
        ["detector", "classification"],
        sqlite_where=_CONCLUDED,
        postgresql_where=_CONCLUDED,
    )
    _create_incidents()
    _create_logs()
    for statement in _REFUSE[op.get_bind().dialect.name]:
        op.execute(statement)
    op.execute("INSERT INTO counters (name, value) VALUES ('case', 0), ('incident', 0), ('activity', 0), ('change', 0)")


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("classification", sa.String(32), nullable=False),
        sa.Column("determination", sa.String(40), nullable=False),
        sa.Column("assigned_to", sa.String(256), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("updated_at", sa.Float(53), nullable=False),
        sa.Column("last_activity", sa.Float(53), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_incidents_updated", "incidents", ["updated_at", "id"])
    op.create_index("ix_incidents_created", "incidents", ["created_at", "id"])
    op.create_index("ix_incidents_state", "incidents", ["status", "severity", "updated_at", "id"])
    op.create_index("ix_incidents_priority", "incidents", ["priority", "id"])
    op.create_index("ix_incidents_owner", "incidents", ["assigned_to", "updated_at", "id"])
    op.create_table(
        "incident_entities",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("value", sa.String(512), primary_key=True),
        sa.Column("incident", sa.BigInteger, primary_key=True),
        sa.Column("first_seen", sa.Float(53), nullable=False),
        sa.Column("last_seen", sa.Float(53), nullable=False),
    )
    op.create_index("ix_incident_entities_newest", "incident_entities", ["kind", "value", "last_seen", "incident"])
    op.create_index("ix_incident_entities_incident", "incident_entities", ["incident", "kind", "value"])
    op.create_table(
        "incident_tags",
        sa.Column("tag", sa.String(128), primary_key=True),
        sa.Column("incident", sa.BigInteger, primary_key=True),
    )
    op.create_index("ix_incident_tags_incident", "incident_tags", ["incident"])


def _create_logs() -> None:
    op.create_table(
        "activities",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("incident", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_activities_incident", "activities", ["incident", "number"])
    op.create_index("ix_activities_subject", "activities", ["subject", "subject_id", "number"])
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_index("ix_changes_at", "changes", ["at"])
    op.create_table(
        "counters",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "suppressions",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("incident", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "suppressions",
        "counters",
        "changes",
        "activities",
        "incident_tags",
        "incident_entities",
        "incidents",
    ):
        op.drop_table(table)
    op.drop_index("ix_alerts_newest", "alerts")
    op.create_index("ix_alerts_newest", "alerts", ["last_seen", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
    for name in ("ix_alerts_concluded", "ix_alerts_pending", *_INDEXES):
        op.drop_index(name, "alerts")
    for name in reversed(_NEW):
        op.drop_column("alerts", name)
