"""Reviews in SQL."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, insert, select, update

from gatewatch.model.review import Review
from gatewatch.store.tables import reviews

__all__ = ["read_review", "write_review"]

_REVIEW = msgspec.msgpack.Decoder(Review)


def read_review(connection: Connection, incident: int) -> Review | None:
    """The review of an incident."""
    body = connection.execute(select(reviews.c.body).where(reviews.c.incident == incident)).scalar()
    return None if body is None else _REVIEW.decode(body)


def write_review(connection: Connection, review: Review) -> None:
    """Insert or replace; the caller has taken its turn."""
    row = {
        "incident": review.incident,
        "revision": review.revision,
        "updated_at": review.updated_at,
        "signed_at": review.sign_off.at if review.sign_off else None,
        "body": msgspec.msgpack.encode(review),
    }
    known = reviews.c.incident == review.incident
    if not connection.execute(update(reviews).where(known).values(row)).rowcount:
        connection.execute(insert(reviews).values(row))
