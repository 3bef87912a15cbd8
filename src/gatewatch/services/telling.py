"""Tells flows that subscribed of what is new: each at least once, in order, at its own pace."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from gatewatch.formats.export import Context, all_formats
from gatewatch.model.alert import Alert
from gatewatch.model.export import Exported, ExportKind, export_item
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident
from gatewatch.ports.changes import Change, ChangeKind, ChangeLog
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import ActionResult, Outcome
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.subscriptions import Subscription, SubscriptionKind
from gatewatch.services.exporting.running import pause_s
from gatewatch.services.repeating import Repeating
from gatewatch.services.subscribing import Subscribing, alert_message, gone, incident_message
from gatewatch.telemetry.logs import Log

__all__ = ["Telling", "TellingCounts"]

Read = Callable[[ExportKind, Collection[str]], dict[str, Exported]]
"""The things themselves as they are now; those that are gone are missing."""
_TICK_S = 1.0
_PAGE = 500
_CALLS_IN_TURN = 20
"""Then the next flow has its turn: one with much to hear does not keep the others waiting."""
_FIRST_S, _MOST_S = 1.0, 300.0
_NEVER = frozenset({400, 413, 415, 422})
"""The flow will not take this message however often it is sent."""
_FOLLOWS = {
    SubscriptionKind.ALERT: (ChangeKind.ALERT, ExportKind.ALERT),
    SubscriptionKind.SECURITY_ALERT: (ChangeKind.ALERT, ExportKind.ALERT),
    SubscriptionKind.INCIDENT: (ChangeKind.INCIDENT, ExportKind.INCIDENT),
    SubscriptionKind.ASSESSMENT: (ChangeKind.FINDING, ExportKind.FINDING),
}
_FORMATS = {SubscriptionKind.SECURITY_ALERT: "defender-workflow", SubscriptionKind.ASSESSMENT: "defender"}


class TellingCounts(msgspec.Struct, frozen=True, kw_only=True):
    """For metrics."""

    subscriptions: int
    failing: int
    lag: int
    """Changes that the slowest was not told of, if it was to be."""
    calls: dict[str, int]
    """Since the start, by outcome."""


class Telling:
    """One thread. A flow that was away for longer than the change log is kept misses what was forgotten there."""

    def __init__(
        self,
        *,
        subscribing: Subscribing,
        changes: ChangeLog,
        read: Read,
        context: Context,
        clock: Clock,
        chance: random.Random,
        log: Log,
        turn: Turn = ALWAYS,
    ) -> None:
        """Nothing runs yet."""
        self._subscribing, self._changes, self._read, self._context = subscribing, changes, read, context
        self._clock, self._chance, self._log = clock, chance, log
        self._formats = all_formats()
        self._calls: Counter[str] = Counter()
        self._stopping = False
        self._thread = Repeating("subscriptions", self.step, _TICK_S, log, turn=turn)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call under way; what was not told is told by the next start."""
        self._stopping = True
        self._thread.stop()

    @property
    def failing(self) -> str:
        """Why the last step failed. A flow that is away is none: it is waited for."""
        return self._thread.failing

    def counts(self) -> TellingCounts:
        """As it is now."""
        known, head = self._subscribing.subscriptions(), self._changes.head()
        behind = [head - one.position for one in known if one.position is not None]
        return TellingCounts(
            subscriptions=len(known),
            failing=sum(one.failures > 0 for one in known),
            lag=max(behind, default=0),
            calls=dict(self._calls),
        )

    def step(self) -> int:
        """Everything that can be told now; how many messages were taken."""
        taken, waiting = 0, True
        while waiting and not self._stopping:
            waiting = False
            for one in self._subscribing.due(self._clock.now()):
                count, more = self._turn(one)
                taken, waiting = taken + count, waiting or more
        return taken

    def _turn(self, one: Subscription) -> tuple[int, bool]:
        """(messages that one flow took, whether there is more for it now)."""
        if one.position is None:
            self._subscribing.keep(msgspec.structs.replace(one, position=self._changes.head()))
            return 0, False
        found = self._changes.changes(one.position, _PAGE)
        values = self._values(one.kind, found)
        begun = one.told
        for change in found:
            value = values.get(change.subject) if _concerns(one.kind, change) else None
            if value is not None:
                if self._stopping or one.told - begun >= _CALLS_IN_TURN:
                    return one.told - begun, self._subscribing.keep(one)
                following = self._tell(one, change, value)
                if following is None:
                    return one.told - begun, False
                one = following
            one = msgspec.structs.replace(one, position=change.seq)
            if value is not None and not self._subscribing.keep(one):
                return one.told - begun, False
        more = bool(found) and self._subscribing.keep(one)
        return one.told - begun, more

    def _values(self, kind: SubscriptionKind, found: list[Change]) -> dict[str, Exported]:
        subjects = sorted({change.subject for change in found if _concerns(kind, change)})
        values = self._read(_FOLLOWS[kind][1], subjects) if subjects else {}
        return {subject: value for subject, value in values.items() if _wanted(value)}

    def _tell(self, one: Subscription, change: Change, value: Exported) -> Subscription | None:
        """The subscription after the flow took the message; None when this turn is over."""
        result = self._subscribing.call(one, self._message(one.kind, value), key=f"{one.id[:12]}-{change.seq}")
        self._calls[result.outcome.value] += 1
        if result.outcome is Outcome.SUCCEEDED:
            return msgspec.structs.replace(one, failures=0, last_error="", next_attempt_at=0.0, told=one.told + 1)
        if gone(result):
            self._log.warning("flow_gone", subscription=one.id, host=one.host, why=result.error)
            self._subscribing.forget(one)
            return None
        if result.values.get("status") in _NEVER:
            self._log.warning("flow_refused_message", subscription=one.id, host=one.host, subject=change.subject)
            return msgspec.structs.replace(one, last_error=result.error)
        self._subscribing.keep(self._delayed(one, result))
        return None

    def _delayed(self, one: Subscription, result: ActionResult) -> Subscription:
        failures = one.failures + 1
        if failures == 1:
            self._log.warning("flow_delayed", subscription=one.id, host=one.host, why=result.error)
        wait = pause_s(failures, _FIRST_S, _MOST_S, result.retry_after_s, self._chance.random())
        return msgspec.structs.replace(
            one, failures=failures, last_error=result.error, next_attempt_at=self._clock.now() + wait
        )

    def _message(self, kind: SubscriptionKind, value: Exported) -> dict[str, Any]:
        if kind in _FORMATS:
            rendered = self._formats[_FORMATS[kind]].render(export_item(value), self._context)
            return msgspec.json.decode(rendered, type=dict[str, Any])
        if isinstance(value, Incident):
            return incident_message(value, self._context.url)
        assert isinstance(value, Alert)
        return alert_message(value, self._context.url)


def _concerns(kind: SubscriptionKind, change: Change) -> bool:
    """Alerts as soon as they have an incident, new incidents; findings that are new or changed their status."""
    told = change.difference
    if change.kind is not _FOLLOWS[kind][0] or told is None:
        return False
    return told.created or (kind is SubscriptionKind.ASSESSMENT and "status" in told.fields)


def _wanted(value: Exported) -> bool:
    """Not what a suppression put aside, nor recommendations that are fulfilled."""
    if isinstance(value, Finding):
        return value.status is FindingStatus.UNHEALTHY
    return not (isinstance(value, Alert) and value.suppressed_by)
