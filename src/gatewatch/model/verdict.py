"""What a person concludes about an alert or an incident (reference/microsoft.md 1.6 and 6.1)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DETERMINATIONS", "Classification", "Determination"]


class Classification(StrEnum):
    """Whether it was real."""

    UNKNOWN = "unknown"
    TRUE_POSITIVE = "true_positive"
    EXPECTED = "expected_activity"
    """Real, but allowed: a test, a partner, a job of ours."""
    FALSE_POSITIVE = "false_positive"


class Determination(StrEnum):
    """What it was."""

    UNKNOWN = "unknown"
    MULTI_STAGED_ATTACK = "multi_staged_attack"
    MALICIOUS_USER_ACTIVITY = "malicious_user_activity"
    COMPROMISED_ACCOUNT = "compromised_account"
    MALWARE = "malware"
    PHISHING = "phishing"
    UNWANTED_SOFTWARE = "unwanted_software"
    SECURITY_TESTING = "security_testing"
    LINE_OF_BUSINESS = "line_of_business_application"
    CONFIRMED_ACTIVITY = "confirmed_activity"
    NOT_MALICIOUS = "not_malicious"
    NOT_ENOUGH_DATA = "not_enough_data"
    OTHER = "other"


DETERMINATIONS: dict[Classification, frozenset[Determination]] = {
    Classification.UNKNOWN: frozenset({Determination.UNKNOWN}),
    Classification.TRUE_POSITIVE: frozenset(
        {
            Determination.UNKNOWN,
            Determination.MULTI_STAGED_ATTACK,
            Determination.MALICIOUS_USER_ACTIVITY,
            Determination.COMPROMISED_ACCOUNT,
            Determination.MALWARE,
            Determination.PHISHING,
            Determination.UNWANTED_SOFTWARE,
            Determination.OTHER,
        }
    ),
    Classification.EXPECTED: frozenset(
        {
            Determination.UNKNOWN,
            Determination.SECURITY_TESTING,
            Determination.LINE_OF_BUSINESS,
            Determination.CONFIRMED_ACTIVITY,
            Determination.OTHER,
        }
    ),
    Classification.FALSE_POSITIVE: frozenset(
        {
            Determination.UNKNOWN,
            Determination.NOT_MALICIOUS,
            Determination.NOT_ENOUGH_DATA,
            Determination.OTHER,
        }
    ),
}
"""Which determinations go with which classification."""
