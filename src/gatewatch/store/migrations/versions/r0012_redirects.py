"""Where merged incidents went, as a column, so that what was merged into one is found."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MERGED = sa.text("redirect_to != 0")


class _Body(msgspec.Struct):
    redirect_to: int = 0


def upgrade() -> None:
    op.add_column("incidents", sa.Column("redirect_to", sa.BigInteger, nullable=False, server_default="0"))
    table = sa.table("incidents", sa.column("id"), sa.column("status"), sa.column("redirect_to"), sa.column("body"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(table.c.id, table.c.body).where(table.c.status == "redirected")).all()
    for row in rows:
        target = msgspec.msgpack.decode(row.body, type=_Body).redirect_to
        connection.execute(sa.update(table).where(table.c.id == row.id).values(redirect_to=target))
    op.create_index(
        "ix_incidents_merged", "incidents", ["redirect_to", "id"], sqlite_where=_MERGED, postgresql_where=_MERGED
    )


def downgrade() -> None:
    op.drop_index("ix_incidents_merged", "incidents")
    op.drop_column("incidents", "redirect_to")
