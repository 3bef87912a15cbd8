"""API collections and endpoints as people see them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gatewatch.model.observation import Location

__all__ = ["Activity", "Authentication", "Collection", "Endpoint", "EndpointFacts", "FieldFact", "InformationFact"]


class Activity(StrEnum):
    """Whether an endpoint is used (reference/microsoft.md 4.3: 30 days without calls is inactive)."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    AWAITING_DATA = "awaiting_data"


class Authentication(StrEnum):
    """Judged by what the calls executed, not by configuration."""

    AUTHENTICATED = "authenticated"
    UNAUTHENTICATED = "unauthenticated"
    AWAITING_DATA = "awaiting_data"


class InformationFact(msgspec.Struct, frozen=True, kw_only=True):
    """An information type found at one place of an endpoint."""

    type: str
    location: Location
    path: str
    transactions: int
    """Transactions in which it was found there."""
    share: float
    """Of the transactions that had that field at all, 0..1."""
    status_classes: tuple[str, ...] = ()
    """For responses: 2xx, 4xx …"""
    first_seen: float
    last_seen: float


class FieldFact(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an endpoint: line of fields.ndjson."""

    endpoint_id: int
    method: str
    host: str
    template: str
    location: Location
    path: str
    types: tuple[str, ...]
    """Information types assigned from the distribution over samples; empty when none."""
    value_types: tuple[str, ...]
    transactions: int


class EndpointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the traffic store knows of an endpoint; input of the inventory's judgement."""

    endpoint_id: int
    method: str
    host: str
    template: str
    operation: str
    first_seen: float
    last_seen: float
    calls: int
    calls_by_status_class: dict[str, int]
    authenticated_accepted: int
    """Calls with a credential answered 2xx or 304 (a redirect may lead to a login page)."""
    anonymous_accepted: int
    anonymous_refused: int
    """Calls without credential answered 401 or 403."""
    credential_evidence: int
    """Calls whose source could have shown a credential (`Evidence.IDENTITY`)."""
    external_last_seen: float
    """0: never from outside."""
    actors: int
    clients: int
    sources: tuple[str, ...] = ()
    """Names of the sources that saw it."""
    template_reason: str = ""
    template_confidence: float = 0.0
    template_why: str = ""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the inventory."""

    id: str
    """16 hex digits."""
    collection_id: str
    method: str
    host: str
    template: str
    operation: str
    first_seen: float
    last_called: float
    calls: int
    calls_by_status_class: dict[str, int]
    activity: Activity
    authentication: Authentication
    authentication_why: str
    external_last_seen: float | None
    information_types: tuple[InformationFact, ...]
    actors: int
    clients: int
    template_reason: str
    template_confidence: float
    template_why: str


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """An API: the endpoints of one host and base path."""

    id: str
    name: str
    host: str
    base_path: str
    discovered_via: tuple[str, ...]
    """Sources that saw it."""
    endpoints: int
    inactive: int
    unauthenticated: int
    external: int
    sensitive: int
    first_seen: float
    last_called: float
