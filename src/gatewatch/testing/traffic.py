"""Observations for tests, built from what a test wants to say; the rest is believable defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from gatewatch.detect.detector import Detector
from gatewatch.detect.rows import rows_to_detections
from gatewatch.model.alert import Detection
from gatewatch.model.observation import (
    NO_PATH,
    ActorKind,
    AuthScheme,
    Evidence,
    IndicatorHit,
    Location,
    Observation,
    Parameter,
)
from gatewatch.model.path import PathRecord, PathState, TemplateReason
from gatewatch.observe.columns import to_arrow
from gatewatch.ports.traffic import TrafficStore

__all__ = ["Call", "detect_all", "fingerprint", "numbered", "observation", "store_calls"]

_ALL_EVIDENCE = int(Evidence(2047))


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a test says about one call."""

    ts: float
    user: str = ""
    """Authenticated subject; '' is an anonymous caller, known by address."""
    kind: ActorKind = ActorKind.SUBJECT
    ip: str = "198.51.100.1"
    method: str = "GET"
    host: str = "api.example.test"
    template: str = "/orders/{int}"
    """'' is a path that belongs to no endpoint."""
    status: int = 200
    objects: Mapping[str, str] = {}
    """Object references by parameter name."""
    agent: str = "Chrome"
    indicators: Sequence[IndicatorHit] = ()
    signals: Sequence[str] = ()
    latency_ms: float = 20.0
    response_size: int = 200
    login: str = ""
    """Attempted user name; makes it a login."""
    tried: str = "guess"
    """Attempted password."""
    id: str = ""


def fingerprint(*parts: str) -> int:
    """A stable 64-bit number for test values, never 0."""
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest(), "big") or 1


def observation(call: Call, *, number: int = 0) -> Observation:
    """What `observe` would store of the call."""
    known = call.template != ""
    return Observation(
        ts=call.ts,
        id=call.id or f"c{number}",
        source="test",
        path_id=fingerprint("path", call.method, call.host, call.template) if known else NO_PATH,
        method=call.method,
        host=call.host,
        template=call.template,
        status=call.status,
        latency_ms=call.latency_ms,
        request_size=0,
        response_size=call.response_size,
        evidence=_ALL_EVIDENCE,
        actor_kind=call.kind if call.user else ActorKind.ADDRESS,
        actor_id=call.user or call.ip,
        auth_scheme=AuthScheme.JWT if call.user else AuthScheme.NONE,
        credential=fingerprint("credential", call.user) if call.user else 0,
        client_ip=call.ip,
        external=True,
        user_agent=call.agent,
        user_agent_value=fingerprint("agent", call.agent),
        login_attempt=call.login != "",
        login_user=fingerprint("login", call.login) if call.login else 0,
        login_secret=fingerprint("password", call.tried) if call.login else 0,
        response_signals=tuple(call.signals),
        indicators=tuple(call.indicators),
        parameters=tuple(
            Parameter(Location.REQUEST_PATH, name, "int", len(value), fingerprint(name, value), reference=True)
            for name, value in call.objects.items()
        ),
    )


def numbered(calls: Iterable[Call], *, first: int = 0) -> list[Observation]:
    """Observations with ids in order."""
    return [observation(call, number=first + index) for index, call in enumerate(calls)]


def store_calls(store: TrafficStore, observations: Sequence[Observation], *, token: str) -> None:
    """Insert one block and confirm every path in it."""
    store.insert(to_arrow(observations, block=fingerprint(token) >> 1), token=token)
    records = {o.path_id: _path(o) for o in observations if o.path_id != NO_PATH}
    store.put_paths(list(records.values()))


def _path(seen: Observation) -> PathRecord:
    return PathRecord(
        path_id=seen.path_id,
        endpoint_id=seen.path_id,
        method=seen.method,
        host=seen.host,
        template=seen.template,
        state=PathState.CONFIRMED,
        reason=TemplateReason.TYPED,
        confidence=1.0,
        version=1,
    )


def detect_all(store: TrafficStore, detectors: Sequence[Detector], *, start: float, end: float) -> list[Detection]:
    """Every detection of the span. Raises AssertionError when a trigger would have hidden one."""
    found: list[Detection] = []
    for detector in detectors:
        parameters = detector.parameters(start, end)
        rows = store.query(detector.query, parameters)
        if rows and detector.trigger and not store.query(detector.trigger, parameters):
            raise AssertionError(f"the trigger of {detector.meta.id} hides what its query finds")
        found += rows_to_detections(detector, rows)
    return found
