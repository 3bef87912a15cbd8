"""One address tries many accounts with few passwords each."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.detect.settings import Settings, count, ratio
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["CredentialStuffing"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    users: Annotated[int, count("Accounts that failed and have not got in, in 20 minutes.", least=3)] = 10
    few: Annotated[
        int,
        count(
            "The same for a source whose list is good: a fifth of many accounts fail.",
            least=3,
        ),
    ] = 5
    per_user: Annotated[float, ratio("Most attempts per account.")] = 5.0
    history_days: Annotated[int, count("History that makes an address a usual one.", most=90, unit="days")] = 7


class CredentialStuffing(Detector):
    """One address tries many accounts with few passwords each."""

    meta = DetectorMeta(
        id="authentication.credential_stuffing",
        title="Credential stuffing from a single address",
        alert_type="API_CredentialStuffing",
        owasp=OwaspApi.BROKEN_AUTHENTICATION,
        tactic=Tactic.CREDENTIAL_ACCESS,
        severity=Severity.MEDIUM,
        needs=Evidence.REQUEST_BODY | Evidence.CLIENT_ADDRESS,
        description=(
            "One address tries many accounts, few attempts each; accounts that got in are likely compromised."
        ),
        known_misses=(
            "Refused logins whose status and answer both look like success; less than the least number of "
            "accounts per window; sources without request bodies."
        ),
        remediation=(
            "Reset the accounts that got in.",
            "Block the address.",
            "Ask for a second factor or a challenge on login.",
        ),
        references=("OWASP Automated Threats OAT-008", "MITRE ATT&CK T1110.004"),
    )
    settings = _Settings
    identity = ("client_ip",)
    query = sql("authentication/credential_stuffing.sql")
    trigger = sql("authentication/credential_stuffing.trigger.sql")
    window_s = 1200

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        return Explanation(
            sentence=(
                f"{row['client_ip']} tried {number(row, 'users_tried'):.0f} accounts with "
                f"{number(row, 'count'):.0f} attempts; "
                f"up to {number(row, 'users_failed'):.0f} had failed and not got in, "
                f"{number(row, 'users_in'):.0f} accounts got in and may be compromised."
            ),
            measures=(
                Measure(
                    name="accounts tried", observed=number(row, "users_tried"), baseline=number(row, "users_usual")
                ),
                Measure(name="accounts failed", observed=number(row, "users_failed")),
                Measure(name="accounts likely compromised", observed=number(row, "users_in")),
                Measure(name="failures", observed=number(row, "failures")),
            ),
        )

    def judge(self, row: Row) -> Severity:
        """High when somebody got in."""
        return Severity.HIGH if number(row, "users_in") else Severity.MEDIUM
