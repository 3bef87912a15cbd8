"""Caddy, by its admin API: routes of our own before all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from gatewatch.gateways._desired import again, sorted_out
from gatewatch.gateways._http import Http, HttpSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, network_of, place_of, spellings
from gatewatch.ports.gateways import Ability, Gateway, GatewayAwayError, GatewayMeta, Site

__all__ = ["Caddy", "CaddySettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_OURS = "gatewatch-"
Json = dict[str, Any]


class CaddySettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one server of a Caddy."""

    url: str = "http://127.0.0.1:2019"
    server: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]{1,64}$")] = "srv0"
    """Name of the server in Caddy's JSON configuration; a Caddyfile makes `srv0`, `srv1` …"""
    client_address: Literal["remote_ip", "client_ip", "forwarded"] = "remote_ip"
    """How Caddy sees who calls. `client_ip`: by `trusted_proxies` (Caddy 2.7). `forwarded`: the first address of
    X-Forwarded-For (2.6), which callers can write themselves unless a proxy in front replaces it."""


class Caddy(Gateway):
    """Routes whose `@id` begins with `gatewatch-` are ours."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="caddy",
        title="Caddy",
        description="Routes before all others of one server. Every write is bound to the ETag that was read.",
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=(*_ADDRESSES, *_PLACES), narrowed=_ADDRESSES, note="403"),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503"),
        ),
        enforces="routes with `static_response`",
        delay="at once: the admin API answers when the new configuration serves",
        after_restart="Nothing, unless Caddy runs with `--resume`: applied again when Gatewatch next looks.",
        limits="Standard Caddy has no rate limit. A Caddyfile loaded anew removes our routes until Gatewatch looks.",
        setup="The admin API, which is on by default; keep it on this machine or behind mutual TLS.",
        references=("https://caddyserver.com/docs/api", "https://caddyserver.com/docs/json/apps/http/servers/routes/"),
    )
    settings: ClassVar[type[msgspec.Struct]] = CaddySettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        self._given: CaddySettings = settings
        self._site, self._http = site, Http(settings)
        self._path = f"/config/apps/http/servers/{settings.server}/routes"

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """One conditional write of all routes, theirs as they were read."""
        sorted_ = sorted_out(self, wanted, self._site)
        ours = [self._route(one) for one in sorted_.able.values()]

        def attempt() -> None:
            routes, etag = self._routes()
            theirs = [route for route in routes if not _is_ours(route)]
            if routes != (after := ours + theirs):
                self._http.call("PATCH", self._path, body=after, headers={"if-match": etag})

        again(attempt)
        return sorted_.settled(self._compared(sorted_.able))

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Compare."""
        return self._compared(sorted_out(self, wanted, self._site).able)

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _compared(self, able: dict[str, Enforcement]) -> Agreement:
        routes, _ = self._routes()
        found: dict[str, object] = {route["@id"].removeprefix(_OURS): route for route in routes if _is_ours(route)}
        # A route of theirs before one of ours may answer first: then ours is not in force.
        first_of_theirs = next((at for at, route in enumerate(routes) if not _is_ours(route)), len(routes))
        found |= {route["@id"].removeprefix(_OURS): None for route in routes[first_of_theirs:] if _is_ours(route)}
        return Agreement.between({one.id: self._route(one) for one in able.values()}, found)

    def _routes(self) -> tuple[list[Json], str]:
        found = self._http.call("GET", self._path, accept=(400, 404, 500))
        routes = found.json()
        if found.status != 200 or not isinstance(routes, list):
            raise GatewayAwayError(
                f"Caddy has no server `{self._given.server}` with routes",
                cure="`caddy adapt` shows the names of the servers; set `server`.",
            )
        return routes, found.etag or _etag(self._path, found.body)

    def _route(self, one: Enforcement) -> Json:
        match: Json = {}
        if (network := network_of(one.scope)) is not None:
            ranges: Json = {"ranges": [str(range_) for range_ in spellings(network)]}
            if self._given.client_address == "forwarded":
                match["remote_ip"] = ranges | {"forwarded": True}
            else:
                match[self._given.client_address] = ranges
        if (place := place_of(one.scope)) is not None:
            match["path_regexp"] = {"pattern": place.pattern()}
            if place.method:
                match["method"] = [place.method]
            if place.host:
                match["host"] = [place.name.strip("[]")]
        status = 503 if one.effect is Effect.DISABLE_ENDPOINT else 403
        return {
            "@id": _OURS + one.id,
            "handle": [{"handler": "static_response", "status_code": status}],
            "match": [match],
            "terminal": True,
        }


def _etag(path: str, body: bytes) -> str:
    """As Caddy makes it: up to 2.7 it comes after the body, in a trailer, which HTTP clients drop (FNV-1a, 32 bit).

    A Caddy that reckons otherwise refuses the write, and nothing is overwritten.
    """
    found = 0x811C9DC5
    for octet in body:
        found = ((found ^ octet) * 0x01000193) & 0xFFFFFFFF
    return f'"{path} {found:x}"'


def _is_ours(route: Json) -> bool:
    return str(route.get("@id", "")).startswith(_OURS)
