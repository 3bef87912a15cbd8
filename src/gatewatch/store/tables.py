"""The control store's tables. Alembic's migrations must add up to exactly this (tested)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

__all__ = ["METADATA", "alert_subjects", "alerts", "detector_settings", "findings", "states", "tokens"]

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

alerts = Table(
    "alerts",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("detector", String(128), nullable=False),
    Column("key", String(64), nullable=False),
    Column("alert_type", String(128), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("first_seen", Float(53), nullable=False),
    Column("last_seen", Float(53), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_alerts_newest", "last_seen", "id"),
    Index("ix_alerts_key", "detector", "key", "first_seen"),
    Index("ix_alerts_state", "status", "severity", "last_seen", "id"),
    Index("ix_alerts_detector", "detector", "last_seen", "id"),
    Index("ix_alerts_type", "alert_type", "last_seen", "id"),
)
"""`body` is the whole alert (MessagePack); the other columns are what lists filter and sort by."""

alert_subjects = Table(
    "alert_subjects",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("subject", String(512), primary_key=True),
    Column("alert_id", String(64), ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("last_seen", Float(53), nullable=False, server_default="0"),
    Index("ix_alert_subjects_alert", "alert_id"),
    Index("ix_alert_subjects_newest", "kind", "subject", "last_seen", "alert_id"),
)
"""Actors, addresses and endpoints of alerts, to filter by; `last_seen` of the alert spares pages the sorting."""

findings = Table(
    "findings",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("recommendation", String(128), nullable=False),
    Column("endpoint_id", String(16), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_findings_order", "severity", "endpoint", "id"),
    Index("ix_findings_status", "status", "severity", "endpoint", "id"),
    Index("ix_findings_endpoint", "endpoint_id"),
)

tokens = Table(
    "tokens",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("role", String(16), nullable=False),
    Column("secret_hash", String(128), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53)),
    Column("last_used_at", Float(53)),
    Column("revoked_at", Float(53)),
)

detector_settings = Table(
    "detector_settings",
    METADATA,
    Column("detector", String(128), primary_key=True),
    Column("settings", Text, nullable=False),
    Column("changed_at", Float(53), nullable=False),
)

states = Table(
    "states",
    METADATA,
    Column("name", String(128), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
)
