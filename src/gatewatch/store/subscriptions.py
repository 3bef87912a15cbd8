"""Subscriptions of flows in SQL."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, delete, insert, select, update

from gatewatch.errors import NotFoundError
from gatewatch.ports.subscriptions import Subscription, SubscriptionKind
from gatewatch.store.engine import readers
from gatewatch.store.tables import subscriptions

__all__ = ["SubscriptionTable"]

_SUBSCRIPTION = msgspec.msgpack.Decoder(Subscription)


class SubscriptionTable:
    """Implements `ports.subscriptions.SubscriptionStore`."""

    def __init__(self, engine: Engine) -> None:
        """Uses the engine's transactions."""
        self._engine, self._readers = engine, readers(engine)

    def put(self, subscription: Subscription) -> None:
        """By id."""
        row = {"kind": subscription.kind.value, "body": msgspec.msgpack.encode(subscription)}
        known = subscriptions.c.id == subscription.id
        with self._engine.begin() as connection:
            if not connection.execute(update(subscriptions).where(known).values(row)).rowcount:
                connection.execute(insert(subscriptions).values(id=subscription.id, **row))

    def keep(self, subscription: Subscription) -> bool:
        """Never inserts: somebody may have removed it meanwhile."""
        body = msgspec.msgpack.encode(subscription)
        wanted = update(subscriptions).where(subscriptions.c.id == subscription.id).values(body=body)
        with self._engine.begin() as connection:
            return bool(connection.execute(wanted).rowcount)

    def subscriptions(self, kind: SubscriptionKind | None = None) -> list[Subscription]:
        """By id."""
        query = select(subscriptions.c.body).order_by(subscriptions.c.id)
        if kind is not None:
            query = query.where(subscriptions.c.kind == kind.value)
        with self._readers.connect() as connection:
            return [_SUBSCRIPTION.decode(body) for body in connection.execute(query).scalars()]

    def remove(self, subscription_id: str) -> None:
        """One row."""
        with self._engine.begin() as connection:
            gone = connection.execute(delete(subscriptions).where(subscriptions.c.id == subscription_id)).rowcount
        if not gone:
            raise NotFoundError(f"no subscription {subscription_id}")
