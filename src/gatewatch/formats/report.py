"""The report of an analysis: one self-contained HTML page, no script from elsewhere, no payload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import jinja2
import msgspec

from gatewatch.formats.charts import bars, timeline
from gatewatch.formats.records import rfc3339
from gatewatch.model.alert import Alert, Severity
from gatewatch.model.dossier import AttackStory
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident
from gatewatch.model.inventory import Activity, Authentication, Collection, Endpoint
from gatewatch.model.ledger import LedgerEntry
from gatewatch.model.score import SecureScore

__all__ = ["Report", "TimelineBucket", "render_report"]

_MAX_ROWS = 500
"""Rows shown per table; the files beside the report have all of them."""


class TimelineBucket(msgspec.Struct, frozen=True, kw_only=True):
    """Calls by status class in one stretch of time."""

    start: float
    calls: dict[str, int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the page shows."""

    title: str
    version: str
    inputs: tuple[str, ...]
    first_ts: float
    last_ts: float
    bucket_s: int
    timeline: Sequence[TimelineBucket]
    ledger: Sequence[LedgerEntry]
    collections: Sequence[Collection]
    endpoints: Sequence[Endpoint]
    findings: Sequence[Finding]
    alerts: Sequence[Alert]
    incidents: Sequence[Incident] = ()
    """Highest priority first."""
    stories: Sequence[AttackStory] = ()
    """Of the incidents, in the same order."""
    blind: Mapping[str, str] = {}
    """Detector title -> the evidence that the input does not carry."""
    outside: int = 0
    """Transactions that belong to no endpoint (unknown paths)."""
    score: SecureScore | None = None


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gatewatch.formats", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = lambda ts: rfc3339(ts)[:19].replace("T", " ") if ts else "-"
    environment.filters["number"] = lambda n: f"{n:,}".replace(",", "\u202f")
    return environment


def _tiles(report: Report) -> list[tuple[str, int, str]]:
    unauthenticated = sum(e.authentication is Authentication.UNAUTHENTICATED for e in report.endpoints)
    return [
        ("Transactions", sum(entry.observed for entry in report.ledger), ""),
        ("API collections", len(report.collections), ""),
        ("Endpoints", len(report.endpoints), ""),
        ("Unauthenticated", unauthenticated, "warn" if unauthenticated else ""),
        ("With sensitive data", sum(bool(e.information_types) for e in report.endpoints), ""),
        ("Inactive", sum(e.activity is Activity.INACTIVE for e in report.endpoints), ""),
        (
            "Incidents",
            len(report.incidents),
            "bad" if any(i.severity is Severity.HIGH for i in report.incidents) else "",
        ),
        ("Alerts", len(report.alerts), "bad" if any(a.severity is Severity.HIGH for a in report.alerts) else ""),
    ]


def _sensitive(endpoints: Sequence[Endpoint]) -> list[tuple[str, int, list[str]]]:
    places: dict[str, list[str]] = {}
    for endpoint in endpoints:
        for fact in endpoint.information_types:
            places.setdefault(fact.type, []).append(
                f"{endpoint.method} {endpoint.host}{endpoint.template} · {fact.location.value} {fact.path}"
            )
    return sorted(((kind, len(where), where) for kind, where in places.items()), key=lambda item: (-item[1], item[0]))


def render_report(report: Report) -> str:
    """The whole page as text."""
    severities = Counter(alert.severity for alert in report.alerts)
    by_severity = [(level.value, severities[level]) for level in reversed(Severity)]
    by_type = Counter(alert.title for alert in report.alerts).most_common(12)
    unhealthy = [finding for finding in report.findings if finding.status is FindingStatus.UNHEALTHY]
    alerts = sorted(report.alerts, key=lambda alert: (-alert.severity.rank, alert.first_seen))
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            tiles=_tiles(report),
            timeline_svg=timeline(
                [(bucket.start, bucket.calls) for bucket in report.timeline],
                bucket_s=report.bucket_s,
                marks=[(alert.detected_at, alert.severity.value, alert.title) for alert in report.alerts],
            ),
            severity_svg=bars(by_severity, kind="severity"),
            type_svg=bars(by_type, kind="count"),
            sensitive=_sensitive(report.endpoints),
            unhealthy=unhealthy[:_MAX_ROWS],
            unhealthy_count=len(unhealthy),
            alerts=alerts[:_MAX_ROWS],
            incidents=list(zip(report.incidents, report.stories, strict=True))[:_MAX_ROWS],
            endpoints=sorted(report.endpoints, key=lambda e: (e.host, e.template, e.method))[:_MAX_ROWS],
            limit=_MAX_ROWS,
        )
    )
