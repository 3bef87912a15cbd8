"""One actor walks through object identifiers on one endpoint."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, parameter, sql
from gatewatch.detect.settings import Settings, count, fraction, ratio
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["ObjectEnumeration"]

_MANY_READ = 30
"""Objects answered with success that make it a leak rather than an attempt: the least number of a quiet walk."""


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    values: Annotated[int, count("Distinct identifiers in 20 minutes when they are answered.", least=5)] = 30
    missing_values: Annotated[int, count("Distinct identifiers when many are refused or missing.", least=5)] = 15
    missing_share: Annotated[float, fraction("Share of identifiers answered 403 or 404 that makes a walk.")] = 0.3
    deviation: Annotated[float, ratio("Times what peers touch.")] = 6.0
    missing_deviation: Annotated[float, ratio("Times what peers touch, when many are missing.")] = 3.0
    kin: Annotated[int, count("So many actors of one kind (people, keys) are peers; fewer: everybody is.")] = 3
    stale_share: Annotated[
        float, fraction("Share of missing identifiers that the list of a new machine client may have.")
    ] = 0.1
    history_days: Annotated[int, count("History for the actor and its peers.", most=30, unit="days")] = 7


class ObjectEnumeration(Detector):
    """One actor walks through object identifiers on one endpoint."""

    meta = DetectorMeta(
        id="authorization.object_enumeration",
        title="Parameter enumeration on an API endpoint",
        alert_type="API_ParameterEnumeration",
        owasp=OwaspApi.BOLA,
        tactic=Tactic.INITIAL_ACCESS,
        severity=Severity.MEDIUM,
        needs=Evidence.PATH,
        description=(
            "Distinct identifiers that one actor gives to one endpoint in 20 minutes, against its own past "
            "and its peers, with how many are refused or missing."
        ),
        known_misses=(
            "Fewer identifiers per window than the least number; a new machine client (key, consumer, "
            "certificate) with hardly a miss until it has history; a user who walks public objects without "
            "misses."
        ),
        remediation=(
            "Check on that endpoint that the caller owns the object.",
            "Suspend the actor's credential.",
            "Use identifiers that can't be guessed.",
        ),
        references=("CWE-639", "OWASP API1:2023", "reference/microsoft.md 1.1"),
    )
    settings = _Settings
    identity = ("who", "endpoint_id")
    query = sql("authorization/object_enumeration.sql")
    trigger = sql("authorization/object_enumeration.trigger.sql")
    window_s = 1200

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        return Explanation(
            sentence=(
                f"{row['who']} gave {number(row, 'distinct_values'):.0f} distinct values of {parameter(row)}; "
                f"peers use about {number(row, 'peers_values'):.1f}, its own most before was "
                f"{number(row, 'own_values'):.0f}. "
                f"{number(row, 'values_missed'):.0f} were refused or missing, "
                f"{number(row, 'values_read'):.0f} answered."
            ),
            measures=(
                Measure(
                    name="distinct values",
                    observed=number(row, "distinct_values"),
                    baseline=number(row, "peers_values"),
                ),
                Measure(name="most values before", observed=number(row, "own_values")),
                Measure(name="values refused or missing", observed=number(row, "values_missed")),
                Measure(name="values read", observed=number(row, "values_read")),
            ),
        )

    def judge(self, row: Row) -> Severity:
        """High when many objects were really read."""
        return Severity.HIGH if number(row, "values_read") >= _MANY_READ else Severity.MEDIUM
