"""Bouncers of CrowdSec that pull decisions from us, as from a local API."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from gatewatch.gateways._board import Board, BoardSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Ability, GatewayMeta

__all__ = ["Bouncers", "BouncersSettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)


class BouncersSettings(BoardSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of all bouncers together."""

    silent_after_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    """When no bouncer has pulled for so long, none enforces: the gateway counts as away. 0: silence says nothing."""


class Bouncers(Board):
    """Every bouncer has a token of role `gateway` as its API key."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="bouncers",
        title="CrowdSec bouncers",
        description=(
            "Unmodified bouncers (nginx, HAProxy, Traefik, Caddy, firewalls, WordPress …) take Gatewatch for "
            "their local API: `api_url` is Gatewatch's address, `api_key` a token of role `gateway`."
        ),
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=_ADDRESSES, note="type `ban`"),
            Ability(
                effect=Effect.CHALLENGE, scopes=_ADDRESSES, note="type `captcha`; bouncers without one ban or skip"
            ),
        ),
        enforces="whatever the bouncer does; firewalls drop packets",
        delay="when bouncers pull, 10 s by default",
        settles_s=30.0,
        after_restart="Everything: a bouncer that starts asks for all.",
        expires_itself=True,
        setup="`gatewatch tokens create --role gateway`, then `api_url` and `api_key` of the bouncer.",
        references=("https://docs.crowdsec.net/u/bouncers/intro", "https://crowdsecurity.github.io/api_doc/lapi/"),
    )
    settings: ClassVar[type[msgspec.Struct]] = BouncersSettings
