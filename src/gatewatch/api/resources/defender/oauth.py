"""Token endpoints: client credentials for API tokens, at the paths of Entra ID v1 and v2."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Path, Request

from gatewatch.api.context import Services
from gatewatch.api.resources.defender.envelopes import OAuthError, OAuthRoute
from gatewatch.formats.records import Record
from gatewatch.services.access import UnauthenticatedError
from gatewatch.services.client_credentials import Grant

__all__ = ["router"]

router = APIRouter(tags=["defender"], route_class=OAuthRoute)
Tenant = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$", description="Any: there is one here.")]
_RESOURCE = "https://api.security.microsoft.com"
_MOST_FIELDS = 50


async def _form(request: Request) -> dict[str, str]:
    """The form that was posted; a name given twice is an error (RFC 6749, 3.2)."""
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise OAuthError("invalid_request", "the body is no form") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthError("invalid_request", "a parameter was given more than once")
    return fields


Form = Annotated[dict[str, str], Depends(_form)]


def _grant(request: Request, services: Services, tenant: str, form: dict[str, str], audience: str) -> Grant:
    if not form.get("grant_type"):
        raise OAuthError("invalid_request", "the parameter grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type", "only client_credentials is granted here")
    for name in ("client_id", "client_secret"):
        if not form.get(name):
            raise OAuthError("invalid_request", f"the parameter {name} is missing")
    origin = request.client.host if request.client else ""
    try:
        return services.clients.issue(
            form["client_id"], form["client_secret"], audience=audience, tenant=tenant, origin=origin
        )
    except UnauthenticatedError as error:
        raise UnauthenticatedError("client_id and client_secret are not those of an API token that works") from error


@router.post("/{tenant}/oauth2/token", summary="An access token, v1")
def first(request: Request, services: Services, tenant: Tenant, form: Form) -> Record:
    """For `client_id` (an API token's id) and `client_secret` (its secret); numbers are texts, as v1 writes them."""
    audience = form.get("resource") or _RESOURCE
    grant = _grant(request, services, tenant, form, audience)
    return {
        "token_type": "Bearer",
        "expires_in": str(grant.expires_in),
        "ext_expires_in": str(grant.expires_in),
        "expires_on": str(grant.issued_at + grant.expires_in),
        "not_before": str(grant.issued_at),
        "resource": audience,
        "access_token": grant.text,
    }


@router.post("/{tenant}/oauth2/v2.0/token", summary="An access token, v2")
def second(request: Request, services: Services, tenant: Tenant, form: Form) -> Record:
    """The same for a `scope`; whichever is asked, what the token may do is what the API token's role allows."""
    scopes = form.get("scope", "").split()
    if not scopes:
        raise OAuthError("invalid_request", "the parameter scope is missing")
    grant = _grant(request, services, tenant, form, scopes[-1].removesuffix("/.default"))
    return {
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "ext_expires_in": grant.expires_in,
        "access_token": grant.text,
    }


@router.get("/{tenant}/v2.0/.well-known/openid-configuration", summary="Where the token endpoint is")
def discovery(request: Request, tenant: Tenant) -> Record:
    """What Microsoft's authentication libraries read first."""
    base = f"{request.base_url}{tenant}"
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
