"""Many passwords tried for one account."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.detect.settings import Settings, count
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["PasswordGuessing"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    secrets: Annotated[int, count("Distinct failing passwords of one account in 20 minutes.", least=3)] = 12


class PasswordGuessing(Detector):
    """Many passwords tried for one account."""

    meta = DetectorMeta(
        id="authentication.password_guessing",
        title="Password guessing against one account",
        alert_type="API_PasswordGuessing",
        owasp=OwaspApi.BROKEN_AUTHENTICATION,
        tactic=Tactic.CREDENTIAL_ACCESS,
        severity=Severity.MEDIUM,
        needs=Evidence.REQUEST_BODY,
        description="One account gets many different wrong passwords.",
        known_misses="Guessing slower than the limit per window; sources without request bodies.",
        remediation=(
            "Lock the account or ask for a second factor.",
            "Rate-limit logins per account.",
            "Block the addresses.",
        ),
        references=("CWE-307", "MITRE ATT&CK T1110.001"),
    )
    settings = _Settings
    identity = ("login_user",)
    query = sql("authentication/password_guessing.sql")
    window_s = 1200

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        return Explanation(
            sentence=(
                f"{number(row, 'secrets_tried'):.0f} different wrong passwords for one account from "
                f"{number(row, 'addresses'):.0f} addresses; {number(row, 'successes'):.0f} logins succeeded."
            ),
            measures=(
                Measure(name="wrong passwords", observed=number(row, "secrets_tried")),
                Measure(name="addresses", observed=number(row, "addresses")),
                Measure(name="successful logins", observed=number(row, "successes")),
            ),
        )
