"""Suppression rules: made, tried on what is stored, changed, removed; all of it in the audit log."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gatewatch.correlate.suppression import check, suppressing
from gatewatch.errors import InputError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import Alert
from gatewatch.model.suppression import Condition, Suppression
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.control import AlertFilter, ControlStore

__all__ = ["Suppressing", "Trial"]

_PAGE, _MOST_TRIED, _MOST_SHOWN = 500, 100_000, 50


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would have dismissed."""

    looked_at: int
    dismissed: int
    high: int
    """Of these with severity high: a rule that dismisses such is worth a second thought."""
    first: tuple[Alert, ...]
    """Newest first, bounded."""
    bounded: bool
    """There were more alerts than were looked at."""


class Suppressing:
    """`by` is the name of who asks."""

    def __init__(self, control: ControlStore, cases: CaseStore, now: Callable[[], float]) -> None:
        """`now` in Unix seconds."""
        self._control, self._cases, self._now = control, cases, now

    def like(self, alert: Alert, *, name: str, reason: str, by: str) -> Suppression:
        """A rule for alerts of the same type with the same addresses, actors and endpoints; not kept yet."""
        named = {
            "address": alert.client_ips,
            "actor": tuple(actor.id for actor in alert.actors),
            "endpoint": alert.endpoints,
        }
        conditions = tuple(Condition(field=field, values=values) for field, values in named.items() if values)
        return Suppression(
            name=name,
            alert_type=alert.alert_type,
            conditions=conditions,
            reason=reason,
            created_at=self._now(),
            created_by=by,
        )

    def put(self, rule: Suppression, *, by: str) -> Suppression:
        """Keep a rule under its name. It dismisses what comes from now on. Raises InputError."""
        check(rule)
        at = self._now()
        if rule.expires_at is not None and rule.expires_at <= at:
            raise InputError("the rule would be over before it begins", cure="Give a later expires_at, or none.")
        with self._cases.unit(at) as unit:
            known = {one.name: one for one in unit.suppressions()}.get(rule.name)
            if known is not None:
                rule = msgspec.structs.replace(
                    rule,
                    incident=known.incident,
                    dismissed=known.dismissed,
                    created_at=known.created_at,
                    created_by=known.created_by,
                )
            unit.put_suppression(rule)
            action = "created" if known is None else "changed"
            unit.record([self._entry(rule.name, action, f"{rule.alert_type}: {rule.reason}", by, at)])
        return rule

    def delete(self, name: str, *, by: str) -> None:
        """What it dismissed stays dismissed. Raises NotFoundError."""
        at = self._now()
        with self._cases.unit(at) as unit:
            unit.delete_suppression(name)
            unit.record([self._entry(name, "deleted", "The rule was removed.", by, at)])

    def rules(self) -> list[Suppression]:
        """By name."""
        return self._cases.suppressions()

    def try_out(self, rule: Suppression, *, since: float) -> Trial:
        """What it would have dismissed of the stored alerts seen since a moment. Changes nothing."""
        check(rule)
        rule = msgspec.structs.replace(rule, enabled=True, expires_at=None)
        looked_at, found, cursor = 0, list[Alert](), ""
        while True:
            page, cursor = self._control.alerts(AlertFilter(since=since), cursor=cursor, limit=_PAGE)
            looked_at += len(page)
            found += [alert for alert in page if suppressing(alert, [rule], self._now())]
            if not cursor or looked_at >= _MOST_TRIED:
                break
        return Trial(
            looked_at=looked_at,
            dismissed=len(found),
            high=sum(alert.severity.value == "high" for alert in found),
            first=tuple(found[:_MOST_SHOWN]),
            bounded=bool(cursor),
        )

    def _entry(self, name: str, action: str, text: str, by: str, at: float) -> Activity:
        return Activity(
            at=at,
            origin=Origin.PERSON,
            by=by,
            subject=Subject.SUPPRESSION,
            subject_id=name,
            action=action,
            text=text,
        )
