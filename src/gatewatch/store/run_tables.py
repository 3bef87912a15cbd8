"""Tables of playbooks and their runs; part of the same schema as `store.tables`."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table, Text

from gatewatch.store.tables import METADATA

__all__ = ["answer_links", "answers", "playbooks", "questions", "run_steps", "runs", "target_locks"]

playbooks = Table(
    "playbooks",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("enabled", Integer, nullable=False, server_default="0"),
    Column("body", LargeBinary, nullable=False),
)

runs = Table(
    "runs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("playbook", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", String(128), nullable=False),
    Column("incident", Integer, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("coalesce", Text, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
    Index("ix_runs_newest", "created_at", "id"),
    Index("ix_runs_state", "state", "created_at", "id"),
    Index("ix_runs_playbook", "playbook", "created_at", "id"),
    Index("ix_runs_incident", "incident", "created_at", "id"),
    Index("ix_runs_subject", "subject_kind", "subject_id", "created_at"),
)

run_steps = Table(
    "run_steps",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("path", String(300), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("started_at", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

questions = Table(
    "questions",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("run", String(64), nullable=False),
    Column("incident", Integer, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("settled_at", Float(53)),
    Column("body", LargeBinary, nullable=False),
    Index("ix_questions_newest", "created_at", "id"),
    Index("ix_questions_open", "settled_at", "created_at", "id"),
    Index("ix_questions_run", "run"),
    Index("ix_questions_incident", "incident", "created_at"),
)

answers = Table(
    "answers",
    METADATA,
    Column("question", String(64), primary_key=True),
    Column("by_id", String(128), primary_key=True),
    Column("at", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Signed decision records; never changed."""

answer_links = Table(
    "answer_links",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("question", String(64), nullable=False),
    Column("option", String(64), nullable=False),
    Column("recipient", String(256), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("used_at", Float(53)),
)
"""One-time tokens, by digest only."""

target_locks = Table(
    "target_locks",
    METADATA,
    Column("target", String(256), primary_key=True),
    Column("holder", String(400), nullable=False),
    Column("run", String(64), nullable=False),
    Column("taken_at", Float(53), nullable=False),
)
