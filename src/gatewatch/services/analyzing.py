"""The offline main job: recorded traffic through the same stages, in event time, on an ephemeral store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from gatewatch.correlate.story import tell
from gatewatch.detect.planning import JUST_AFTER_S, Span, coverage
from gatewatch.formats.records import Record, field_record
from gatewatch.formats.report import Report, TimelineBucket
from gatewatch.model.alert import Alert
from gatewatch.model.dossier import AttackStory
from gatewatch.model.finding import Finding
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.inventory import Collection, Endpoint
from gatewatch.model.ledger import LedgerEntry
from gatewatch.model.score import CollectionScore, SecureScore
from gatewatch.ports.cases import CaseStore, IncidentFilter
from gatewatch.ports.containment import NothingContained
from gatewatch.ports.control import AlertFilter, ControlStore
from gatewatch.ports.journal import JournalRecord
from gatewatch.ports.traffic import TrafficStore
from gatewatch.posture.recommendation import all_recommendations, judge
from gatewatch.posture.scoring import controls_of, judgements, score_collections, score_controls, tally
from gatewatch.services.catalogue import read_inventory
from gatewatch.services.detecting import DetectionRun
from gatewatch.services.incidents import Correlation, Dossiers
from gatewatch.services.incidents.correlating import Crowds
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.observing.offline import OfflineObserving

__all__ = ["Analysis", "Analyzing"]

_TARGET_BUCKETS = 120
_BUCKETS_S = (60, 300, 900, 3600, 4 * 3600, 86_400, 7 * 86_400)
_CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What an analysis found."""

    first_ts: float
    last_ts: float
    ledger: tuple[LedgerEntry, ...]
    endpoints: list[Endpoint]
    collections: list[Collection]
    findings: list[Finding]
    alerts: list[Alert]
    incidents: list[Incident]
    """Highest priority first."""
    stories: list[AttackStory]
    """Of the incidents, in the same order."""
    blind: dict[str, str]
    """Detector title -> evidence that no input carries."""
    outside: int
    score: SecureScore
    collection_scores: dict[str, CollectionScore]
    """By collection id."""


class Analyzing:
    """One analysis."""

    def __init__(
        self,
        *,
        observing: OfflineObserving,
        traffic: TrafficStore,
        control: ControlStore,
        cases: CaseStore,
        crowds: Crowds,
        detection: DetectionRun,
    ) -> None:
        """Stores must be empty and migrated; address lists loaded. `crowds`: actors behind an address."""
        self._observing, self._traffic, self._control, self._detection = observing, traffic, control, detection
        self._cases, self._crowds = cases, crowds

    def run(
        self,
        records: Iterable[JournalRecord],
        *,
        observed: Callable[[int, int], None],
        detecting: Callable[[str], None],
    ) -> Analysis:
        """Observe, detect, judge. `observed(octets, transactions)` and `detecting(title)` show progress."""
        ledger = self._observing.run(records, observed)
        first, last = self._span()
        if last:
            self._detection.run(Span(start=first, end=last + JUST_AFTER_S), detecting)
        endpoints, collections = read_inventory(self._traffic, last)
        findings = judge(endpoints, all_recommendations(), last)
        self._control.put_findings(findings)
        incidents, stories = self._correlated(endpoints, last)
        controls = controls_of(all_recommendations())
        counted = tally(judgements(findings), controls)
        place = {endpoint.id: endpoint.collection_id for endpoint in endpoints}
        return Analysis(
            first_ts=first,
            last_ts=last,
            ledger=ledger,
            endpoints=endpoints,
            collections=collections,
            findings=findings,
            alerts=list(self._alerts()),
            incidents=incidents,
            stories=stories,
            blind=self._blind(),
            outside=self._count("SELECT sum(calls) AS n FROM endpoint_facts WHERE endpoint_id = 0"),
            score=SecureScore(at=last, controls=score_controls(counted, controls)),
            collection_scores={one.collection_id: one for one in score_collections(counted, place)},
        )

    def _span(self) -> tuple[float, float]:
        row = self._traffic.query("SELECT min(first_ts) AS a, max(last_ts) AS b, sum(calls) AS n FROM endpoint_facts")[
            0
        ]
        return (float(str(row["a"])), float(str(row["b"]))) if row["n"] else (0.0, 0.0)

    def _count(self, sql: str) -> int:
        return int(str(self._traffic.query(sql)[0]["n"]))

    def _alerts(self) -> Iterator[Alert]:
        cursor = ""
        while True:
            page, cursor = self._control.alerts(AlertFilter(), cursor=cursor, limit=500)
            yield from page
            if not cursor:
                return

    def _correlated(self, endpoints: Sequence[Endpoint], now: float) -> tuple[list[Incident], list[AttackStory]]:
        known = {f"{one.method} {one.host} {one.template}": one for one in endpoints}

        def labelled(labels: Iterable[str]) -> dict[str, Endpoint]:
            return {label: known[label] for label in labels if label in known}

        Correlation(self._cases, Summing(labelled, dict), self._crowds, lambda: now).run()
        incidents, cursor = list[Incident](), ""
        while True:
            page, cursor = self._cases.incidents(IncidentFilter(), order="priority", cursor=cursor, limit=500)
            incidents += page
            if not cursor:
                break
        standing = [incident for incident in incidents if incident.status is not IncidentStatus.REDIRECTED]
        dossiers = Dossiers(self._cases, labelled, dict, NothingContained())
        return standing, [tell(incident, dossiers.alerts(incident.id)) for incident in standing]

    def _blind(self) -> dict[str, str]:
        row = self._traffic.query("SELECT groupBitOr(evidence) AS bits FROM endpoint_facts")[0]
        detectors = self._detection.detectors()
        titles = {detector.meta.id: detector.meta.title for detector in detectors}
        blind = coverage(detectors, {"input": int(str(row["bits"]))})
        return {titles[item.detector]: ", ".join(name.replace("_", " ") for name in item.missing) for item in blind}

    def observations(self) -> Iterator[bytes]:
        """observations.ndjson in order of writing, with final templates."""
        return self._traffic.observation_lines()

    def fields(self) -> Iterator[Record]:
        """Lines of fields.ndjson."""
        return map(field_record, self._traffic.field_facts())

    def report(self, analysis: Analysis, *, title: str, version: str, inputs: tuple[str, ...]) -> Report:
        """What the HTML page shows."""
        span = max(1.0, analysis.last_ts - analysis.first_ts)
        bucket = next((size for size in _BUCKETS_S if span / size <= _TARGET_BUCKETS), _BUCKETS_S[-1])
        return Report(
            title=title,
            version=version,
            inputs=inputs,
            first_ts=analysis.first_ts,
            last_ts=analysis.last_ts,
            bucket_s=bucket,
            timeline=self._timeline(analysis, bucket),
            ledger=analysis.ledger,
            collections=analysis.collections,
            endpoints=analysis.endpoints,
            findings=analysis.findings,
            alerts=analysis.alerts,
            incidents=analysis.incidents,
            stories=analysis.stories,
            blind=analysis.blind,
            outside=analysis.outside,
            score=analysis.score,
        )

    def _timeline(self, analysis: Analysis, bucket: int) -> list[TimelineBucket]:
        rows = self._traffic.query(
            "SELECT intDiv(toUnixTimestamp(minute), {size:UInt32}) * {size:UInt32} AS start, "
            "intDiv(status, 100) AS class, sum(calls) AS n FROM traffic_minute GROUP BY start, class ORDER BY start",
            {"size": bucket},
        )
        calls: dict[int, dict[str, int]] = {}
        for row in rows:
            name = _CLASSES[min(int(str(row["class"])), 5)]
            into = calls.setdefault(int(str(row["start"])), {})
            into[name] = into.get(name, 0) + int(str(row["n"]))
        first = int(analysis.first_ts) // bucket * bucket
        starts = range(first, int(analysis.last_ts) + 1, bucket)
        return [TimelineBucket(start=start, calls=calls.get(start, {})) for start in starts]
