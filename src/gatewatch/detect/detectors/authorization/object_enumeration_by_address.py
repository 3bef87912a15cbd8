"""One address walks through object identifiers with many identities."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, parameter, sql
from gatewatch.detect.settings import Settings, count, fraction, ratio
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["ObjectEnumerationByAddress"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    values: Annotated[int, count("Distinct identifiers in 20 minutes.", least=5)] = 30
    missing_share: Annotated[float, fraction("Share of identifiers answered 403 or 404 that makes a walk.")] = 0.3
    foreign_share: Annotated[
        float,
        fraction(
            "Share of identifiers that actors at other addresses used before.",
        ),
    ] = 0.5
    deviation: Annotated[float, ratio("Times what other addresses touch.")] = 4.0


class ObjectEnumerationByAddress(Detector):
    """One address walks through object identifiers with many identities."""

    meta = DetectorMeta(
        id="authorization.object_enumeration_by_address",
        title="Parameter enumeration on an API endpoint",
        alert_type="API_ParameterEnumeration",
        owasp=OwaspApi.BOLA,
        tactic=Tactic.INITIAL_ACCESS,
        severity=Severity.MEDIUM,
        needs=Evidence.PATH | Evidence.CLIENT_ADDRESS | Evidence.IDENTITY,
        description=(
            "Distinct identifiers that one address gives to one endpoint in 20 minutes with several "
            "identities, none of which explains the walk."
        ),
        known_misses="Walks with fresh identities over objects that nobody else reads and that all exist.",
        remediation=(
            "Check on that endpoint that the caller owns the object.",
            "Block the address and suspend the credentials.",
        ),
        references=("CWE-639", "OWASP API1:2023"),
    )
    settings = _Settings
    identity = ("client_ip", "endpoint_id")
    query = sql("authorization/object_enumeration_by_address.sql")
    trigger = sql("authorization/object_enumeration_by_address.trigger.sql")
    window_s = 1200

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        return Explanation(
            sentence=(
                f"{row['client_ip']} gave {number(row, 'distinct_values'):.0f} distinct values of "
                f"{parameter(row)} with "
                f"{number(row, 'identities'):.0f} identities; other addresses use about "
                f"{number(row, 'peers_values'):.1f}. "
                f"{number(row, 'values_missed'):.0f} were refused or missing."
            ),
            measures=(
                Measure(
                    name="distinct values",
                    observed=number(row, "distinct_values"),
                    baseline=number(row, "peers_values"),
                ),
                Measure(name="identities", observed=number(row, "identities")),
                Measure(name="values refused or missing", observed=number(row, "values_missed")),
                Measure(name="values that others use", observed=number(row, "values_of_others")),
            ),
        )
