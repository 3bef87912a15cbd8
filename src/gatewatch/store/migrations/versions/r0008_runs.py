"""Playbooks, their runs, and the questions that runs put to people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _questions()
    _containments()


def _runs() -> None:
    op.create_table(
        "playbooks",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("enabled", sa.Integer, nullable=False, server_default="0"),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("playbook", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(128), nullable=False),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("coalesce", sa.Text, nullable=False, server_default=""),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_runs_newest", "runs", ["created_at", "id"])
    op.create_index("ix_runs_state", "runs", ["state", "created_at", "id"])
    op.create_index("ix_runs_playbook", "runs", ["playbook", "created_at", "id"])
    op.create_index("ix_runs_incident", "runs", ["incident", "created_at", "id"])
    op.create_index("ix_runs_subject", "runs", ["subject_kind", "subject_id", "created_at"])
    op.create_table(
        "run_steps",
        sa.Column("run", sa.String(64), primary_key=True),
        sa.Column("path", sa.String(300), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.Float(53), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "target_locks",
        sa.Column("target", sa.String(256), primary_key=True),
        sa.Column("holder", sa.String(400), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("taken_at", sa.Float(53), nullable=False),
    )


def _questions() -> None:
    op.create_table(
        "questions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("settled_at", sa.Float(53)),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_questions_newest", "questions", ["created_at", "id"])
    op.create_index("ix_questions_open", "questions", ["settled_at", "created_at", "id"])
    op.create_index("ix_questions_run", "questions", ["run"])
    op.create_index("ix_questions_incident", "questions", ["incident", "created_at"])
    op.create_table(
        "answers",
        sa.Column("question", sa.String(64), primary_key=True),
        sa.Column("by_id", sa.String(128), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "answer_links",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("option", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(256), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("used_at", sa.Float(53)),
    )


def _containments() -> None:
    op.create_table(
        "containments",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("gateway", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("finished", sa.Integer, nullable=False),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_containments_newest", "containments", ["created_at", "id"])
    op.create_index("ix_containments_unfinished", "containments", ["finished", "gateway", "created_at"])
    op.create_index("ix_containments_incident", "containments", ["incident", "created_at"])


def downgrade() -> None:
    people = ("answer_links", "answers", "questions")
    for name in ("containments", "target_locks", *people, "run_steps", "runs", "playbooks"):
        op.drop_table(name)
