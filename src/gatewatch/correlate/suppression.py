"""Whether a rule dismisses an alert."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from gatewatch.errors import InputError
from gatewatch.model.alert import Alert
from gatewatch.model.suppression import Condition, Suppression

__all__ = ["FIELDS", "check", "suppressing"]

FIELDS: dict[str, Callable[[Alert], tuple[str, ...]]] = {
    "actor": lambda alert: tuple(actor.id for actor in alert.actors),
    "address": lambda alert: alert.client_ips,
    "endpoint": lambda alert: alert.endpoints,
    "title": lambda alert: (alert.title,),
    "severity": lambda alert: (alert.severity.value,),
    "detector": lambda alert: (alert.detector,),
}
"""What a condition may ask for. All values of the alert must fit, so that nothing hides behind a harmless one."""


def suppressing(alert: Alert, rules: Iterable[Suppression], now: float) -> Suppression | None:
    """The first rule in force that fits; `now` in Unix seconds."""
    for rule in rules:
        expired = rule.expires_at is not None and rule.expires_at <= now
        if rule.enabled and not expired and _fits(alert, rule):
            return rule
    return None


def check(rule: Suppression) -> None:
    """Raises InputError for a rule that can't be meant: without any condition, with an unknown field or network."""
    if not rule.reason.strip():
        raise InputError("a suppression needs a reason", cure="Say why nobody has to see these alerts.")
    if rule.alert_type == "*" and not rule.conditions:
        raise InputError("this would dismiss every alert", cure="Give an alert type or a condition.")
    for condition in rule.conditions:
        if condition.field not in FIELDS:
            raise InputError(f"no field {condition.field!r}", cure=f"Fields: {', '.join(FIELDS)}.")
        if not condition.values:
            raise InputError(f"the condition on {condition.field} has no values", cure="Give at least one.")
        for value in condition.values:
            if condition.field == "address" and "*" not in value:
                _network(value)


def _fits(alert: Alert, rule: Suppression) -> bool:
    if rule.alert_type not in ("*", alert.alert_type):
        return False
    return all(_holds(alert, condition) for condition in rule.conditions)


def _holds(alert: Alert, condition: Condition) -> bool:
    found = FIELDS[condition.field](alert)
    return bool(found) and all(any(_like(condition, value, wanted) for wanted in condition.values) for value in found)


def _like(condition: Condition, value: str, wanted: str) -> bool:
    if condition.field == "address" and "*" not in wanted:
        try:
            return ip_address(value) in ip_network(wanted, strict=False)
        except ValueError:
            return False
    return fnmatchcase(value.lower(), wanted.lower().replace("[", "[[]"))


def _network(text: str) -> None:
    try:
        ip_network(text, strict=False)
    except ValueError as error:
        raise InputError(f"{text!r} is no address or network", cure="Write 203.0.113.7 or 203.0.113.0/24.") from error
