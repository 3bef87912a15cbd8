"""Injection attempts, judged with what they were answered."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.detect.settings import Settings, count, fraction, ratio
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["InjectionAttempt"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    confidence: Annotated[float, fraction("Least confidence of an indicator.")] = 0.5
    strong: Annotated[float, fraction("From this confidence on one hit is enough.")] = 0.8
    writers: Annotated[
        int, count("More authenticated writers than this make a field one where such content is usual.")
    ] = 2
    delay_ms: Annotated[
        float,
        ratio("An answer this slow to a delay payload counts as success.", least=500.0, most=120_000.0, unit="ms"),
    ] = 4500.0


class InjectionAttempt(Detector):
    """Injection attempts, judged with what they were answered."""

    meta = DetectorMeta(
        id="indicator.injection_attempt",
        title="Injection attempt against an API",
        alert_type="API_InjectionAttempt",
        owasp=OwaspApi.MISCONFIGURATION,
        tactic=Tactic.INITIAL_ACCESS,
        severity=Severity.MEDIUM,
        needs=Evidence.PATH,
        description=(
            "Values of calls carry attack patterns; the severity follows from the answers: blocked or "
            "rejected is low, accepted medium, a sign of success high."
        ),
        known_misses=(
            "Payloads in bodies when the source carries none; success that shows in no answer; fewer than "
            "four patterns written by an authenticated caller into one accepted body field."
        ),
        remediation=(
            "Read the evidence: which parameter, which answer.",
            "Use parameterised queries or escape at that parameter.",
            "Block the caller at the gateway.",
        ),
        references=("CWE-74", "OWASP WSTG-INPV", "CAPEC-248"),
    )
    settings = _Settings
    identity = ("who",)
    query = sql("indicator/injection_attempt.sql")
    trigger = sql("indicator/injection_attempt.trigger.sql")
    window_s = 1200

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        classes = ", ".join(sorted(str(name) for name in _names(row)))
        outcome = (
            f"{number(row, 'succeeded'):.0f} answers show signs of success"
            if number(row, "succeeded")
            else (
                f"{number(row, 'accepted'):.0f} accepted, {number(row, 'rejected'):.0f} rejected, "
                f"{number(row, 'failed'):.0f} failed"
            )
        )
        return Explanation(
            sentence=f"{number(row, 'count'):.0f} calls of {row['who']} carry attack patterns ({classes}); {outcome}.",
            measures=(
                Measure(name="calls with patterns", observed=number(row, "count")),
                Measure(name="points", observed=number(row, "score"), threshold=1.0),
                Measure(name="strongest confidence", observed=number(row, "strongest")),
                Measure(name="signs of success", observed=number(row, "succeeded")),
            ),
        )

    def judge(self, row: Row) -> Severity:
        """High with a sign of success, medium when accepted or the server failed, low when refused."""
        if number(row, "succeeded"):
            return Severity.HIGH
        return Severity.MEDIUM if number(row, "accepted") or number(row, "failed") else Severity.LOW


def _names(row: Row) -> list[object]:
    names = row["classes"]
    return names if isinstance(names, list) else []
