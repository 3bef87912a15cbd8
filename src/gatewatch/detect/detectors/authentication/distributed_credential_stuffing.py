"""Many addresses try many accounts on one login endpoint."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.detect.settings import Settings, count, ratio
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["DistributedCredentialStuffing"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    users: Annotated[int, count("Accounts that failed and have not got in, in 20 minutes.", least=3)] = 15
    addresses: Annotated[int, count("Addresses that take part.", least=2)] = 8
    per_address: Annotated[float, ratio("Most attempts per address on average.")] = 12.0
    counted: Annotated[int, count("Attempts of one address that count: the first so many.", least=1)] = 5
    deviation: Annotated[float, ratio("Times the usual failures of the endpoint.")] = 4.0
    missed: Annotated[
        float, ratio("Logins that would have succeeded since the last that did: from here on the endpoint is down.")
    ] = 2.0
    history_days: Annotated[int, count("History for what is usual.", most=90, unit="days")] = 7


class DistributedCredentialStuffing(Detector):
    """Many addresses try many accounts on one login endpoint."""

    meta = DetectorMeta(
        id="authentication.distributed_credential_stuffing",
        title="Distributed credential stuffing",
        alert_type="API_DistributedCredentialStuffing",
        owasp=OwaspApi.BROKEN_AUTHENTICATION,
        tactic=Tactic.CREDENTIAL_ACCESS,
        severity=Severity.HIGH,
        needs=Evidence.REQUEST_BODY | Evidence.CLIENT_ADDRESS,
        description=(
            "Failing logins of many accounts from many addresses, few attempts each, judged per login "
            "endpoint, per shared user agent and for hosting addresses."
        ),
        known_misses=(
            "Campaigns that stay below the endpoint's own noise and share no trait; refused logins whose status "
            "and answer both look like success; campaigns while the login lets nobody in."
        ),
        remediation=(
            "Reset the accounts that got in.",
            "Challenge or block by the shared trait.",
            "Ask for a second factor.",
        ),
        references=("OWASP Automated Threats OAT-008", "MITRE ATT&CK T1110.004"),
    )
    settings = _Settings
    identity = ("endpoint_id",)
    query = sql("authentication/distributed_credential_stuffing.sql")
    trigger = sql("authentication/distributed_credential_stuffing.trigger.sql")
    window_s = 1200

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        trait = str(row["shared_trait"]).split(" ", maxsplit=1)[0]
        shared = {"agent": ", all with one user agent", "hosting": ", all at hosting providers"}.get(trait, "")
        return Explanation(
            sentence=(
                f"{number(row, 'addresses_used'):.0f} addresses{shared} tried "
                f"{number(row, 'users_tried'):.0f} accounts; "
                f"{number(row, 'users_failed'):.0f} failed and did not get in, {number(row, 'users_in'):.0f} got in."
            ),
            measures=(
                Measure(
                    name="accounts failed",
                    observed=number(row, "users_failed"),
                    baseline=number(row, "failures_before") if number(row, "hours_before") else None,
                ),
                Measure(name="accounts tried", observed=number(row, "users_tried")),
                Measure(name="addresses", observed=number(row, "addresses_used")),
                Measure(name="accounts that got in", observed=number(row, "users_in")),
            ),
        )
