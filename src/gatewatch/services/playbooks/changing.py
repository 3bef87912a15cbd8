"""What runs read and change of their subject: through the same casework as people, so that guards and audit hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gatewatch.errors import GatewatchError, InputError
from gatewatch.model.action import ActionResult, Outcome
from gatewatch.model.activity import Subject
from gatewatch.model.incident import Task
from gatewatch.model.run import Run
from gatewatch.ports.cases import CaseStore, CaseUnit
from gatewatch.ports.clock import Clock
from gatewatch.ports.control import ControlStore
from gatewatch.ports.playbooks import SubjectKind
from gatewatch.respond.context import alert_facts, entity_list, finding_facts, incident_facts
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.patches import AlertPatch, IncidentPatch

__all__ = ["Changing"]

_MOST_ALERTS, _MOST_ENTITIES = 50, 200
_PROPERTIES = ("status", "severity", "classification", "determination", "assigned_to")


class Changing:
    """Thread-safe."""

    def __init__(self, cases: CaseStore, control: ControlStore, casework: Casework, clock: Clock) -> None:
        self._cases, self._control, self._casework, self._clock = cases, control, casework, clock

    def incident_of(self, kind: SubjectKind, subject: str) -> int:
        """The incident whose log shows a run about this; 0 for none. Raises NotFoundError for no such subject."""
        if kind is SubjectKind.INCIDENT:
            return self._current(int(subject)) if subject.isdecimal() else self._cases.incident(-1).id
        if kind is SubjectKind.ALERT:
            return self._control.alert(subject).incident
        if kind is SubjectKind.FINDING:
            self._control.finding(subject)
        return 0

    def context(self, run: Run) -> dict[str, Any]:
        """What expressions of a playbook know of its subject. Raises NotFoundError."""
        found: dict[str, Any] = {}
        if run.subject_kind == SubjectKind.FINDING:
            found["finding"] = msgspec.to_builtins(finding_facts(self._control.finding(run.subject_id)))
            return found
        if run.subject_kind == SubjectKind.ALERT:
            found["alert"] = msgspec.to_builtins(alert_facts(self._control.alert(run.subject_id)))
        if run.incident:
            incident = self._cases.incident(self._current(run.incident))
            seen = self._cases.entities_of(incident.id, _MOST_ENTITIES)
            found["incident"] = msgspec.to_builtins(incident_facts(incident))
            entities = entity_list(((one.kind, one.value) for one in seen), incident.verdicts)
            found["entities"] = msgspec.to_builtins(entities)
            if run.subject_kind == SubjectKind.INCIDENT:
                alerts, _ = self._cases.alerts_of(incident.id, limit=_MOST_ALERTS)
                found["alerts"] = msgspec.to_builtins([alert_facts(alert) for alert in alerts])
        return found

    def change(self, run: Run, wanted: Mapping[str, Any], key: str) -> ActionResult:
        """Doing it twice ends the same. Raises nothing: what can't be is a failed result."""
        try:
            return self._changed(run, wanted, key)
        except GatewatchError as error:
            return ActionResult(outcome=Outcome.FAILED, error=error.message)

    def _changed(self, run: Run, wanted: Mapping[str, Any], key: str) -> ActionResult:
        """All of it in one transaction, said to be the doing of the rules that led to the run."""
        by, at = f"playbook {run.playbook}", self._clock.now()
        about_alert = run.subject_kind == SubjectKind.ALERT
        with self._cases.unit(at) as unit:
            unit.because_of(run.chain)
            if about_alert:
                self._change_alert(unit, run.subject_id, wanted, by, at)
            if run.incident:
                number = self._current(run.incident)
                self._mark(unit, number, wanted, by, key, at)
                if not about_alert:
                    self._change_incident(unit, number, wanted, by, at)
        return ActionResult(outcome=Outcome.SUCCEEDED, values={"changed": sorted(wanted)})

    def _change_alert(self, unit: CaseUnit, alert: str, wanted: Mapping[str, Any], by: str, at: float) -> None:
        patch = _patch(AlertPatch, {name: wanted[name] for name in AlertPatch.__struct_fields__ if name in wanted})
        self._casework.change_alert_in(unit, alert, patch, by=by, at=at)
        text = str(wanted.get("comment") or "")
        if text and not self._said(Subject.ALERT, alert, text, by):
            self._casework.comment_in(unit, Subject.ALERT, alert, text, by=by, at=at)

    def _change_incident(self, unit: CaseUnit, number: int, wanted: Mapping[str, Any], by: str, at: float) -> None:
        patch = _patch(IncidentPatch, {name: wanted[name] for name in _PROPERTIES if wanted.get(name) is not None})
        self._casework.change_incident_in(unit, number, patch, by=by, at=at)
        text = str(wanted.get("comment") or "")
        if text and not self._said(Subject.INCIDENT, str(number), text, by):
            self._casework.comment_in(unit, Subject.INCIDENT, str(number), text, by=by, at=at)

    def _mark(self, unit: CaseUnit, number: int, wanted: Mapping[str, Any], by: str, key: str, at: float) -> None:
        """Tags and tasks belong to incidents, also when the run is about an alert."""
        incident = unit.incident(number)
        tags = [tag for tag in incident.tags if tag not in wanted.get("remove_tags", ())]
        tags = list(dict.fromkeys((*tags, *map(str, wanted.get("add_tags", ())))))
        self._casework.change_incident_in(unit, number, _patch(IncidentPatch, {"tags": tags}), by=by, at=at)
        if wanted.get("add_task") and key[:12] not in {task.id for task in incident.tasks}:
            task = Task(id=key[:12], title=str(wanted["add_task"])[:500], created_at=at, created_by=by)
            self._casework.put_task_in(unit, number, task, by=by, at=at)

    def _said(self, subject: Subject, subject_id: str, text: str, by: str) -> bool:
        known = self._cases.comments(subject, [subject_id]).get(subject_id, [])
        return any(one.by == by and one.text == text for one in known)

    def _current(self, number: int) -> int:
        """Where an incident went that was merged away."""
        incident = self._cases.incident(number)
        while incident.redirect_to:
            incident = self._cases.incident(incident.redirect_to)
        return incident.id


def _patch(kind: type[Any], values: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"can't be changed so: {error}") from error
