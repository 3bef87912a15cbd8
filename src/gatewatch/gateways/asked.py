"""Gateways that ask us about every call: Envoy and Istio by ext_authz, Traefik and others by forward auth."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gatewatch.gateways._board import Board, BoardSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Ability, GatewayMeta

__all__ = ["Asked"]

_CALLERS = (ScopeKind.ADDRESS, ScopeKind.RANGE, ScopeKind.ACTOR, ScopeKind.CONSUMER)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_ACTORS = ("subject", "consumer", "certificate", "key", "session")
_ALL: tuple[ScopeKind, ...] = (*_CALLERS, *_PLACES)


class Asked(Board):
    """Only these see credentials as Gatewatch does, so only they can tell API keys and sessions."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="asked",
        title="ext_authz and forward auth",
        description=(
            "Gatewatch answers for every call whether it may pass: over gRPC (`envoy.service.auth.v3`) to Envoy, Istio "
            "and all that speak ext_authz, over HTTP to Traefik's forwardAuth, nginx's auth_request, Caddy's "
            "forward_auth. Whether calls pass while Gatewatch is away is the gateway's setting; let them pass. Traefik "
            "has no such setting and refuses them."
        ),
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=_ALL, narrowed=_CALLERS, actors=_ACTORS, note="403"),
            Ability(effect=Effect.SUSPEND_KEY, scopes=_CALLERS[2:], narrowed=_CALLERS[2:], actors=_ACTORS, note="403"),
            Ability(
                effect=Effect.THROTTLE,
                scopes=_ALL,
                narrowed=_CALLERS,
                actors=_ACTORS,
                note="429 with Retry-After; counted in this process of Gatewatch",
            ),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503"),
            Ability(
                effect=Effect.MIRROR,
                scopes=_ALL,
                narrowed=_CALLERS,
                actors=_ACTORS,
                note="lets pass, with response header `x-gatewatch-mirror` to the gateway",
            ),
        ),
        enforces="the gateway's own authorization filter",
        delay="the next call",
        after_restart="Everything: the gateway asks again.",
        expires_itself=True,
        limits="One more round trip for every call. Tokens are read, not verified: the gateway verifies them.",
        setup="ext_authz.yaml, traefik.yaml",
        references=(
            "https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/auth/v3/external_auth.proto",
            "https://doc.traefik.io/traefik/middlewares/http/forwardauth/",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = BoardSettings
