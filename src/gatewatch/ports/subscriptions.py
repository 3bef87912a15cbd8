"""Flows of other systems that are called back when there is something new (reference/microsoft.md 9.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from gatewatch.ports.connectors import ActionResult

__all__ = ["Caller", "Sealing", "Subscription", "SubscriptionKind", "SubscriptionStore"]


class SubscriptionKind(StrEnum):
    """What a flow wants to hear of."""

    ALERT = "alert"
    INCIDENT = "incident"
    SECURITY_ALERT = "security_alert"
    """Alerts, as Defender for Cloud's trigger hands them to a logic app."""
    ASSESSMENT = "assessment"
    """Recommendations that became unhealthy, in the same manner."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One callback. Its address is a secret and is kept sealed."""

    id: str
    """Made from the address: the same address is the same subscription."""
    kind: SubscriptionKind
    host: str
    """For people."""
    sealed_url: bytes
    created_at: float
    created_by: str
    failures: int = 0
    """Calls that failed since one was taken."""
    last_error: str = ""
    next_attempt_at: float = 0.0
    """Unix seconds; nothing is tried before."""
    position: int | None = None
    """Sequence number of the last change that was settled; None: it begins with what changes from now on."""
    told: int = 0
    """Messages that the flow took."""


class SubscriptionStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def put(self, subscription: Subscription) -> None:
        """Insert or replace."""
        ...

    def keep(self, subscription: Subscription) -> bool:
        """Replace if it is still there; whether it was."""
        ...

    def subscriptions(self, kind: SubscriptionKind | None = None) -> list[Subscription]:
        """By id; their number is bounded by the service."""
        ...

    def remove(self, subscription_id: str) -> None:
        """Raises NotFoundError."""
        ...


class Sealing(Protocol):
    """Encryption with a key of the installation."""

    def close(self, plain: bytes) -> bytes:
        """Seal."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Unseal. Raises StoreError."""
        ...


class Caller(Protocol):
    """Calls a flow back."""

    def check(self, url: str) -> str:
        """The host of an address that may be called. Raises InputError."""
        ...

    def call(self, url: str, body: dict[str, Any], *, key: str) -> ActionResult:
        """POST once; `values["status"]` is the answer's status when there was one."""
        ...
