"""Changes that an incident gives ground for, each with what it would have done to stored alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from gatewatch.correlate.impact import attacked
from gatewatch.errors import InputError
from gatewatch.model.alert import Alert
from gatewatch.model.backtest import Backtest
from gatewatch.model.dossier import Dossier
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.review import Decision, Proposal, ProposalKind, TrialResult
from gatewatch.model.suppression import Condition, Suppression
from gatewatch.model.verdict import Classification
from gatewatch.ports.control import ControlStore, FindingFilter
from gatewatch.services.backtesting import LONGEST_S, Backtesting
from gatewatch.services.incidents.suppressing import Suppressing
from gatewatch.services.tuning import Tried, better_setting

__all__ = ["ProposalChange", "Proposing"]

_BEFORE_S = 7 * 86_400.0
"""How far before an incident a detector's change is tested."""
_TRIED_S = 30 * 86_400.0
_MOST_ENDPOINTS, _MOST_FINDINGS, _MOST_NAMES = 50, 100, 100
_SEVERAL = 2
"""Alerts of one type that people called expected: one may be chance."""
_REAL = (Classification.TRUE_POSITIVE,)
SettingValue = float | int | bool | str


class ProposalChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a person proposes or decides; evidence is measured here."""

    id: str
    kind: ProposalKind
    subject: str
    text: str
    settings: dict[str, SettingValue] = {}
    suppression: Suppression | None = None
    decision: Decision = Decision.OPEN


class Proposing:
    """Reads only."""

    def __init__(
        self, backtesting: Backtesting, suppressing: Suppressing, control: ControlStore, now: Callable[[], float]
    ) -> None:
        """`now` in Unix seconds."""
        self._backtesting, self._suppressing, self._control, self._now = backtesting, suppressing, control, now

    def findings(self, dossier: Dossier) -> list[Finding]:
        """Open findings of the endpoints that were attacked, high severity first."""
        found: list[Finding] = []
        for endpoint in attacked(dossier)[:_MOST_ENDPOINTS]:
            where = FindingFilter(status=(FindingStatus.UNHEALTHY,), endpoint_id=endpoint.id)
            found += self._control.findings(where)[0]
        return sorted(found, key=lambda one: (-one.severity.rank, one.recommendation, one.endpoint))[:_MOST_FINDINGS]

    def by_rule(self, dossier: Dossier) -> tuple[Proposal, ...]:
        """What the data gives a ground for. Takes seconds: every setting tried is a run over stored traffic."""
        return (*self._settings(dossier), *self._suppressions(dossier), *self.postures(dossier))

    def measured(self, change: ProposalChange, dossier: Dossier, known: Proposal | None) -> Proposal:
        """A person's proposal with its evidence; unchanged ones keep theirs, also when only their id is given.

        Raises InputError, NotFoundError.
        """
        if known is not None and _same(known, change):
            return msgspec.structs.replace(known, text=change.text, decision=change.decision)
        proposal = Proposal(**{field: getattr(change, field) for field in change.__struct_fields__})
        if change.kind is ProposalKind.DETECTOR_SETTING:
            if not change.settings:
                raise InputError("the proposal names no setting", cure="Give the settings that shall be different.")
            return msgspec.structs.replace(proposal, backtest=self._tested(change.subject, change.settings, dossier))
        if change.kind is ProposalKind.SUPPRESSION:
            if change.suppression is None:
                raise InputError("the proposal has no rule", cure="Give the suppression rule.")
            return msgspec.structs.replace(proposal, trial=self._trial(change.suppression))
        findings = tuple(one for one in self.findings(dossier) if one.recommendation == change.subject)
        return msgspec.structs.replace(proposal, findings=findings)

    def postures(self, dossier: Dossier) -> Iterator[Proposal]:
        """One per recommendation with open findings at attacked endpoints."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings(dossier):
            groups.setdefault(finding.recommendation, []).append(finding)
        for recommendation, findings in groups.items():
            places = f"{len(findings)} attacked endpoint{'' if len(findings) == 1 else 's'}"
            yield Proposal(
                id=f"posture-{recommendation}"[:64],
                kind=ProposalKind.POSTURE,
                subject=recommendation,
                text=f"{findings[0].title}: {places} fail. {findings[0].remediation}",
                findings=tuple(findings),
                by_rule=True,
            )

    def _settings(self, dossier: Dossier) -> Iterator[Proposal]:
        since, until = self._stretch(dossier)
        for detector in dossier.incident.detectors:
            said = [alert.classification for alert in dossier.alerts if alert.detector == detector]
            false = said.count(Classification.FALSE_POSITIVE)
            if not false or false <= len(said) - said.count(Classification.UNKNOWN) - false or since >= until:
                continue
            better = better_setting(self._backtesting, detector, since=since, until=until)
            if better is None:
                continue
            tested = self._backtesting.run(detector, better.settings, since=since, until=until)
            moves = ", ".join(f"{name} from {tested.current[name]} to {to}" for name, to in better.settings.items())
            yield Proposal(
                id=f"setting-{detector}"[:64],
                kind=ProposalKind.DETECTOR_SETTING,
                subject=detector,
                text=f"Change {moves}. {_gain(better)}",
                settings=better.settings,
                backtest=tested,
                by_rule=True,
            )

    def _suppressions(self, dossier: Dossier) -> Iterator[Proposal]:
        groups: dict[str, list[Alert]] = {}
        for alert in dossier.alerts:
            if alert.classification is Classification.EXPECTED:
                groups.setdefault(alert.alert_type, []).append(alert)
        for number, (kind, alerts) in enumerate(sorted(groups.items()), start=1):
            if len(alerts) >= _SEVERAL:
                rule = self._like(dossier.incident.id, number, kind, alerts)
                yield Proposal(
                    id=f"suppression-{kind}"[:64],
                    kind=ProposalKind.SUPPRESSION,
                    subject=rule.name,
                    text=f"Dismiss {kind} of the callers whose {len(alerts)} alerts were called expected here.",
                    suppression=rule,
                    trial=self._trial(rule),
                    by_rule=True,
                )

    def _like(self, incident: int, number: int, kind: str, alerts: Sequence[Alert]) -> Suppression:
        named: Mapping[str, set[str]] = {
            "address": {address for alert in alerts for address in alert.client_ips},
            "actor": {actor.id for alert in alerts for actor in alert.actors},
            "endpoint": {endpoint for alert in alerts for endpoint in alert.endpoints},
        }
        conditions = tuple(
            Condition(field=field, values=tuple(sorted(values)[:_MOST_NAMES]))
            for field, values in named.items()
            if values
        )
        return Suppression(
            name=f"expected-{incident}-{number}",
            alert_type=kind,
            conditions=conditions,
            reason=f"Called expected in incident {incident}.",
            created_at=self._now(),
            created_by="review",
        )

    def _trial(self, rule: Suppression) -> TrialResult:
        now = self._now()
        found = self._suppressing.try_out(rule, since=now - _TRIED_S)
        return TrialResult(
            since=now - _TRIED_S,
            run_at=now,
            looked_at=found.looked_at,
            dismissed=found.dismissed,
            high=found.high,
            true=sum(alert.classification in _REAL for alert in found.first),
            bounded=found.bounded,
        )

    def _tested(self, detector: str, settings: Mapping[str, SettingValue], dossier: Dossier) -> Backtest:
        since, until = self._stretch(dossier)
        return self._backtesting.run(detector, settings, since=since, until=until)

    def _stretch(self, dossier: Dossier) -> tuple[float, float]:
        """A week before the incident to its end, as far as one run reaches."""
        until = dossier.incident.last_activity + 1
        return max(0.0, until - LONGEST_S, dossier.incident.first_activity - _BEFORE_S), until


def _gain(better: Tried) -> str:
    dropped = f"Drops {better.false_dropped} false alert{'' if better.false_dropped == 1 else 's'}"
    if better.real_kept:
        kept = "the real one" if better.real_kept == 1 else f"all {better.real_kept} real ones"
        return f"{dropped} and keeps {kept} of the stretch tested."
    return f"{dropped}. No real alert was in the stretch tested, so what else this would lose is not known."


def _same(known: Proposal, wanted: ProposalChange) -> bool:
    """Whether the evidence still belongs to it. A rule is the same whoever wrote it down again."""
    if (known.kind, known.subject) != (wanted.kind, wanted.subject):
        return False
    rule, other = known.suppression, wanted.suppression
    alike = (
        other is None
        or rule is None
        or msgspec.structs.replace(other, name=rule.name, created_at=rule.created_at, created_by=rule.created_by)
        == rule
    )
    return alike and wanted.settings in ({}, known.settings)
