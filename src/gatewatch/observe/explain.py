"""What every stage of observe decides about one transaction, in words. No secret, no payload."""

from __future__ import annotations

import msgspec

from gatewatch.model.observation import Evidence
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
    bits = ", ".join(bit.name.lower() for bit in Evidence if bit.name and bit & seen.evidence)
    credential = f"{seen.credential:016x}" if seen.credential else "none"
    return [
        StageTrace(
            stage="source",
            decided=f"{seen.method} {seen.host} answered {seen.status or 'nothing'}",
            why=f"carries {bits}",
        ),
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
        StageTrace(
            stage="identity",
            decided=f"{seen.actor_kind.value} {seen.actor_id}",
            why=f"credential scheme {seen.auth_scheme.value}",
            details=(
                ("credential fingerprint", credential),
                ("issuer", seen.auth_issuer or "-"),
                ("algorithm", seen.auth_algorithm or "-"),
                ("login attempt", "yes" if seen.login_attempt else "no"),
            ),
        ),
        StageTrace(
            stage="template",
            decided=seen.template or "no endpoint",
            why=f"{seen.template_reason}; a path that is not known and answered {seen.status} is no endpoint"
            if not seen.template
            else seen.template_reason,
            details=(("path id", f"{seen.path_id:016x}"), ("operation", seen.operation or "-")),
        ),
        StageTrace(
            stage="parameters",
            decided=f"{len(seen.parameters)} parameters",
            details=tuple(
                (
                    f"{p.location.value} {p.name}",
                    f"{p.type}, {p.length} characters" + (", refers to an object" if p.reference else ""),
                )
                for p in seen.parameters
            ),
        ),
        StageTrace(
            stage="information types",
            decided=", ".join(sorted({hit.type for hit in seen.information})) or "none",
            details=tuple((f"{hit.location.value} {hit.path}", hit.type) for hit in seen.information),
        ),
        StageTrace(
            stage="indicators",
            decided=", ".join(sorted({hit.class_ for hit in seen.indicators})) or "none",
            details=tuple(
                (f"{hit.location.value} {hit.name}", f"{hit.indicator}, confidence {hit.confidence:g}: {hit.snippet}")
                for hit in seen.indicators
            ),
        ),
        StageTrace(
            stage="response", decided=", ".join(seen.response_signals) or "no sign of success", why=seen.content_type
        ),
    ]
