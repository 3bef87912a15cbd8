"""Subscriptions of flows: who is called back, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from gatewatch.errors import ConflictError, NotFoundError
from gatewatch.model.alert import Alert, Severity
from gatewatch.model.incident import Incident
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import ActionResult, Outcome
from gatewatch.ports.subscriptions import Caller, Sealing, Subscription, SubscriptionKind, SubscriptionStore

__all__ = ["MOST_SUBSCRIPTIONS", "Subscribing", "alert_message", "gone", "incident_message"]

MOST_SUBSCRIPTIONS = 80
"""As many environments as Defender for Cloud Apps serves (reference/microsoft.md 9.1)."""
_GONE = frozenset({404, 410})
"""The flow was deleted or switched off for good; it subscribes again when it comes back."""
_SEVERITIES = {
    Severity.INFORMATIONAL: "Informational",
    Severity.LOW: "Low",
    Severity.MEDIUM: "Medium",
    Severity.HIGH: "High",
}


class Subscribing:
    """Thread-safe as its store is."""

    def __init__(
        self,
        *,
        store: SubscriptionStore,
        caller: Caller,
        sealing: Sealing,
        clock: Clock,
        head: Callable[[], int] | None = None,
    ) -> None:
        """`caller` knows which hosts are allowed; `head` gives the newest change, behind which a flow begins."""
        self._head = head
        self._store, self._caller, self._sealing, self._clock = store, caller, sealing, clock

    def subscribe(self, callback_url: str, *, kind: SubscriptionKind, by: str) -> Subscription:
        """The same address and kind again is the same subscription.

        Raises InputError for an address that may not be called, ConflictError when there are too many.
        """
        host = self._caller.check(callback_url)
        name = blake2b(f"{kind.value}\0{callback_url}".encode(), digest_size=16).hexdigest()
        known = {one.id: one for one in self._store.subscriptions()}
        if name not in known and len(known) >= MOST_SUBSCRIPTIONS:
            raise ConflictError(f"there are {MOST_SUBSCRIPTIONS} subscriptions already", cure="Remove one first.")
        if name in known:
            # What it missed meanwhile it is told; it is there again, so at once.
            again = msgspec.structs.replace(known[name], next_attempt_at=0.0)
            if self._store.keep(again):
                return again
        made = Subscription(
            id=name,
            kind=kind,
            host=host,
            sealed_url=self._sealing.close(callback_url.encode()),
            created_at=self._clock.now(),
            created_by=by,
            position=self._head() if self._head is not None else None,
        )
        self._store.put(made)
        return made

    def subscriptions(self) -> list[Subscription]:
        """All of them."""
        return self._store.subscriptions()

    def unsubscribe(self, subscription_id: str) -> None:
        """Raises NotFoundError."""
        self._store.remove(subscription_id)

    def due(self, now: float) -> list[Subscription]:
        """Those that may be called now."""
        return [one for one in self._store.subscriptions() if one.next_attempt_at <= now]

    def call(self, one: Subscription, body: dict[str, Any], *, key: str) -> ActionResult:
        """Call one flow once; nothing is remembered. Raises StoreError when its address can't be unsealed."""
        return self._caller.call(self._sealing.open(one.sealed_url).decode(), body, key=key)

    def keep(self, one: Subscription) -> bool:
        """Remember how far it is; whether it is still there."""
        return self._store.keep(one)

    def forget(self, one: Subscription) -> None:
        """Its flow is gone."""
        try:
            self._store.remove(one.id)
        except NotFoundError:
            return  # Somebody was faster.

    def tell(self, kind: SubscriptionKind, body: dict[str, Any], *, key: str) -> dict[str, ActionResult]:
        """Call every flow of a kind once; outcomes by subscription. Those whose flow is gone are removed."""
        found = {}
        for one in self._store.subscriptions(kind):
            found[one.id] = result = self.call(one, body, key=key)
            self._remember(one, result)
        return found

    def _remember(self, one: Subscription, result: ActionResult) -> None:
        if gone(result):
            self.forget(one)
        elif result.outcome is Outcome.SUCCEEDED:
            if one.failures:
                self._store.keep(msgspec.structs.replace(one, failures=0, last_error=""))
        else:
            self._store.keep(msgspec.structs.replace(one, failures=one.failures + 1, last_error=result.error))


def gone(result: ActionResult) -> bool:
    """Whether a call's outcome says that there is no such flow any more."""
    return result.values.get("status") in _GONE


def alert_message(alert: Alert, url: str = "") -> dict[str, Any]:
    """The members that flows for Defender for Cloud Apps read. `url`: address of this Gatewatch for people."""
    who = [actor.id for actor in alert.actors] or list(alert.client_ips) or list(alert.endpoints)
    return {
        "ProviderAlertId": alert.id,
        "ProviderPolicyId": alert.detector,
        "AlertDisplayName": alert.title,
        "AlertType": alert.alert_type,
        "Description": alert.explanation.sentence,
        "Severity": _SEVERITIES[alert.severity],
        "CompromisedEntity": who[0] if who else "",
        "IncidentId": str(alert.incident) if alert.incident else "",
        "AlertUri": f"{url}/alerts/{alert.id}" if url else "",
    }


def incident_message(incident: Incident, url: str = "") -> dict[str, Any]:
    """An incident in the same manner."""
    return {
        "IncidentId": str(incident.id),
        "Title": incident.name,
        "Severity": _SEVERITIES[incident.severity],
        "Status": incident.status.value,
        "Classification": incident.classification.value,
        "AlertsCount": incident.alerts,
        "PriorityScore": incident.priority,
        "IncidentUri": f"{url}/incidents/{incident.id}" if url else "",
    }
