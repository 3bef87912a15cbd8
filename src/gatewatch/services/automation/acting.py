"""What a rule does to incidents and alerts: the same patches, guards and audit entries as for people."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from gatewatch.errors import ConflictError, InputError, NotFoundError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import AlertStatus
from gatewatch.model.automation import (
    About,
    Action,
    ActionOutcome,
    ActionReport,
    AddComment,
    AddTags,
    AddTask,
    AutomationRule,
    ChangeProperties,
    RemoveTags,
    RuleRun,
    RunPlaybook,
)
from gatewatch.model.incident import IncidentStatus, Task
from gatewatch.ports.automation import AutomationUnit
from gatewatch.ports.cases import CaseUnit
from gatewatch.respond.conditions import Facts
from gatewatch.respond.rules import filled, told
from gatewatch.services.automation.scene import Scene
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.patches import AlertPatch, IncidentPatch

__all__ = ["Acting", "author", "entry_of"]

_HOUR_S = 3600.0
_ALERT_FIELDS = ("classification", "determination", "assigned_to")
_SAME = (*_ALERT_FIELDS, "severity", "name", "description", "resolving_comment")


def author(rule: str) -> str:
    """The name under which a rule stands in the audit log."""
    return f"rule {rule}"


def entry_of(run: RuleRun, action: str, text: str, at: float) -> Activity:
    """What a run did, for the audit log."""
    return Activity(
        at=at,
        origin=Origin.SYSTEM,
        by=author(run.rule),
        subject=Subject.RULE,
        subject_id=run.rule,
        incident=run.incident,
        action=action,
        text=text,
        details={"run": run.id, "why": run.why, "on": f"{run.about.value} {run.subject}".strip()},
    )


class Acting:
    """Carries out what changes incidents and alerts, in the run's transaction; playbooks wait for its end."""

    def __init__(self, casework: Casework) -> None:
        """`casework` does what rules want, not people."""
        self._casework = casework

    def act(self, unit: AutomationUnit, rule: AutomationRule, scene: Scene, at: float) -> tuple[ActionReport, ...]:
        """All actions in order; one that fails is told and does not keep the next from being tried."""
        unit.cases.because_of((*scene.event.chain, rule.name))
        reports = []
        for action in rule.actions:
            facts, _ = scene.facts(rule.timezone)
            report = self._one(unit, rule, action, scene, facts, at)
            if report.outcome is ActionOutcome.DONE:
                scene.look()
            reports.append(report)
        return tuple(reports)

    def _one(
        self, unit: AutomationUnit, rule: AutomationRule, action: Action, scene: Scene, facts: Facts, at: float
    ) -> ActionReport:
        name = str(action.__struct_config__.tag)
        try:
            ready = filled(action, facts)
            if isinstance(ready, RunPlaybook):
                inputs: dict[str, Any] = msgspec.to_builtins(ready.inputs)
                return ActionReport(action=name, outcome=ActionOutcome.WAITING, playbook=ready.playbook, inputs=inputs)
            done = self._change(unit.cases, rule, ready, scene, at)
        except (ConflictError, InputError, NotFoundError) as error:
            return ActionReport(
                action=name, outcome=ActionOutcome.FAILED, detail=f"{error.message}. {error.cure}".strip()
            )
        outcome = ActionOutcome.DONE if done else ActionOutcome.UNCHANGED
        return ActionReport(action=name, outcome=outcome, detail=told(ready))

    def _change(self, unit: CaseUnit, rule: AutomationRule, action: Action, scene: Scene, at: float) -> bool:
        """Whether anything is different now."""
        by, number = author(rule.name), scene.incident
        if isinstance(action, ChangeProperties) and scene.event.about is About.ALERT:
            return self._change_alert(unit, action, scene.event.subject, by, at)
        before = unit.incident(number).revision
        if isinstance(action, ChangeProperties):
            given = {name: getattr(action, name) for name in _SAME}
            status = IncidentStatus(action.status) if action.status is not None else None
            self._casework.change_incident_in(unit, number, IncidentPatch(status=status, **given), by=by, at=at)
        elif isinstance(action, AddTags | RemoveTags):
            known, named = unit.incident(number).tags, set(action.tags)
            tags = (*known, *action.tags) if isinstance(action, AddTags) else tuple(t for t in known if t not in named)
            patch = IncidentPatch(tags=tuple(dict.fromkeys(tags)))
            self._casework.change_incident_in(unit, number, patch, by=by, at=at)
        elif isinstance(action, AddTask):
            self._add_task(unit, rule, action, number, at)
        elif isinstance(action, AddComment):
            self._casework.comment_in(unit, Subject.INCIDENT, str(number), action.text, by=by, at=at)
        return unit.incident(number).revision != before

    def _change_alert(self, unit: CaseUnit, action: ChangeProperties, alert: str, by: str, at: float) -> bool:
        status = AlertStatus(action.status) if action.status is not None else None
        given = {name: getattr(action, name) for name in _ALERT_FIELDS}
        before = unit.alert(alert).revision
        new = self._casework.change_alert_in(unit, alert, AlertPatch(status=status, **given), by=by, at=at)
        return new.revision != before

    def _add_task(self, unit: CaseUnit, rule: AutomationRule, action: AddTask, number: int, at: float) -> None:
        key = blake2b(f"{rule.name}\0{action.title}".encode(), digest_size=8).hexdigest()
        if any(task.id == f"rule-{key}" for task in unit.incident(number).tasks):
            return
        task = Task(
            id=f"rule-{key}",
            title=action.title[:500],
            assigned_to=action.assigned_to[:256],
            due_at=at + action.due_in_h * _HOUR_S if action.due_in_h is not None else None,
            created_at=at,
            created_by=author(rule.name),
        )
        self._casework.put_task_in(unit, number, task, by=author(rule.name), at=at)
