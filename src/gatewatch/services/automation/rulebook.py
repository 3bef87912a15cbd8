"""Rules made, changed, put in order, switched and removed; all of it in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from gatewatch.errors import ConflictError, InputError, NotFoundError, StaleError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.automation import AutomationRule, Schedule
from gatewatch.model.run import PlaybookVersion
from gatewatch.ports.automation import AutomationStore, AutomationUnit, KnownRule
from gatewatch.ports.clock import Clock
from gatewatch.respond.problems import Problem
from gatewatch.respond.rule_text import MOST_ORDER, read_rule
from gatewatch.respond.rule_warnings import rule_warnings
from gatewatch.respond.schedules import next_due

__all__ = ["MOST_RULES", "RuleState", "RuleView", "Rulebook"]

MOST_RULES = 1000


class RuleState(StrEnum):
    """Whether a rule runs."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    EXPIRED = "expired"


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as people see it."""

    known: KnownRule
    state: RuleState
    next_at: float | None = None
    """When its schedule is due next; None for none."""
    warnings: tuple[Problem, ...] = ()
    """Playbooks that it would start and can't, or that would only simulate."""


class Rulebook:
    """`by` is the name of who asks."""

    def __init__(
        self, store: AutomationStore, clock: Clock, playbooks: Callable[[], Sequence[PlaybookVersion]] | None = None
    ) -> None:
        """Times come from the clock; `playbooks` are those there are, None where nobody can tell."""
        self._store, self._clock, self._playbooks = store, clock, playbooks

    def rules(self) -> list[RuleView]:
        """In the order in which they run."""
        return self._views(self._store.rules())

    def rule(self, name: str) -> RuleView:
        """Raises NotFoundError."""
        return self._views([self._store.rule(name)])[0]

    def warnings(self, rules: Sequence[AutomationRule]) -> list[list[Problem]]:
        """Of each rule, kept or not, what can't be started."""
        if self._playbooks is None:
            return [[] for _ in rules]
        playbooks = self._playbooks()
        return [rule_warnings(rule, playbooks) for rule in rules]

    def read(self, name: str, data: object, *, by: str) -> AutomationRule:
        """A rule that is not kept. Raises ProblemsError with everything that is wrong."""
        return read_rule(name, data, by=by, at=self._clock.now())

    def put(self, name: str, data: object, *, by: str, revision: int | None = None) -> RuleView:
        """Make or change a rule; it hears of what happens from now on. Raises ProblemsError, StaleError."""
        return self.put_all({name: data}, by=by, revisions={name: revision})[0]

    def put_all(
        self, given: dict[str, Any], *, by: str, revisions: dict[str, int | None] | None = None
    ) -> list[RuleView]:
        """Make or change all of these, or none. Raises ProblemsError, StaleError, InputError."""
        at = self._clock.now()
        rules = [read_rule(name, data, by=by, at=at) for name, data in given.items()]
        with self._store.unit(at) as unit:
            known = {one.rule.name: one for one in unit.rules()}
            if len(set(known) | set(given)) > MOST_RULES:
                raise InputError(f"there may be {MOST_RULES} automation rules", cure="Remove some that are over.")
            for rule in rules:
                _check(known.get(rule.name), rule.name, (revisions or {}).get(rule.name))
                self._keep(unit, known.get(rule.name), rule, by, at)
        return self._views([self._store.rule(rule.name) for rule in rules])

    def switch(self, name: str, *, enabled: bool, by: str, revision: int | None = None) -> RuleView:
        """Enable or disable. Raises NotFoundError, StaleError."""
        at = self._clock.now()
        with self._store.unit(at) as unit:
            known = _one(unit, name)
            _check(known, name, revision)
            if known.rule.enabled is not enabled:
                rule = msgspec.structs.replace(known.rule, enabled=enabled)
                word = "enabled" if enabled else "disabled"
                self._keep(unit, known, rule, by, at, word, f"The rule was {word}.")
        return self.rule(name)

    def reorder(self, names: Sequence[str], *, by: str) -> list[RuleView]:
        """These rules, all there are, in this order. Raises ConflictError when they are not all there are."""
        at = self._clock.now()
        with self._store.unit(at) as unit:
            known = {one.rule.name: one for one in unit.rules()}
            if sorted(names) != sorted(known):
                raise ConflictError("these are not all the rules there are", cure="Read the list again.")
            step = max(1, min(10, MOST_ORDER // max(1, len(names))))
            for place, name in enumerate(names, start=1):
                rule = msgspec.structs.replace(known[name].rule, order=place * step)
                if rule.order != known[name].rule.order:
                    self._keep(unit, known[name], rule, by, at, "reordered", f"Order {rule.order}.")
        return self.rules()

    def delete(self, name: str, *, by: str, revision: int | None = None) -> None:
        """Its runs stay. Raises NotFoundError, StaleError."""
        at = self._clock.now()
        with self._store.unit(at) as unit:
            _check(_one(unit, name), name, revision)
            unit.delete_rule(name)
            unit.cases.record([_entry(name, "deleted", "The rule was removed.", by, at)])

    def _keep(
        self,
        unit: AutomationUnit,
        known: KnownRule | None,
        rule: AutomationRule,
        by: str,
        at: float,
        action: str = "",
        text: str = "",
    ) -> None:
        due = at
        if known is not None:
            old = known.rule
            rule = msgspec.structs.replace(
                rule,
                created_at=old.created_at,
                created_by=old.created_by,
                updated_at=at,
                updated_by=by,
                revision=old.revision + 1,
            )
            same = (old.trigger, old.timezone, old.enabled) == (rule.trigger, rule.timezone, rule.enabled)
            # A schedule that is new or was off begins now; what it would have been before is not made up for.
            due = known.due if same else at
        unit.put_rule(rule, due)
        word = action or ("created" if known is None else "changed")
        unit.cases.record([_entry(rule.name, word, text or f"{rule.title} (order {rule.order})", by, at)])

    def _views(self, known: Sequence[KnownRule]) -> list[RuleView]:
        warnings = self.warnings([one.rule for one in known])
        return [self._view(one, tuple(found)) for one, found in zip(known, warnings, strict=True)]

    def _view(self, known: KnownRule, warnings: tuple[Problem, ...]) -> RuleView:
        rule, now = known.rule, self._clock.now()
        state = RuleState.ENABLED if rule.enabled else RuleState.DISABLED
        if rule.expired(now):
            state = RuleState.EXPIRED
        runs = isinstance(rule.trigger, Schedule) and state is RuleState.ENABLED
        at = next_due(rule.trigger.cron, rule.timezone, now) if runs and isinstance(rule.trigger, Schedule) else None
        return RuleView(known=known, state=state, next_at=at, warnings=warnings)


def _one(unit: AutomationUnit, name: str) -> KnownRule:
    found = next((one for one in unit.rules() if one.rule.name == name), None)
    if found is None:
        raise NotFoundError(f"no automation rule {name}")
    return found


def _check(known: KnownRule | None, name: str, wanted: int | None) -> None:
    if wanted is None:
        return
    current = known.rule.revision if known is not None else 0
    if current != wanted:
        raise StaleError(f"automation rule {name} is at revision {current}, not {wanted}", cure="Read it again.")


def _entry(name: str, action: str, text: str, by: str, at: float) -> Activity:
    return Activity(at=at, origin=Origin.PERSON, by=by, subject=Subject.RULE, subject_id=name, action=action, text=text)
