"""What every stage of observe decides about one transaction, in words. No secret, no payload."""

from __future__ import annotations

import msgspec

from gatewatch.model.observation import Evidence, Observation, Parameter
from gatewatch.model.transaction import Transaction
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet

__all__ = ["StageTrace", "explain"]


class StageTrace(msgspec.Struct, frozen=True, kw_only=True):
    """One stage's decision."""

    stage: str
    decided: str
    why: str = ""
    details: tuple[tuple[str, str], ...] = ()


def explain(observer: Observer, transaction: Transaction, source: str, templates: TemplateSet) -> list[StageTrace]:
    """The stages in order; the last one is the observation itself."""
    seen = observer.observe(transaction, source, templates)
    parsed = observer.parse(transaction, templates)
    return [
        _source(seen),
        StageTrace(
            stage="limits",
            decided="cut: " + ", ".join(seen.cut) if seen.cut else "nothing cut",
            details=(
                ("request body", f"{len(parsed.request.data)} octets, {len(parsed.request.leaves)} leaves"),
                ("response body", f"{len(parsed.response.data)} octets"),
            ),
        ),
        StageTrace(
            stage="client",
            decided=f"{seen.client_ip} ({'external' if seen.external else 'internal'})",
            why="the peer, or the nearest address that trusted proxies vouch for",
        ),
        _identity(seen),
        _template(seen),
        _parameters(seen),
        *_patterns(seen),
        StageTrace(
            stage="response", decided=", ".join(seen.response_signals) or "no sign of success", why=seen.content_type
        ),
    ]


def _source(seen: Observation) -> StageTrace:
    bits = ", ".join(bit.name.lower() for bit in Evidence if bit.name and bit & seen.evidence)
    decided = f"{seen.method} {seen.host} answered {seen.status or 'nothing'}"
    return StageTrace(stage="source", decided=decided, why=f"carries {bits}")


def _identity(seen: Observation) -> StageTrace:
    return StageTrace(
        stage="identity",
        decided=f"{seen.actor_kind.value} {seen.actor_id}",
        why=f"credential scheme {seen.auth_scheme.value}",
        details=(
            ("credential fingerprint", f"{seen.credential:016x}" if seen.credential else "none"),
            ("issuer", seen.auth_issuer or "-"),
            ("algorithm", seen.auth_algorithm or "-"),
            ("login attempt", _login(seen)),
        ),
    )


def _login(seen: Observation) -> str:
    if not seen.login_attempt:
        return "no"
    return "yes, refused by the answer" if "login_failed" in seen.response_signals else "yes"


def _template(seen: Observation) -> StageTrace:
    unknown = f"a path that is not known and was answered {seen.status} is no endpoint"
    return StageTrace(
        stage="template",
        decided=seen.template or "no endpoint",
        why=seen.template_reason if seen.template else unknown,
        details=(("path id", f"{seen.path_id:016x}"), ("operation", seen.operation or "-")),
    )


def _parameters(seen: Observation) -> StageTrace:
    def about(item: Parameter) -> str:
        return f"{item.type}, {item.length} characters" + (", refers to an object" if item.reference else "")

    details = tuple((f"{item.location.value} {item.name}", about(item)) for item in seen.parameters)
    return StageTrace(stage="parameters", decided=f"{len(seen.parameters)} parameters", details=details)


def _patterns(seen: Observation) -> tuple[StageTrace, StageTrace]:
    types = StageTrace(
        stage="information types",
        decided=", ".join(sorted({hit.type for hit in seen.information})) or "none",
        details=tuple((f"{hit.location.value} {hit.path}", hit.type) for hit in seen.information),
    )
    indicators = StageTrace(
        stage="indicators",
        decided=", ".join(sorted({hit.class_ for hit in seen.indicators})) or "none",
        details=tuple(
            (f"{hit.location.value} {hit.name}", f"{hit.indicator}, confidence {hit.confidence:g}: {hit.snippet}")
            for hit in seen.indicators
        ),
    )
    return types, indicators
