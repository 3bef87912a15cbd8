"""Made-up subjects and connections for simulations of playbooks; nothing here could reach anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gatewatch.model.action import ActionCall, ActionMeta, ActionResult, ConnectorMeta, Outcome
from gatewatch.model.alert import Alert
from gatewatch.model.incident import Incident
from gatewatch.model.run import Run
from gatewatch.ports.connectors import ConnectorError
from gatewatch.ports.playbooks import SubjectKind
from gatewatch.respond.playbooks.checking import fits
from gatewatch.services.playbooks.changing import Changing
from gatewatch.testing.alerts import NOON

__all__ = ["FINDING", "INCIDENT", "ExampleConnectors", "MadeUpSubjects", "alert_facts", "incident_facts"]


class ExampleConnectors:
    """Implements `ports.connectors.Connectors`: checks inputs, answers with the examples of the outputs."""

    def __init__(self, metas: Mapping[str, ConnectorMeta]) -> None:
        self._metas = dict(metas)
        self.calls: list[ActionCall] = []

    def metas(self) -> dict[str, ConnectorMeta]:
        """Connection name -> what it can do."""
        return dict(self._metas)

    def perform(self, call: ActionCall) -> ActionResult:
        """Raises ConnectorError for what a real connection would not take."""
        action = self._action(call)
        inputs = {one.name: one for one in action.inputs}
        for name, value in call.inputs.items():
            if name not in inputs or (value is not None and not fits(value, inputs[name].type)):
                raise ConnectorError(f"{call.connection}: {call.action}: wrong {name}")
            if inputs[name].choices and value not in inputs[name].choices:
                raise ConnectorError(f"{call.connection}: {call.action}: {name} is none of the choices")
        missing = [name for name, one in inputs.items() if one.required and not call.inputs.get(name)]
        if missing:
            raise ConnectorError(f"{call.connection}: {call.action}: {', '.join(missing)} is missing")
        self.calls.append(call)
        return ActionResult(outcome=Outcome.SUCCEEDED, values={one.name: one.example for one in action.outputs})

    def read_back(self, call: ActionCall) -> ActionResult:
        """As it was answered."""
        return self.perform(call)

    def _action(self, call: ActionCall) -> ActionMeta:
        meta = self._metas.get(call.connection)
        found = next((one for one in meta.actions if one.id == call.action), None) if meta else None
        if found is None:
            raise ConnectorError(f"there is no {call.connection}.{call.action}")
        return found


class MadeUpSubjects(Changing):
    """What playbooks know of subjects that are in no store; nothing can be changed."""

    def __init__(self, made: Callable[[Run], dict[str, Any]]) -> None:
        self._made = made

    def incident_of(self, kind: SubjectKind, subject: str) -> int:
        """Its number."""
        return int(subject) if kind is SubjectKind.INCIDENT else 0

    def context(self, run: Run) -> dict[str, Any]:
        """As it was made up."""
        return self._made(run)


def incident_facts(incident: Incident) -> dict[str, Any]:
    """What expressions know of an incident."""
    same = (
        *("id", "name", "priority", "assigned_to", "alerts", "open_alerts", "calls", "created_at", "last_activity"),
        *("status", "severity", "classification", "determination"),
    )
    return {
        **{name: _plain(getattr(incident, name)) for name in same},
        "open": incident.status.open,
        "severity_rank": incident.severity.rank,
        "tags": list(incident.tags),
        "tactics": [tactic.value for tactic in incident.tactics],
        "detectors": list(incident.detectors),
        "alert_types": list(incident.alert_types),
    }


def alert_facts(alert: Alert) -> dict[str, Any]:
    """What expressions know of an alert."""
    same = ("id", "title", "alert_type", "detector", "severity", "tactic", "owasp", "count")
    return {
        **{name: _plain(getattr(alert, name)) for name in same},
        "actors": [f"{actor.kind.value}:{actor.id}" for actor in alert.actors],
        "addresses": list(alert.client_ips),
        "endpoints": list(alert.endpoints),
        "sentence": alert.explanation.sentence,
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _alert(number: int, alert_type: str, address: str, sentence: str) -> dict[str, Any]:
    return {
        "id": f"a{number}",
        "title": f"Title of {alert_type}",
        "alert_type": alert_type,
        "detector": "d.one",
        "severity": "high",
        "tactic": "CredentialAccess",
        "owasp": "API2:2023",
        "actors": ["subject:mallory"],
        "addresses": [address],
        "endpoints": ["POST shop.example /login"],
        "count": 410,
        "sentence": sentence,
    }


INCIDENT: dict[str, Any] = {
    "incident": {
        "id": 7,
        "name": "Credential stuffing on shop.example",
        "status": "active",
        "open": True,
        "severity": "high",
        "severity_rank": 3,
        "priority": 88,
        "classification": "true_positive",
        "determination": "compromised_account",
        "assigned_to": "",
        "tags": ["vip"],
        "tactics": ["PreAttack", "CredentialAccess"],
        "alert_types": ["API_CredentialStuffing", "API_AccessFromSuspiciousIP"],
        "detectors": ["authentication.credential_stuffing", "intelligence.suspicious_address"],
        "alerts": 2,
        "open_alerts": 2,
        "calls": 820,
        "created_at": NOON,
        "last_activity": NOON + 3600.0,
    },
    "alerts": [
        _alert(1, "API_CredentialStuffing", "203.0.113.7", "203.0.113.7 tried 380 accounts; 2 logins succeeded."),
        _alert(2, "API_AccessFromSuspiciousIP", "198.51.100.9", "198.51.100.9 is on a threat list."),
    ],
    "entities": [
        {"kind": "actor", "value": "subject:mallory", "verdict": "compromised"},
        {"kind": "address", "value": "203.0.113.7", "verdict": "malicious"},
        {"kind": "address", "value": "198.51.100.9", "verdict": "suspicious"},
        {"kind": "address", "value": "198.51.100.10", "verdict": "malicious"},
        {"kind": "address", "value": "192.0.2.1", "verdict": "clean"},
        {"kind": "endpoint", "value": "POST shop.example /login", "verdict": ""},
    ],
}
"""What expressions know of a made-up incident: an attack from three addresses; a fourth one is clean."""

FINDING: dict[str, Any] = {
    "finding": {
        "id": "f1",
        "recommendation": "endpoint_authentication",
        "title": "API endpoints should be authenticated",
        "severity": "high",
        "severity_rank": 3,
        "status": "unhealthy",
        "cause": "31 of 31 accepted calls carried no credential.",
        "remediation": "Require a token.",
        "endpoint": "GET shop.example /orders/{int}",
        "endpoint_id": "00000000000000ab",
        "evaluated_at": NOON,
    }
}
"""And of a made-up finding."""
