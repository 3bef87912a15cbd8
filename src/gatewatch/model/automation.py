"""Automation rules: when something happens, under conditions, do something; and what became of each run."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from gatewatch.model.alert import Severity
from gatewatch.model.verdict import Classification, Determination

__all__ = [
    "About",
    "Action",
    "ActionOutcome",
    "ActionReport",
    "AddComment",
    "AddTags",
    "AddTask",
    "AlertCreated",
    "AutomationRule",
    "ChangeProperties",
    "ConditionReport",
    "FindingChanged",
    "FindingOpened",
    "IncidentCreated",
    "IncidentUpdated",
    "Manual",
    "RemoveTags",
    "RuleRun",
    "RunOutcome",
    "RunPlaybook",
    "Schedule",
    "Trigger",
    "trigger_name",
]


class About(StrEnum):
    """What a run is about."""

    INCIDENT = "incident"
    ALERT = "alert"
    FINDING = "finding"
    NONE = "none"
    """A schedule."""


class IncidentCreated(msgspec.Struct, frozen=True, tag_field="on", tag="incident_created", forbid_unknown_fields=True):
    """An incident was opened."""


class IncidentUpdated(msgspec.Struct, frozen=True, tag_field="on", tag="incident_updated", forbid_unknown_fields=True):
    """Status, severity, owner or conclusion changed; alerts, comments, tags or tactics were added."""


class AlertCreated(msgspec.Struct, frozen=True, tag_field="on", tag="alert_created", forbid_unknown_fields=True):
    """An alert was found and has its incident; one that a suppression dismissed is none."""


class FindingOpened(msgspec.Struct, frozen=True, tag_field="on", tag="finding_opened", forbid_unknown_fields=True):
    """A finding is unhealthy and was not before."""


class FindingChanged(msgspec.Struct, frozen=True, tag_field="on", tag="finding_changed", forbid_unknown_fields=True):
    """Status or severity of a known finding is another."""


class Schedule(msgspec.Struct, frozen=True, tag_field="on", tag="schedule", forbid_unknown_fields=True):
    """Times of the clock, in the rule's time zone."""

    cron: str
    """Five fields: minute, hour, day of month, month, day of week."""


class Manual(msgspec.Struct, frozen=True, tag_field="on", tag="manual", forbid_unknown_fields=True):
    """Nothing but a person starts it."""

    subject: About = About.INCIDENT
    """What it is run on."""


Trigger = IncidentCreated | IncidentUpdated | AlertCreated | FindingOpened | FindingChanged | Schedule | Manual


def trigger_name(trigger: Trigger) -> str:
    """`incident_created`, ..."""
    return str(trigger.__struct_config__.tag)


class ChangeProperties(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="change_properties", forbid_unknown_fields=True
):
    """Set what is given; the rest stays. Of an alert: status, classification, determination, assigned_to."""

    status: str | None = None
    """A status of an incident, or of an alert when the rule is about alerts."""
    severity: Severity | None = None
    classification: Classification | None = None
    determination: Determination | None = None
    assigned_to: str | None = None
    """'' for nobody."""
    name: str | None = None
    description: str | None = None
    resolving_comment: str | None = None


class AddTags(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="add_tags", forbid_unknown_fields=True):
    """Give the incident tags."""

    tags: tuple[str, ...]


class RemoveTags(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="remove_tags", forbid_unknown_fields=True
):
    """Take tags from the incident."""

    tags: tuple[str, ...]


class AddTask(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="add_task", forbid_unknown_fields=True):
    """Something for people to do about the incident; added once however often the rule runs on it."""

    title: str
    assigned_to: str = ""
    due_in_h: float | None = None
    """Hours from the run."""


class AddComment(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="add_comment", forbid_unknown_fields=True
):
    """Say something in the incident."""

    text: str


class RunPlaybook(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="run_playbook", forbid_unknown_fields=True
):
    """Start a playbook on the subject; the rule does not wait for its end."""

    playbook: str
    inputs: dict[str, Any] = {}
    """Texts may hold `${expression}`."""


Action = ChangeProperties | AddTags | RemoveTags | AddTask | AddComment | RunPlaybook


class AutomationRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. All conditions must hold; then all actions are carried out in order."""

    name: str
    title: str
    description: str = ""
    order: int = 100
    """1 to 1000; lower ones run first, equal ones by name."""
    enabled: bool = True
    trigger: Trigger
    timezone: str = "UTC"
    """IANA name; for schedules and for `now` in conditions."""
    conditions: tuple[str, ...] = ()
    """CEL; docs/reference/automation.md says what it may name."""
    expires_at: float | None = None
    """Unix seconds from which it does not run any more."""
    actions: tuple[Action, ...]
    created_at: float = 0.0
    created_by: str = ""
    updated_at: float = 0.0
    updated_by: str = ""
    revision: int = 1
    """Counts every change; the ETag."""

    def expired(self, at: float) -> bool:
        """Whether it is over at a moment (Unix seconds)."""
        return self.expires_at is not None and self.expires_at <= at


class RunOutcome(StrEnum):
    """What became of a run."""

    MATCHED = "matched"
    """All conditions held; see the actions for what became of each."""
    NOT_MATCHED = "not_matched"
    FAILED = "failed"
    """A condition could not be evaluated, so the rule did nothing."""
    CUT = "cut"
    """Not run: too many rules had led to the change, one after the other."""
    GONE = "gone"
    """Not run: its subject was merged into another or is no more."""


class ActionOutcome(StrEnum):
    """What became of one action."""

    DONE = "done"
    UNCHANGED = "unchanged"
    """It was so already."""
    FAILED = "failed"
    WAITING = "waiting"
    """A playbook that is about to be started."""
    WOULD = "would"
    """A simulation: it would be done."""


class ConditionReport(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of one run."""

    text: str
    holds: bool | None
    """None: it could not be evaluated."""
    why: str = ""
    """Then why."""
    values: dict[str, str] = {}
    """What the fields that it names were; bounded."""


class ActionReport(msgspec.Struct, frozen=True, kw_only=True):
    """One action of one run."""

    action: str
    outcome: ActionOutcome
    detail: str = ""
    """What was changed, or why it failed."""
    playbook: str = ""
    inputs: dict[str, Any] = {}
    run: str = ""
    """Id of the playbook's run."""


class RuleRun(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, one event."""

    id: str
    rule: str
    revision: int
    """Of the rule."""
    trigger: str
    seq: int = 0
    """Number of the change in the control store's log; 0 for schedules and people."""
    event: str
    """What makes it one event: `seq 17`, `schedule 2026-01-01T08:00:00Z`, `manual …`."""
    about: About
    subject: str = ""
    incident: int = 0
    """The incident that it has to do with."""
    by: str = ""
    """The person, for a run by hand."""
    chain: tuple[str, ...] = ()
    """Rules that led to the event, the last of them made the change."""
    outcome: RunOutcome
    why: str
    """One sentence."""
    conditions: tuple[ConditionReport, ...] = ()
    actions: tuple[ActionReport, ...] = ()
    at: float
    took_s: float = 0.0
    """Seconds for deciding and changing; playbooks run on their own."""

    @property
    def waiting(self) -> bool:
        """Whether a playbook is still to be started."""
        return any(one.outcome is ActionOutcome.WAITING for one in self.actions)
