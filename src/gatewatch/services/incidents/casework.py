"""What people do with alerts and incidents: checked, carried out in one transaction, and in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from gatewatch.correlate.guards import obstacle
from gatewatch.errors import ConflictError, InputError, StaleError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import Alert, AlertStatus
from gatewatch.model.correlation import CorrelationReason, Link
from gatewatch.model.incident import EntityVerdict, Incident, IncidentStatus, Task
from gatewatch.model.verdict import Classification
from gatewatch.ports.cases import CaseStore, CaseUnit
from gatewatch.services.incidents.correlating import sightings_of
from gatewatch.services.incidents.merging import merge
from gatewatch.services.incidents.patches import (
    MOST_COMMENT,
    AlertPatch,
    IncidentPatch,
    patched_alert,
    patched_incident,
)
from gatewatch.services.incidents.summing import Summing

__all__ = ["MOST_MERGED", "Casework"]

MOST_MERGED = 5
_LEAST_MERGED = 2
_MOST_TASKS = 200
_CLOSED = (AlertStatus.RESOLVED, AlertStatus.DISMISSED)


class Casework:
    """`by` is the name of who asks; `revision` the one that was read, None to change whatever is there.

    What ends with `_in` is done in a transaction that the caller has begun, stamped with its time.
    """

    def __init__(
        self, cases: CaseStore, summing: Summing, now: Callable[[], float], origin: Origin = Origin.PERSON
    ) -> None:
        """`now` in Unix seconds; `origin`: whether it is people who ask."""
        self._cases, self._summing, self._now, self._origin = cases, summing, now, origin

    def change_alert(self, alert_id: str, patch: AlertPatch, *, by: str, revision: int | None = None) -> Alert:
        """Raises NotFoundError, StaleError, InputError."""
        at = self._now()
        with self._cases.unit(at) as unit:
            return self.change_alert_in(unit, alert_id, patch, by=by, at=at, revision=revision)

    def change_alert_in(
        self, unit: CaseUnit, alert_id: str, patch: AlertPatch, *, by: str, at: float, revision: int | None = None
    ) -> Alert:
        """Raises NotFoundError, StaleError, InputError; before anything is changed."""
        alert = unit.alert(alert_id)
        _check_revision("alert", alert_id, alert.revision, revision)
        new = patched_alert(alert, patch, at)
        if new == alert:
            return alert
        new = msgspec.structs.replace(new, revision=alert.revision + 1, updated_at=at)
        unit.put_alert(new)
        unit.record([self._changed(Subject.ALERT, alert_id, alert.incident, alert, new, by, at)])
        if alert.incident:
            self._acknowledge(unit, alert.incident, at)
            self._reconsider(unit, new, by, at)
            self._summing.refresh(unit, [alert.incident], at)
        return unit.alert(alert_id)

    def change_incident(
        self, incident_id: int, patch: IncidentPatch, *, by: str, revision: int | None = None
    ) -> Incident:
        """Raises NotFoundError, StaleError, InputError; ConflictError for one that was merged away."""
        at = self._now()
        with self._cases.unit(at) as unit:
            return self.change_incident_in(unit, incident_id, patch, by=by, at=at, revision=revision)

    def change_incident_in(
        self, unit: CaseUnit, incident_id: int, patch: IncidentPatch, *, by: str, at: float, revision: int | None = None
    ) -> Incident:
        """Raises NotFoundError, StaleError, InputError, ConflictError; before anything is changed."""
        incident = self._current(unit, incident_id, revision)
        new = patched_incident(incident, patch, at)
        if self._origin is not Origin.PERSON:
            new = msgspec.structs.replace(new, acknowledged_at=incident.acknowledged_at)
        if new == incident:
            return incident
        new = msgspec.structs.replace(new, revision=incident.revision + 1, updated_at=at, updated_by=by)
        unit.put_incident(new)
        unit.record([self._changed(Subject.INCIDENT, str(incident_id), incident_id, incident, new, by, at)])
        self._inherit(unit, incident, new, by, at)
        self._summing.refresh(unit, [incident_id], at)
        return unit.incident(incident_id)

    def comment(self, subject: Subject, subject_id: str, text: str, *, by: str) -> Activity:
        """Add a comment to an alert or an incident. Raises NotFoundError, InputError on an empty or too long one."""
        at = self._now()
        with self._cases.unit(at) as unit:
            return self.comment_in(unit, subject, subject_id, text, by=by, at=at)

    def comment_in(
        self, unit: CaseUnit, subject: Subject, subject_id: str, text: str, *, by: str, at: float
    ) -> Activity:
        """Raises NotFoundError, ConflictError, InputError; before anything is changed."""
        if not text.strip() or len(text) > MOST_COMMENT:
            raise InputError(f"a comment has 1 to {MOST_COMMENT} characters", cure="Shorten it, or link to the rest.")
        if subject is Subject.ALERT:
            alert = unit.alert(subject_id)
            incident = alert.incident
            # Who follows alerts by their last change has to meet the comment.
            unit.put_alert(msgspec.structs.replace(alert, revision=alert.revision + 1, updated_at=at))
        else:
            incident = self._current(unit, int(subject_id), None).id
        entry = self._entry(subject, subject_id, incident, "comment", text.strip(), by, at)
        (kept,) = unit.record([entry])
        if incident:
            self._stamp(unit, incident, by, at)
        return kept

    def note(self, subject: Subject, subject_id: str, action: str, text: str, *, by: str) -> None:
        """Something that a person did to Gatewatch itself: a token made, a setting changed."""
        at = self._now()
        with self._cases.unit(at) as unit:
            unit.record([self._entry(subject, subject_id, 0, action, text, by, at)])

    def merge(self, incident_ids: Collection[int], *, by: str, reason: str) -> Incident:
        """Up to five into the oldest. Raises ConflictError naming what keeps them apart."""
        numbers = sorted(set(incident_ids))
        if not _LEAST_MERGED <= len(numbers) <= MOST_MERGED:
            raise InputError(f"{_LEAST_MERGED} to {MOST_MERGED} different incidents can be merged at once")
        at = self._now()
        with self._cases.unit(at) as unit:
            target, *sources = [self._current(unit, number, None) for number in numbers]
            for source in sources:
                why = obstacle(target, source, unit.entity_count(target.id) + unit.entity_count(source.id))
                if why:
                    raise ConflictError(f"these incidents can't be merged: {why}", cure="Make them alike first.")
            unit.record(merge(unit, target, sources, by=by, origin=Origin.PERSON, text=reason, at=at))
            self._summing.refresh(unit, numbers, at)
            return unit.incident(target.id)

    def move(self, alert_ids: Collection[str], target: int | None, *, by: str, reason: str) -> Incident:
        """Alerts into another incident, a new one when `target` is None. Raises NotFoundError, ConflictError."""
        chosen = list(dict.fromkeys(alert_ids))
        if not chosen:
            raise InputError("no alerts were named")
        at = self._now()
        with self._cases.unit(at) as unit:
            moving = [unit.alert(alert_id) for alert_id in chosen]
            incident = (
                self._current(unit, target, None) if target is not None else self._opened(unit, moving[0], by, at)
            )
            left = {alert.incident for alert in moving if alert.incident != incident.id}
            for alert in moving:
                self._transfer(unit, alert, incident, by, reason, at)
            for number in sorted(left - {0}):
                self._tidy(unit, number, incident.id, by, at)
            self._summing.refresh(unit, {*left - {0}, incident.id}, at)
            return unit.incident(incident.id)

    def judge_entity(self, incident_id: int, entity: str, verdict: EntityVerdict, *, by: str) -> Incident:
        """A person's verdict on `kind value`."""

        def judged(incident: Incident) -> Incident:
            return msgspec.structs.replace(incident, verdicts={**incident.verdicts, entity: verdict})

        at = self._now()
        with self._cases.unit(at) as unit:
            return self._edit(unit, incident_id, judged, "verdict", f"{entity} is {verdict.value}.", by, at)

    def put_task(self, incident_id: int, task: Task, *, by: str) -> Incident:
        """Add a task, or replace the one with its id."""
        at = self._now()
        with self._cases.unit(at) as unit:
            return self.put_task_in(unit, incident_id, task, by=by, at=at)

    def put_task_in(self, unit: CaseUnit, incident_id: int, task: Task, *, by: str, at: float) -> Incident:
        """Raises NotFoundError, ConflictError, InputError; before anything is changed."""

        def tasked(incident: Incident) -> Incident:
            tasks = {known.id: known for known in incident.tasks}
            if task.id not in tasks and len(tasks) >= _MOST_TASKS:
                raise InputError(f"an incident has at most {_MOST_TASKS} tasks")
            return msgspec.structs.replace(incident, tasks=tuple({**tasks, task.id: task}.values()))

        state = "done" if task.done else "to do"
        return self._edit(unit, incident_id, tasked, "task", f"{task.title}: {state}.", by, at)

    def _edit(
        self,
        unit: CaseUnit,
        incident_id: int,
        change: Callable[[Incident], Incident],
        action: str,
        text: str,
        by: str,
        at: float,
    ) -> Incident:
        incident = self._current(unit, incident_id, None)
        new = msgspec.structs.replace(change(incident), revision=incident.revision + 1, updated_at=at, updated_by=by)
        unit.put_incident(new)
        unit.record([self._entry(Subject.INCIDENT, str(incident_id), incident_id, action, text, by, at)])
        return new

    def _current(self, unit: CaseUnit, incident_id: int, revision: int | None) -> Incident:
        incident = unit.incident(incident_id)
        if incident.status is IncidentStatus.REDIRECTED:
            raise ConflictError(
                f"incident {incident_id} was merged into {incident.redirect_to}", cure=f"Use {incident.redirect_to}."
            )
        _check_revision("incident", str(incident_id), incident.revision, revision)
        return incident

    def _stamp(self, unit: CaseUnit, number: int, by: str, at: float) -> None:
        incident = unit.incident(number)
        unit.put_incident(
            msgspec.structs.replace(incident, updated_at=at, updated_by=by, revision=incident.revision + 1)
        )

    def _acknowledge(self, unit: CaseUnit, number: int, at: float) -> None:
        incident = unit.incident(number)
        if incident.acknowledged_at is None and self._origin is Origin.PERSON:
            unit.put_incident(msgspec.structs.replace(incident, acknowledged_at=at))

    def _reconsider(self, unit: CaseUnit, alert: Alert, by: str, at: float) -> None:
        """An alert that is opened again opens its incident."""
        incident = unit.incident(alert.incident)
        if incident.status is IncidentStatus.RESOLVED and alert.status not in _CLOSED:
            unit.put_incident(
                msgspec.structs.replace(incident, status=IncidentStatus.ACTIVE, resolved_at=None, updated_by=by)
            )
            text = f"Alert {alert.id} was opened again."
            unit.record([self._entry(Subject.INCIDENT, str(incident.id), incident.id, "reopened", text, by, at)])

    def _inherit(self, unit: CaseUnit, old: Incident, new: Incident, by: str, at: float) -> None:
        """What an incident gets its alerts get: owner, conclusion, the end, the new beginning."""
        ended = new.status is IncidentStatus.RESOLVED and old.status is not new.status
        begun = old.status is IncidentStatus.RESOLVED and new.status.open
        taken = new.assigned_to != old.assigned_to
        if not (ended or begun or taken):
            return
        activities = []
        for alert in unit.alerts_of(new.id):
            heir = msgspec.structs.replace(alert, assigned_to=new.assigned_to if taken else alert.assigned_to)
            if ended and alert.status not in _CLOSED:
                heir = msgspec.structs.replace(heir, status=AlertStatus.RESOLVED, resolved_at=at)
                if alert.classification is Classification.UNKNOWN:
                    heir = msgspec.structs.replace(
                        heir, classification=new.classification, determination=new.determination
                    )
            if begun and alert.status is AlertStatus.RESOLVED:
                heir = msgspec.structs.replace(heir, status=AlertStatus.IN_PROGRESS, resolved_at=None)
            if heir != alert:
                heir = msgspec.structs.replace(heir, revision=alert.revision + 1, updated_at=at)
                unit.put_alert(heir)
                activities.append(self._changed(Subject.ALERT, alert.id, new.id, alert, heir, by, at))
        unit.record(activities)

    def _opened(self, unit: CaseUnit, alert: Alert, by: str, at: float) -> Incident:
        incident = Incident(
            id=unit.new_incident_id(),
            name=alert.title,
            severity=alert.severity,
            created_at=at,
            updated_at=at,
            updated_by=by,
            acknowledged_at=at,
            first_activity=alert.first_seen,
            last_activity=alert.last_seen,
            first_detected=alert.detected_at,
        )
        unit.put_incident(incident)
        text = "Split off by hand."
        unit.record([self._entry(Subject.INCIDENT, str(incident.id), incident.id, "created", text, by, at)])
        return incident

    def _transfer(self, unit: CaseUnit, alert: Alert, target: Incident, by: str, reason: str, at: float) -> None:
        if alert.incident == target.id:
            return
        link = Link(reason=CorrelationReason.MANUAL, subject=reason or f"moved by {by}", weight=1.0)
        unit.put_alert(
            msgspec.structs.replace(
                alert, incident=target.id, links=(link,), revision=alert.revision + 1, updated_at=at
            )
        )
        unit.see(sightings_of(alert, target.id))
        text = f"Alert {alert.id} ({alert.title}) moved from incident {alert.incident}. {reason}".strip()
        unit.record([self._entry(Subject.ALERT, alert.id, target.id, "moved", text, by, at)])

    def _tidy(self, unit: CaseUnit, number: int, target: int, by: str, at: float) -> None:
        """What the source has left: its own things to be looked up by, or nothing but a sign to the other."""
        unit.forget_sightings(number)
        rest = unit.alerts_of(number)
        for alert in rest:
            unit.see(sightings_of(alert, number))
        if not rest:
            empty = unit.incident(number)
            unit.put_incident(
                msgspec.structs.replace(
                    empty,
                    status=IncidentStatus.REDIRECTED,
                    redirect_to=target,
                    alerts=0,
                    open_alerts=0,
                    updated_at=at,
                    updated_by=by,
                    revision=empty.revision + 1,
                )
            )
            text = f"All its alerts moved to incident {target}."
            unit.record([self._entry(Subject.INCIDENT, str(number), number, "redirected", text, by, at)])

    def _changed(
        self,
        subject: Subject,
        subject_id: str,
        incident: int,
        old: Alert | Incident,
        new: Alert | Incident,
        by: str,
        at: float,
    ) -> Activity:
        details: dict[str, str] = {}
        for field in _SHOWN:
            before, after = getattr(old, field, None), getattr(new, field, None)
            if before != after:
                details[field] = f"{_text(before)} -> {_text(after)}"
        text = "; ".join(f"{field.replace('_', ' ')}: {change}" for field, change in details.items())
        return msgspec.structs.replace(
            self._entry(subject, subject_id, incident, "changed", text[:MOST_COMMENT], by, at), details=details
        )

    def _entry(
        self, subject: Subject, subject_id: str, incident: int, action: str, text: str, by: str, at: float
    ) -> Activity:
        return Activity(
            at=at,
            origin=self._origin,
            by=by,
            subject=subject,
            subject_id=subject_id,
            incident=incident,
            action=action,
            text=text,
        )


def _check_revision(kind: str, name: str, current: int, wanted: int | None) -> None:
    if wanted is not None and wanted != current:
        raise StaleError(f"{kind} {name} is at revision {current}, not {wanted}", cure="Read it again, then decide.")


_SHOWN = (
    "status",
    "classification",
    "determination",
    "assigned_to",
    "severity",
    "name",
    "description",
    "resolving_comment",
    "tags",
)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in ("", None) else "none"
