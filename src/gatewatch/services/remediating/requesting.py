"""Remediation activities as people ask for, change and complete them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from gatewatch.errors import ConflictError, InputError, NotFoundError, StaleError
from gatewatch.model.alert import Severity
from gatewatch.model.correlation import EntityKind
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident
from gatewatch.model.inventory import Activity, Endpoint
from gatewatch.model.remediation import (
    Category,
    CompletionMethod,
    Priority,
    ProductivityImpact,
    RemediationActivity,
    RemediationStatus,
    RemediationType,
    Target,
)
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.clock import Clock
from gatewatch.ports.remediation import RemediationStore, RemediationUnit
from gatewatch.posture.recommendation import RecommendationMeta, all_recommendations
from gatewatch.respond.remediating import completed
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.remediating.auditing import entry

__all__ = ["MOST_TARGETS", "RemediationPatch", "RemediationRequest", "Requesting", "recommendation_meta"]

MOST_TARGETS = 10_000
_MOST_NAMED = 1000
_SOFTWARE = (RemediationType.FIX_CODE, RemediationType.REDUCE_DATA)
_PRIORITIES = {Severity.HIGH: Priority.HIGH, Severity.MEDIUM: Priority.MEDIUM}


class RemediationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. What is left out follows from the recommendation or the incident."""

    recommendation: str = ""
    incident: int = 0
    endpoint_ids: tuple[str, ...] | None = None
    """None: all that are unhealthy; with an incident, of those that it names."""
    type: RemediationType | None = None
    title: str = ""
    description: str = ""
    notes: str = ""
    assigned_to: str = ""
    priority: Priority | None = None
    due_at: float | None = None
    impact: ProductivityImpact = ProductivityImpact.ALL_EXPOSED
    completion: CompletionMethod = CompletionMethod.AUTOMATIC


class RemediationPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; None leaves it."""

    due_at: float | None = None
    assigned_to: str | None = None
    notes: str | None = None
    priority: Priority | None = None


def recommendation_meta(recommendation: str) -> RecommendationMeta:
    """Raises NotFoundError."""
    metas = {one.meta.id: one.meta for one in all_recommendations()}
    if recommendation not in metas:
        raise NotFoundError(f"no recommendation {recommendation}", cure=f"Known: {', '.join(sorted(metas))}.")
    return metas[recommendation]


class Requesting:
    """`by` is the name of who asks. Thread-safe."""

    def __init__(
        self,
        *,
        store: RemediationStore,
        cases: CaseStore,
        catalogue: Catalogue,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        """`new_id` gives a GUID."""
        self._store, self._cases, self._catalogue = store, cases, catalogue
        self._clock, self._new_id = clock, new_id

    def request(self, wanted: RemediationRequest, *, by: str) -> RemediationActivity:
        """Raises InputError, NotFoundError, ConflictError."""
        now = self._clock.now()
        if not wanted.recommendation and not wanted.incident:
            raise InputError(
                "a remediation comes from a recommendation or an incident", cure="Name one of them, or both."
            )
        meta = recommendation_meta(wanted.recommendation) if wanted.recommendation else None
        incident = self._incident(wanted.incident)
        made = _described(wanted, meta, incident, by=by, now=now, new_id=self._new_id())
        _check_due(made.type, wanted.due_at, now)
        endpoints = self._endpoints(wanted)
        with self._store.unit(now) as unit:
            targets = self._targets(unit, wanted, endpoints, now)
            made = self._placed(made, targets)
            unit.put(made)
            unit.put_targets(made.id, targets)
            text = f"Asked for: {made.title}, at {len(targets)} endpoints."
            unit.record([entry(made.id, "created", text, by=by, at=now, incident=made.incident)])
        return made

    def change(
        self, activity_id: str, patch: RemediationPatch, *, by: str, revision: int | None = None
    ) -> RemediationActivity:
        """Raises NotFoundError, StaleError, InputError."""
        now = self._clock.now()
        with self._store.unit(now) as unit:
            known = _current(unit, activity_id, revision)
            _check_due(known.type, patch.due_at, now)
            wanted = {name: value for name, value in msgspec.structs.asdict(patch).items() if value is not None}
            changed = {name: value for name, value in wanted.items() if getattr(known, name) != value}
            if not changed:
                return known
            new = msgspec.structs.replace(known, **changed, revision=known.revision + 1)
            unit.put(new)
            text = "Changed: " + ", ".join(sorted(name.replace("_", " ") for name in changed)) + "."
            details = {name: f"{getattr(known, name) or 'none'} -> {value}"[:500] for name, value in changed.items()}
            unit.record([entry(known.id, "changed", text, by=by, at=now, incident=known.incident, **details)])
        return new

    def complete(self, activity_id: str, *, by: str, reason: str, revision: int | None = None) -> RemediationActivity:
        """Mark as completed, whatever the evidence says. Raises NotFoundError, StaleError, ConflictError."""
        now = self._clock.now()
        with self._store.unit(now) as unit:
            known = _current(unit, activity_id, revision)
            if known.status is RemediationStatus.COMPLETED:
                raise ConflictError(f"remediation {activity_id} was completed by {known.completed_by} already")
            new = msgspec.structs.replace(completed(known, by, now), revision=known.revision + 1)
            unit.put(new)
            text = f"Marked as completed with {known.fixed} of {known.targeted} endpoints fixed. {reason}".strip()
            unit.record([entry(known.id, "completed", text, by=by, at=now, incident=known.incident)])
        return new

    def _incident(self, number: int) -> Incident | None:
        if not number:
            return None
        incident = self._cases.incident(number)
        if incident.redirect_to:
            raise ConflictError(
                f"incident {number} was merged into {incident.redirect_to}", cure=f"Use {incident.redirect_to}."
            )
        return incident

    def _endpoints(self, wanted: RemediationRequest) -> dict[str, Endpoint] | None:
        """By id; None for all. Raises NotFoundError, InputError."""
        if wanted.endpoint_ids is not None:
            return {one: self._catalogue.endpoint(one) for one in dict.fromkeys(wanted.endpoint_ids)}
        if not wanted.incident:
            return None
        named = [
            one.value
            for one in self._cases.entities_of(wanted.incident, _MOST_NAMED)
            if one.kind == EntityKind.ENDPOINT
        ]
        found = {one.id: one for one in self._catalogue.labelled(named).values()}
        if not found:
            raise InputError(
                f"incident {wanted.incident} names no endpoint of the inventory", cure="Name the endpoints."
            )
        return found

    def _targets(
        self, unit: RemediationUnit, wanted: RemediationRequest, endpoints: dict[str, Endpoint] | None, now: float
    ) -> list[Target]:
        if wanted.recommendation:
            found = unit.findings(wanted.recommendation, endpoints)
            targets = _unhealthy(found, wanted, now)
        else:
            known = (endpoints or {}).values()
            shown = {one.id: f"{one.method} {one.host}{one.template} {one.operation}".strip() for one in known}
            targets = [Target(endpoint_id=one, endpoint=text, changed_at=now) for one, text in shown.items()]
        if wanted.impact is ProductivityImpact.WITHOUT_IMPACT:
            targets = [one for one in targets if self._unused(one.endpoint_id)]
        if not targets:
            raise InputError("there is nothing to remedy", cure="Choose endpoints with an unhealthy finding.")
        if len(targets) > MOST_TARGETS:
            raise InputError(f"{len(targets)} endpoints are concerned, at most {MOST_TARGETS} in one remediation")
        return targets

    def _unused(self, endpoint_id: str) -> bool:
        return self._catalogue.endpoint(endpoint_id).activity is Activity.INACTIVE

    def _placed(self, made: RemediationActivity, targets: Sequence[Target]) -> RemediationActivity:
        ids = {self._catalogue.endpoint(one.endpoint_id).collection_id for one in targets}
        if len(targets) == 1:
            component = targets[0].endpoint
        elif len(ids) == 1:
            component = self._catalogue.collection(next(iter(ids))).name
        else:
            component = f"{len(ids)} API collections"
        return msgspec.structs.replace(
            made, targeted=len(targets), collections=tuple(sorted(ids)), component=component[:500]
        )


def _unhealthy(found: Sequence[Finding], wanted: RemediationRequest, now: float) -> list[Target]:
    chosen = {one.endpoint_id: one for one in found if one.status is FindingStatus.UNHEALTHY}
    for endpoint_id in wanted.endpoint_ids or ():
        if endpoint_id not in chosen:
            raise InputError(
                f"{wanted.recommendation} is not unhealthy at endpoint {endpoint_id}",
                cure="Leave it out; see `GET /v1/findings` for what is unhealthy.",
            )
    return [
        Target(endpoint_id=one.endpoint_id, endpoint=one.endpoint, finding=one.id, changed_at=now, why=one.cause)
        for one in chosen.values()
    ]


def _described(
    wanted: RemediationRequest,
    meta: RecommendationMeta | None,
    incident: Incident | None,
    *,
    by: str,
    now: float,
    new_id: str,
) -> RemediationActivity:
    kind = wanted.type or (meta.asks if meta else RemediationType.ATTENTION_REQUIRED)
    severity = meta.severity if meta else incident.severity if incident else Severity.LOW
    named = meta.title if meta else incident.name if incident else ""
    unseen = meta is None or kind is RemediationType.ATTENTION_REQUIRED
    by_person = unseen or wanted.completion is CompletionMethod.MANUAL
    return RemediationActivity(
        id=new_id,
        title=wanted.title or named,
        requester=by,
        notes=wanted.notes,
        assigned_to=wanted.assigned_to,
        type=kind,
        category=Category.SOFTWARE if kind in _SOFTWARE else Category.SECURITY_CONFIGURATION,
        priority=wanted.priority or _PRIORITIES.get(severity, Priority.LOW),
        description=wanted.description or (meta.remediation if meta else ""),
        recommendation=wanted.recommendation,
        incident=wanted.incident,
        created_at=now,
        due_at=wanted.due_at,
        changed_at=now,
        impact=wanted.impact,
        completion=CompletionMethod.MANUAL if by_person else CompletionMethod.AUTOMATIC,
        by_person=by_person,
    )


def _check_due(kind: RemediationType, due_at: float | None, now: float) -> None:
    if due_at is None:
        return
    if kind is RemediationType.ATTENTION_REQUIRED:
        raise InputError("what only requires attention has no due date", cure="Leave it out, or ask for something.")
    if due_at <= now:
        raise InputError("the due date is over already", cure="Name one that is still to come.")


def _current(unit: RemediationUnit, activity_id: str, revision: int | None) -> RemediationActivity:
    known = unit.activity(activity_id)
    if revision is not None and revision != known.revision:
        raise StaleError(
            f"remediation {activity_id} is at revision {known.revision}, not {revision}",
            cure="Read it again, then decide.",
        )
    return known
