"""Gatewatch's own metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gatewatch.model.run import RunState
from gatewatch.ports.export import TargetState
from gatewatch.ports.journal import Journal
from gatewatch.ports.runs import RunStore
from gatewatch.services.automation import Dispatching
from gatewatch.services.detecting import Detecting
from gatewatch.services.exporting import Exporting
from gatewatch.services.incidents import Correlating
from gatewatch.services.leasing import Leasing
from gatewatch.services.observing import Observing
from gatewatch.services.telling import Telling

__all__ = ["Metrics"]


class Metrics(Collector):
    """Reads the parts when asked; keeps nothing."""

    def __init__(
        self,
        *,
        journal: Journal,
        observing: Observing,
        detecting: Detecting,
        correlating: Correlating,
        exporting: Exporting,
        runs: RunStore,
        automation: Dispatching,
        leasing: Leasing,
        telling: Telling,
    ) -> None:
        """Register with a registry of its own."""
        self._journal, self._observing = journal, observing
        self._detecting, self._correlating, self._exporting = detecting, correlating, exporting
        self._runs = runs
        self._automation, self._telling, self._leasing = automation, telling, leasing
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def describe(self) -> list[Metric]:
        """Nothing at registration: values come with `collect`."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The ledger, the journal's fill, faults, ticks."""
        transactions = CounterMetricFamily(
            "gatewatch_transactions", "Transactions by what became of them.", labels=["source", "outcome"]
        )
        in_flight = GaugeMetricFamily("gatewatch_in_flight", "Acknowledged, not yet accounted for.", labels=["source"])
        for entry in self._observing.ledger():
            transactions.add_metric([entry.source, "received"], entry.received)
            transactions.add_metric([entry.source, "observed"], entry.observed)
            transactions.add_metric([entry.source, "duplicate"], entry.duplicate)
            for reason, count in entry.rejected.items():
                transactions.add_metric([entry.source, f"rejected_{reason}"], count)
            in_flight.add_metric([entry.source], entry.in_flight)
        yield transactions
        yield in_flight
        yield GaugeMetricFamily("gatewatch_journal_bytes", "Octets in the journal.", value=self._journal.used_bytes())
        yield GaugeMetricFamily(
            "gatewatch_journal_refusing", "1 while the journal takes nothing more.", value=self._journal.refusing
        )
        yield CounterMetricFamily("gatewatch_faults", "Own errors while observing.", value=self._observing.faults)
        yield CounterMetricFamily("gatewatch_detection_ticks", "Detection runs.", value=self._detecting.ticks)
        yield CounterMetricFamily(
            "gatewatch_too_late", "Transactions that came too late to be judged.", value=self._detecting.too_late
        )
        costs = GaugeMetricFamily("gatewatch_detector_seconds", "Time of the last run.", labels=["detector"])
        for detector, seconds in self._detecting.costs().items():
            costs.add_metric([detector], seconds)
        yield costs
        yield from self._correlation()
        yield from self._exports()
        yield from self._playbooks()
        yield from self._rules()
        leases = GaugeMetricFamily("gatewatch_lease_held", "1 while this server does the job.", labels=["job"])
        for job, held in self._leasing.held().items():
            leases.add_metric([job], held)
        yield leases
        yield from self._subscriptions()
        yield GaugeMetricFamily(
            "gatewatch_detectors_failing", "Detectors whose last run failed.", value=len(self._detecting.faults)
        )

    def _correlation(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "gatewatch_alerts_correlated", "Alerts placed or looked at again.", value=self._correlating.correlated
        )
        yield CounterMetricFamily(
            "gatewatch_correlation_bounded",
            "Alerts for which more incidents shared something than were looked at.",
            value=self._correlating.bounded,
        )
        yield GaugeMetricFamily(
            "gatewatch_correlation_seconds", "Time of the last run.", value=self._correlating.last_s
        )
        yield GaugeMetricFamily(
            "gatewatch_correlation_failing", "1 when the last run failed.", value=bool(self._correlating.failing)
        )

    def _exports(self) -> Iterator[Metric]:
        labels = ["target"]
        delivered = CounterMetricFamily("gatewatch_export_delivered", "Items that a target took.", labels=labels)
        lag = GaugeMetricFamily("gatewatch_export_lag_items", "Changes not looked at yet.", labels=labels)
        age = GaugeMetricFamily("gatewatch_export_lag_seconds", "Age of the first of them.", labels=labels)
        letters = GaugeMetricFamily("gatewatch_export_dead_letters", "Items refused for good.", labels=labels)
        failed = GaugeMetricFamily("gatewatch_export_failed_attempts", "Failures in a row.", labels=labels)
        paused = GaugeMetricFamily("gatewatch_export_paused", "1 while it is paused.", labels=labels)
        for one in self._exporting.statuses():
            delivered.add_metric([one.name], one.delivered)
            lag.add_metric([one.name], one.lag_items)
            age.add_metric([one.name], one.lag_s)
            letters.add_metric([one.name], one.dead_letters)
            failed.add_metric([one.name], one.attempts)
            paused.add_metric([one.name], one.state is TargetState.PAUSED)
        yield from (delivered, lag, age, letters, failed, paused)

    def _playbooks(self) -> Iterator[Metric]:
        counts = dict.fromkeys((state.value for state in RunState if not state.over), 0)
        for (_, state), count in self._runs.counts().items():
            counts[state.value] += count
        runs = GaugeMetricFamily("gatewatch_runs", "Runs of playbooks that are not over.", labels=["state"])
        for name, count in counts.items():
            runs.add_metric([name], count)
        yield runs
        yield GaugeMetricFamily(
            "gatewatch_runs_queue_depth", "Runs that wait to be admitted.", value=counts[RunState.QUEUED.value]
        )
        yield GaugeMetricFamily(
            "gatewatch_questions_open", "Questions that wait for people.", value=self._runs.open_questions()
        )

    def _rules(self) -> Iterator[Metric]:
        found = self._automation.counts()
        yield GaugeMetricFamily("gatewatch_automation_lag_items", "Changes not worked off yet.", value=found.lag)
        yield GaugeMetricFamily("gatewatch_automation_lag_seconds", "Age of the first of them.", value=found.lag_s)
        yield GaugeMetricFamily(
            "gatewatch_automation_waiting", "Rule runs whose playbook is still to be started.", value=found.waiting
        )
        yield CounterMetricFamily(
            "gatewatch_automation_events", "Events that rules were asked about.", value=found.events
        )
        yield CounterMetricFamily(
            "gatewatch_automation_quiet", "Of these put aside by a suppression.", value=found.quiet
        )
        runs = CounterMetricFamily("gatewatch_automation_runs", "Rule runs by outcome.", labels=["outcome"])
        for outcome, count in sorted(found.runs.items()):
            runs.add_metric([outcome], count)
        starts = CounterMetricFamily("gatewatch_automation_playbooks", "Playbooks asked for.", labels=["outcome"])
        starts.add_metric(["started"], found.started)
        starts.add_metric(["refused"], found.refused)
        yield from (runs, starts)
        yield GaugeMetricFamily("gatewatch_automation_seconds", "Time of the last step.", value=found.last_s)

    def _subscriptions(self) -> Iterator[Metric]:
        found = self._telling.counts()
        yield GaugeMetricFamily("gatewatch_subscriptions", "Flows that are called back.", value=found.subscriptions)
        yield GaugeMetricFamily(
            "gatewatch_subscriptions_failing", "Of these whose last call failed.", value=found.failing
        )
        yield GaugeMetricFamily(
            "gatewatch_subscriptions_lag_items", "Changes the slowest was not told of.", value=found.lag
        )
        calls = CounterMetricFamily("gatewatch_subscription_calls", "Calls by outcome.", labels=["outcome"])
        for outcome, count in sorted(found.calls.items()):
            calls.add_metric([outcome], count)
        yield calls

    def text(self) -> bytes:
        """Exposition format."""
        return generate_latest(self._registry)
