"""Containment: plans judged from stored traffic, carried out under their digest, undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from gatewatch.errors import ConflictError, NotFoundError
from gatewatch.model.action import ActionResult, Outcome
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.containment import (
    BlastRadius,
    Containment,
    ContainmentPlan,
    ContainmentState,
    Evidence,
    ScopeKind,
    digest_of,
)
from gatewatch.model.correlation import EntityKind
from gatewatch.model.review import ActionTaken
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.clock import Clock
from gatewatch.ports.containing import Judgement
from gatewatch.ports.containments import ContainmentFilter, ContainmentStore
from gatewatch.ports.gateways import Gateway
from gatewatch.ports.traffic import TrafficStore
from gatewatch.respond.effect import evidence_of
from gatewatch.respond.guarding import Guardrails, approvals_for, obstacles
from gatewatch.respond.playbooks.planning import key_of
from gatewatch.services.containing.enforcement import enforcement_of
from gatewatch.services.containing.traffic import radius_of

__all__ = ["ContainmentDesk"]

_MOST_NAMED = 1000
_MOST_LOOKED_AT = 200


class ContainmentDesk:
    """Implements `ports.containing.Containing` and `ports.containment.Containments`. Thread-safe."""

    def __init__(
        self,
        *,
        store: ContainmentStore,
        cases: CaseStore,
        traffic: TrafficStore,
        gateways: Mapping[str, Gateway],
        guardrails: Guardrails,
        clock: Clock,
        wake: Callable[[str], None],
        confirm: Callable[[str], Containment],
    ) -> None:
        """`wake` makes a gateway's reconciler look at once; `confirm` waits a little for it to confirm one."""
        self._store, self._cases, self._traffic, self._gateways = store, cases, traffic, gateways
        self._guardrails, self._clock, self._wake, self._confirm = guardrails, clock, wake, confirm

    def judge(self, plan: ContainmentPlan) -> Judgement:
        """Dry run."""
        gateway = self._gateway(plan.gateway)
        radius = radius_of(
            self._traffic,
            plan.scope,
            self._attackers(plan),
            hours=self._guardrails.look_back_hours,
            until=self._clock.now(),
        )
        found = list(obstacles(plan, radius, self._store.unfinished(), self._guardrails))
        refusal = gateway.refusal(enforcement_of(self._planned(plan, "", "", radius=radius)))
        if refusal:
            found.append(refusal)
        approvals = approvals_for(plan, self._guardrails)
        return Judgement(
            digest=digest_of(plan),
            radius=radius,
            obstacles=tuple(found),
            approvals=approvals,
            evidence=self._evidence(plan),
        )

    def apply(self, plan: ContainmentPlan, *, key: str, by: str, approved_digest: str) -> ActionResult:
        """Once per key; judged again, because traffic and guardrails may be others than when it was approved."""
        known = self._store.by_key(key)
        if known is None:
            if digest_of(plan) != approved_digest:
                raise ConflictError("this is not the plan that was approved")
            judgement = self.judge(plan)
            if judgement.obstacles:
                raise ConflictError("; ".join(judgement.obstacles))
            known = self._store.request(self._planned(plan, key, by, radius=judgement.radius))
            self._record(known, "containment", f"Contain: {_sentence(plan)}.", by)
        elif known.digest != digest_of(plan):
            raise ConflictError(f"this key was given for another plan, {known.id}", cure="Choose another key.")
        self._wake(plan.gateway)
        return _result(self._confirm(known.id))

    def read_back(self, key: str) -> ActionResult:
        """By the key of the request."""
        known = self._store.by_key(key)
        if known is None:
            return ActionResult(outcome=Outcome.FAILED, error="it was never requested", again=True)
        return _result(known)

    def roll_back(self, action: str, *, by: str, reason: str) -> ActionResult:
        """Not wanted any more; the gateway's reconciler takes it away and verifies that."""
        known = self._store.containment(action)
        if not known.state.wanted:
            raise ConflictError(f"containment {action} has {known.state.value.replace('_', ' ')} already")
        ended = msgspec.structs.replace(
            known, state=ContainmentState.ROLLED_BACK, ended_at=self._clock.now(), ended_by=by, why=reason
        )
        if not self._store.save(ended, expected=known.state):
            raise ConflictError(f"containment {action} changed meanwhile", cure="Try again.")
        self._record(ended, "containment rolled back", f"Rolled back: {_sentence(known.plan)}. {reason}", by)
        self._wake(known.plan.gateway)
        return _result(self._confirm(action))

    def containment(self, containment_id: str) -> Containment:
        """One. Raises NotFoundError."""
        return self._store.containment(containment_id)

    def containments(
        self, where: ContainmentFilter, *, cursor: str = "", limit: int = 50
    ) -> tuple[list[Containment], str]:
        """A page, newest first."""
        return self._store.containments(where, cursor=cursor, limit=limit)

    def of(self, incident: int) -> Sequence[ActionTaken]:
        """As reviews see them, oldest first."""
        found: list[Containment] = []
        cursor = ""
        while True:
            page, cursor = self._store.containments(ContainmentFilter(incident=incident), cursor=cursor, limit=200)
            found += page
            if not cursor:
                break
        return [
            ActionTaken(
                at=one.in_force_at or one.created_at,
                by=one.by,
                kind="containment",
                text=f"{_sentence(one.plan)}: {one.verdict.value.replace('_', ' ')}",
                rolled_back_at=one.ended_at if one.state is ContainmentState.ROLLED_BACK else None,
                rolled_back_by=one.ended_by if one.state is ContainmentState.ROLLED_BACK else "",
            )
            for one in reversed(found)
        ]

    def _evidence(self, plan: ContainmentPlan) -> Evidence | None:
        known, _ = self._store.containments(ContainmentFilter(gateway=plan.gateway), limit=_MOST_LOOKED_AT)
        same = (one for one in known if (one.plan.effect, one.plan.scope.kind) == (plan.effect, plan.scope.kind))
        return next(iter(evidence_of(same)), None)

    def _gateway(self, name: str) -> Gateway:
        gateway = self._gateways.get(name)
        if gateway is None:
            known = ", ".join(sorted(self._gateways)) or "none is configured"
            raise NotFoundError(f"no gateway {name}", cure=f"Known: {known}.")
        return gateway

    def _attackers(self, plan: ContainmentPlan) -> tuple[str, ...]:
        """Actors and addresses that the incident names."""
        if not plan.incident:
            return ()
        found = []
        for one in self._cases.entities_of(plan.incident, _MOST_NAMED):
            if one.kind == EntityKind.ACTOR:
                found.append(one.value)
            elif one.kind == EntityKind.ADDRESS:
                found.append(f"address:{one.value}")
        return tuple(found)

    def _planned(self, plan: ContainmentPlan, key: str, by: str, *, radius: BlastRadius) -> Containment:
        now = self._clock.now()
        return Containment(
            id="gw-" + key_of("containment", key)[:20],
            key=key,
            plan=plan,
            digest=digest_of(plan),
            radius=radius,
            attackers=self._attackers(plan) if key else (),
            by=by,
            created_at=now,
            expires_at=now + plan.duration_s,
        )

    def _record(self, one: Containment, action: str, text: str, by: str) -> None:
        at = self._clock.now()
        entry = Activity(
            at=at,
            origin=Origin.SYSTEM if by.startswith(("run ", "measurement")) else Origin.PERSON,
            by=by,
            subject=Subject.CONTAINMENT,
            subject_id=one.id,
            incident=one.plan.incident,
            action=action,
            text=text,
            details={"plan": one.digest, "gateway": one.plan.gateway},
        )
        with self._cases.unit(at) as unit:
            unit.record([entry])


def _sentence(plan: ContainmentPlan) -> str:
    where = f" at {plan.scope.endpoint}" if plan.scope.endpoint else ""
    kind = "" if plan.scope.kind is ScopeKind.ADDRESS else f"{plan.scope.kind.value} "
    return f"{plan.effect.value.replace('_', ' ')} {kind}{plan.scope.value}{where} on {plan.gateway}"


def _result(one: Containment) -> ActionResult:
    values = {"action": one.id, "state": one.state.value, "expires_at": one.expires_at}
    if one.state is ContainmentState.REFUSED:
        return ActionResult(outcome=Outcome.FAILED, error=one.why, values=values)
    return ActionResult(outcome=Outcome.SUCCEEDED, values=values, error=one.why)
