"""Applications with Gatewatch's own middleware, which pulls what is in force."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gatewatch.gateways._board import Board
from gatewatch.gateways.bouncers import BouncersSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Ability, GatewayMeta

__all__ = ["Middleware"]

_CALLERS = (ScopeKind.ADDRESS, ScopeKind.RANGE, ScopeKind.ACTOR)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_ALL: tuple[ScopeKind, ...] = (*_CALLERS, *_PLACES)


class Middleware(Board):
    """`gatewatch.sdk.enforcing` in ASGI and WSGI applications."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="middleware",
        title="ASGI and WSGI middleware",
        description="For applications without a gateway: `gatewatch.sdk.enforcing` pulls and answers inside them.",
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=_ALL, narrowed=_CALLERS, actors=("subject",), note="403"),
            Ability(
                effect=Effect.THROTTLE,
                scopes=_ALL,
                narrowed=_CALLERS,
                actors=("subject",),
                note="429; counted in every process by itself",
            ),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503"),
        ),
        enforces="an answer before the application is called",
        delay="when the middleware pulls, 5 s by default",
        settles_s=10.0,
        after_restart="Everything: it pulls when it starts.",
        expires_itself=True,
        limits="Subjects are the users that authentication, wrapped outside of ours, put into the call.",
        setup="`EnforcingAsgi(app, Enforcer(url, token))`, with a token of role `gateway`.",
    )
    settings: ClassVar[type[msgspec.Struct]] = BouncersSettings
