"""The control store's tables. Alembic's migrations must add up to exactly this (tested)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

__all__ = [
    "METADATA",
    "activities",
    "alert_subjects",
    "alerts",
    "automation_progress",
    "automation_rules",
    "changes",
    "counters",
    "detector_settings",
    "export_letters",
    "export_targets",
    "findings",
    "incident_entities",
    "incident_tags",
    "incidents",
    "leases",
    "reviews",
    "rule_runs",
    "scores",
    "states",
    "subscriptions",
    "suppressions",
    "ticket_links",
    "ticket_polls",
    "tokens",
]

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_PENDING, _CONCLUDED = text("pending = 1"), text("classification != 'unknown'")
_MERGED = text("redirect_to != 0")

_SELECTED = ("status", "severity", "classification", "determination", "assigned_to", "incident", "detector")
"""What lists by condition look at: with these in the index they read no alert but those of the page."""

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
    Column("incident", BigInteger, nullable=False, server_default="0"),
    Column("pending", Integer, nullable=False, server_default="1"),
    Column("tactic", String(32), nullable=False, server_default=""),
    Column("calls", BigInteger, nullable=False, server_default="0"),
    Column("detected_at", Float(53), nullable=False, server_default="0"),
    Column("created_at", Float(53), nullable=False, server_default="0"),
    Column("changed_at", Float(53), nullable=False, server_default="0"),
    Column("classification", String(32), nullable=False, server_default="unknown"),
    Column("determination", String(40), nullable=False, server_default="unknown"),
    Column("assigned_to", String(256), nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
    # `first_seen` too: an older stretch of time is found in the index without reading a million alerts.
    Index("ix_alerts_newest", "last_seen", "id", "first_seen"),
    Index("ix_alerts_key", "detector", "key", "first_seen"),
    Index("ix_alerts_state", "status", "severity", "last_seen", "id"),
    Index("ix_alerts_detector", "detector", "last_seen", "id"),
    Index("ix_alerts_type", "alert_type", "last_seen", "id"),
    Index("ix_alerts_incident", "incident", "first_seen", "id"),
    Index("ix_alerts_changed", "changed_at", "id", "created_at", *_SELECTED),
    Index("ix_alerts_created", "created_at", "id", "changed_at", *_SELECTED),
    Index("ix_alerts_concluded", "detector", "classification", sqlite_where=_CONCLUDED, postgresql_where=_CONCLUDED),
    Index("ix_alerts_pending", "first_seen", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
)
"""`body` is the whole alert (MessagePack); the other columns are what lists filter and sort by. `pending`: its incident
has not looked at its last change."""

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

incidents = Table(
    "incidents",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("classification", String(32), nullable=False),
    Column("determination", String(40), nullable=False),
    Column("assigned_to", String(256), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("updated_at", Float(53), nullable=False),
    Column("last_activity", Float(53), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("redirect_to", BigInteger, nullable=False, server_default="0"),
    Column("body", LargeBinary, nullable=False),
    Index("ix_incidents_merged", "redirect_to", "id", sqlite_where=_MERGED, postgresql_where=_MERGED),
    Index("ix_incidents_updated", "updated_at", "id"),
    Index("ix_incidents_created", "created_at", "id"),
    Index("ix_incidents_state", "status", "severity", "updated_at", "id"),
    Index("ix_incidents_priority", "priority", "id"),
    Index("ix_incidents_owner", "assigned_to", "updated_at", "id"),
)

incident_entities = Table(
    "incident_entities",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("value", String(512), primary_key=True),
    Column("incident", BigInteger, primary_key=True),
    Column("first_seen", Float(53), nullable=False),
    Column("last_seen", Float(53), nullable=False),
    Index("ix_incident_entities_newest", "kind", "value", "last_seen", "incident"),
    Index("ix_incident_entities_incident", "incident", "kind", "value"),
)
"""What correlation looks incidents up by; `network` and `rule` besides the kinds of entities that people see."""

incident_tags = Table(
    "incident_tags",
    METADATA,
    Column("tag", String(128), primary_key=True),
    Column("incident", BigInteger, primary_key=True),
    Index("ix_incident_tags_incident", "incident"),
)

activities = Table(
    "activities",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("subject", String(16), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("incident", BigInteger, nullable=False),
    Column("action", String(32), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_activities_incident", "incident", "number"),
    Index("ix_activities_subject", "subject", "subject_id", "number"),
)
"""The audit log; the schema refuses to change or delete a row."""

changes = Table(
    "changes",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("at", Float(53), nullable=False),
    Column("difference", LargeBinary),
    Index("ix_changes_at", "at"),
)
"""What changed, in order of commit; exporters and automation rules follow it."""

counters = Table(
    "counters",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""`case` is also the lock that puts all writers of alerts, incidents and activities in one order."""

suppressions = Table(
    "suppressions",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("incident", BigInteger, nullable=False, server_default="0"),
    Column("body", LargeBinary, nullable=False),
)

reviews = Table(
    "reviews",
    METADATA,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("updated_at", Float(53), nullable=False),
    Column("signed_at", Float(53)),
    Column("body", LargeBinary, nullable=False),
)

ticket_links = Table(
    "ticket_links",
    METADATA,
    Column("connection", String(64), primary_key=True),
    Column("ticket", String(128), primary_key=True),
    Column("incident", BigInteger, nullable=False),
    Column("synced_at", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_ticket_links_incident", "incident"),
)

ticket_polls = Table(
    "ticket_polls",
    METADATA,
    Column("connection", String(64), primary_key=True),
    Column("polled_at", Float(53), nullable=False),
)

subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

findings = Table(
    "findings",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("recommendation", String(128), nullable=False),
    Column("endpoint_id", String(16), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("exception", String(40), nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
    Index("ix_findings_order", "severity", "endpoint", "id"),
    Index("ix_findings_status", "status", "severity", "endpoint", "id"),
    Index("ix_findings_endpoint", "endpoint_id"),
    # The secure score reads all of it, and nothing else.
    Index("ix_findings_judged", "recommendation", "status", "endpoint_id"),
)

scores = Table(
    "scores",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("day", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_scores_day", "day", "number"),
)
"""Snapshots of the secure score; `day` since 1970, UTC."""

leases = Table(
    "leases",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("until", Float(53), nullable=False),
)
"""Who does what only one server may do, until when by the database's own clock (Unix seconds)."""

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

export_targets = Table(
    "export_targets",
    METADATA,
    Column("target", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("paused", Integer, nullable=False, server_default="0"),
    Column("week", String(8), nullable=False, server_default=""),
    Column("delivered", BigInteger, nullable=False, server_default="0"),
    Column("walk", LargeBinary),
    Column("asked", LargeBinary),
)
"""How far each target of export is; `walk` is the pass at work, `asked` one that somebody wishes."""

export_letters = Table(
    "export_letters",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("target", String(64), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("snapshot", String(8), nullable=False, server_default=""),
    Column("reason", Text, nullable=False),
    Column("refused_at", Float(53), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("resend", Integer, nullable=False, server_default="0"),
    Index("ix_export_letters_newest", "target", "refused_at", "id"),
    Index("ix_export_letters_resend", "target", "resend", "refused_at", "id"),
)
"""What a target refused for good, by name only."""

_WAITING = text("waiting = 1")

automation_rules = Table(
    "automation_rules",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("due", Float(53), nullable=False, server_default="0"),
    Column("matched", BigInteger, nullable=False, server_default="0"),
    Column("matched_at", Float(53), nullable=False, server_default="0"),
    Column("body", LargeBinary, nullable=False),
)
"""`position` is the rule's order; `due` the moment up to which its schedule was carried out."""

rule_runs = Table(
    "rule_runs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("about", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("waiting", Integer, nullable=False, server_default="0"),
    Column("at", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_rule_runs_newest", "at", "id", "outcome"),
    Index("ix_rule_runs_rule", "rule", "at", "id", "outcome"),
    Index("ix_rule_runs_subject", "about", "subject", "at", "id"),
    Index("ix_rule_runs_waiting", "at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
)
"""One rule, one event; the id is made of both, so that there is one run of them whatever happens."""

automation_progress = Table(
    "automation_progress",
    METADATA,
    Column("name", String(16), primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How far the log of changes was worked off."""
