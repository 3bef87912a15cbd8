"""Endpoints from facts: used or not, authenticated or not, sensitive or not (reference/microsoft.md 4)."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.model.inventory import (
    Activity,
    Authentication,
    Endpoint,
    EndpointFacts,
    InformationFact,
)

__all__ = ["INACTIVE_AFTER_S", "judge_endpoint", "judge_information"]

INACTIVE_AFTER_S = 30 * 86_400.0
"""reference/microsoft.md 4.3: no calls in the last 30 days."""
_STRAY_SHARE = 0.005
_MIN_STRAY_CALLS = 3
_MIN_SHARE = 0.05
_MIN_TRANSACTIONS = 3
# Their checks pass by chance too rarely to need many samples.
_CERTAIN_TYPES = frozenset(
    {
        "iban",
        "email",
        "jwt",
        "private_key",
        "aws_access_key",
        "gcp_api_key",
        "github_token",
        "slack_token",
        "stripe_key",
        "gitlab_token",
        "sendgrid_key",
        "npm_token",
        "pypi_token",
        "gcp_oauth_secret",
        "azure_client_secret",
        "digitalocean_token",
        "shopify_token",
        "huggingface_token",
        "slack_webhook",
    }
    | {"azure_storage_key", "it_codice_fiscale", "fr_nir"}
)
_UNPROTECTED_METHODS = frozenset({"OPTIONS"})


def judge_information(facts: Sequence[InformationFact]) -> tuple[InformationFact, ...]:
    """Types assigned to the endpoint: certain ones always, the others by share and number of samples."""
    return tuple(
        fact
        for fact in facts
        if fact.type in _CERTAIN_TYPES or fact.share >= _MIN_SHARE or fact.transactions >= _MIN_TRANSACTIONS * 10
    )


def _authentication(facts: EndpointFacts) -> tuple[Authentication, str]:
    anonymous, named, refused = facts.anonymous_accepted, facts.authenticated_accepted, facts.anonymous_refused
    if facts.credential_evidence == 0:
        return Authentication.AWAITING_DATA, "the source does not show credentials"
    if anonymous == 0 and named == 0:
        if refused:
            return Authentication.AUTHENTICATED, f"{refused} calls without credential were refused, none accepted"
        return Authentication.AWAITING_DATA, "no call was accepted yet"
    if facts.method in _UNPROTECTED_METHODS and not named:
        return Authentication.AWAITING_DATA, "preflight requests carry no credentials"
    stray = anonymous < _MIN_STRAY_CALLS and anonymous <= _STRAY_SHARE * (anonymous + named)
    if anonymous and not (stray and refused):
        return (
            Authentication.UNAUTHENTICATED,
            f"{anonymous} of {anonymous + named} accepted calls carried no credential",
        )
    return (
        Authentication.AUTHENTICATED,
        f"{named} of {anonymous + named} accepted calls carried a credential; {refused} without one were refused",
    )


def judge_endpoint(
    facts: EndpointFacts, information: Sequence[InformationFact], *, collection_id: str, now: float
) -> Endpoint:
    """One row of the inventory at a moment."""
    authentication, why = _authentication(facts)
    activity = Activity.INACTIVE if now - facts.last_seen > INACTIVE_AFTER_S else Activity.ACTIVE
    if activity is Activity.INACTIVE:
        # Insights age: reference/microsoft.md 2.1, "returns to Awaiting Data".
        authentication, why = Authentication.AWAITING_DATA, "no calls in the last 30 days"
    return Endpoint(
        id=f"{facts.endpoint_id:016x}",
        collection_id=collection_id,
        method=facts.method,
        host=facts.host,
        template=facts.template,
        operation=facts.operation,
        first_seen=facts.first_seen,
        last_called=facts.last_seen,
        calls=facts.calls,
        calls_by_status_class=facts.calls_by_status_class,
        activity=activity,
        authentication=authentication,
        authentication_why=why,
        external_last_seen=facts.external_last_seen or None,
        information_types=judge_information(information),
        actors=facts.actors,
        clients=facts.clients,
        template_reason=facts.template_reason,
        template_confidence=facts.template_confidence,
        template_why=facts.template_why,
    )
