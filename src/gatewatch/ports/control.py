"""The control store as the services see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.finding import Finding, FindingStatus

__all__ = ["AlertFilter", "ControlStore", "FindingFilter", "Page", "Role", "Token"]


class Role(StrEnum):
    """What a token may do; each includes those before it, `ingest` and `gateway` stand alone."""

    INGEST = "ingest"
    VIEWER = "viewer"
    ANALYST = "analyst"
    RESPONDER = "responder"
    ADMIN = "admin"
    GATEWAY = "gateway"
    """Pulls what is to be enforced: bouncers, middleware."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An API token as stored: the secret only as hash."""

    id: str
    name: str
    role: Role
    secret_hash: str
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    status: tuple[AlertStatus, ...] = ()
    severity: tuple[Severity, ...] = ()
    alert_type: tuple[str, ...] = ()
    detector: tuple[str, ...] = ()
    actor: str = ""
    client_ip: str = ""
    endpoint: str = ""
    incident: int | None = None
    since: float | None = None
    """last_seen at or after."""
    until: float | None = None
    """first_seen before."""


class FindingFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    status: tuple[FindingStatus, ...] = ()
    severity: tuple[Severity, ...] = ()
    recommendation: tuple[str, ...] = ()
    endpoint_id: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list; `next` is an opaque cursor, '' at the end."""

    items: tuple[object, ...]
    next: str = ""


class ControlStore(Protocol):
    """Alerts, findings, tokens and settings. Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def migrate(self) -> list[str]:
        """Bring the schema to this version; returns the revisions applied."""
        ...

    def schema_current(self) -> bool:
        """Whether the schema is at this version's head."""
        ...

    def upsert_alerts(self, alerts: Sequence[Alert], *, at: float | None = None) -> int:
        """Insert new alerts; update a known one's detector side (count, last_seen, evidence …), keeping its status.

        `at` (Unix seconds) stamps what changed; None takes each alert's own event time. Returns how many rows changed.
        Writing the same alert twice changes nothing. What is new or changed is pending for correlation.
        """
        ...

    def open_alerts(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Alert]:
        """Latest alert per (detector, key)."""
        ...

    def alert(self, alert_id: str) -> Alert:
        """One alert. Raises NotFoundError."""
        ...

    def alerts(self, where: AlertFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Alert], str]:
        """Newest last_seen first; (items, next cursor)."""
        ...

    def put_findings(self, findings: Sequence[Finding]) -> int:
        """Upsert by id; returns how many changed."""
        ...

    def forget_findings(self, living: Collection[str]) -> int:
        """Remove findings of endpoints that are not among the living ids; returns how many."""
        ...

    def findings(self, where: FindingFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Finding], str]:
        """High severity first, then endpoint; (items, next cursor)."""
        ...

    def finding(self, finding_id: str) -> Finding:
        """One finding. Raises NotFoundError."""
        ...

    def add_token(self, token: Token) -> None:
        """Keep a token. Raises ConflictError on a used id."""
        ...

    def token(self, token_id: str) -> Token | None:
        """One token by its public id."""
        ...

    def tokens(self) -> list[Token]:
        """All tokens, oldest first."""
        ...

    def touch_token(self, token_id: str, at: float) -> None:
        """Remember the last use."""
        ...

    def revoke_token(self, token_id: str, at: float) -> None:
        """End a token. Raises NotFoundError."""
        ...

    def detector_settings(self) -> dict[str, dict[str, float | int | bool | str]]:
        """Changed settings per detector id (`enabled` and `severity` included)."""
        ...

    def put_detector_settings(
        self, detector: str, values: Mapping[str, float | int | bool | str], *, at: float
    ) -> None:
        """Replace a detector's changed settings."""
        ...

    def state(self, name: str) -> bytes | None:
        """A small named value of a service (watermarks, template learner)."""
        ...

    def put_state(self, name: str, value: bytes) -> None:
        """Replace a named value."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
