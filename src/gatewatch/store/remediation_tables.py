"""Tables of remediation."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, String, Table

from gatewatch.store.tables import METADATA

__all__ = ["exceptions", "remediation_targets", "remediations"]

remediations = Table(
    "remediations",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("type", String(32), nullable=False),
    Column("recommendation", String(128), nullable=False),
    Column("incident", BigInteger, nullable=False),
    Column("assigned_to", String(256), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("due_at", Float(53)),
    Column("completed_at", Float(53)),
    Column("body", LargeBinary, nullable=False),
    Index("ix_remediations_newest", "created_at", "id"),
    Index("ix_remediations_completed", "completed_at"),
    Index("ix_remediations_incident", "incident", "created_at"),
)

remediation_targets = Table(
    "remediation_targets",
    METADATA,
    Column("activity", String(36), primary_key=True),
    Column("endpoint_id", String(16), primary_key=True),
    Column("finding", String(64), nullable=False),
    Column("fixed", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""A row of its own for each: an activity may have thousands, of which few change at a time."""

exceptions = Table(
    "remediation_exceptions",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("recommendation", String(128), nullable=False),
    Column("collection_id", String(64), nullable=False),
    Column("endpoint_id", String(16), nullable=False),
    Column("ended", Integer, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_remediation_exceptions_newest", "created_at", "id"),
    Index("ix_remediation_exceptions_ended", "ended", "created_at"),
)
