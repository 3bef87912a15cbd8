"""Kong, by its Admin API: one shared ip-restriction plugin, and plugins and routes of our own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from gatewatch.gateways._desired import again, sorted_out
from gatewatch.gateways._http import Http, HttpSettings
from gatewatch.gateways._secrets import SecretReference, resolve
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, actor_of, mark, network_of, place_of
from gatewatch.ports.gateways import Ability, ChangedMeanwhileError, Gateway, GatewayMeta, RefusedError, Site

__all__ = ["Kong", "KongSettings"]

_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_TAG = re.compile(r"gatewatch\.([a-z0-9-]{1,40})\.([0-9a-f]{10})\.(own|theirs)")
_SPACE = uuid.UUID("5f0e1a52-6d3c-5c6e-9a80-0c6f5a6e7a10")
"""Namespace of the ids we choose (RFC 9562, version 5): the same entry has the same id always."""
_FIRST = 1_000_000
_MOST_PAGES = 10_000
Json = dict[str, Any]


class KongSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one Kong with a database."""

    url: str = "http://127.0.0.1:8001"
    token: SecretReference | None = None
    """Sent as `Kong-Admin-Token`, for an Admin API with RBAC."""


class Kong(Gateway):
    """Entities with our tags are ours. Addresses share the one global ip-restriction that Kong may have."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="kong",
        title="Kong",
        description=(
            "Addresses are merged into the global `ip-restriction` plugin: Kong has one per scope. What somebody else "
            "put on its deny list stays, also when we wanted the same. Consumers and places get entities of their own."
        ),
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=_ADDRESSES, note="403, on all routes"),
            Ability(effect=Effect.BLOCK, scopes=(ScopeKind.CONSUMER, *_PLACES), note="403"),
            Ability(effect=Effect.SUSPEND_KEY, scopes=(ScopeKind.CONSUMER,), note="403; credentials stay"),
            Ability(effect=Effect.THROTTLE, scopes=(ScopeKind.CONSUMER,), note="429; `local` counters, per minute"),
            Ability(
                effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503, by a route of our own without a service"
            ),
        ),
        enforces="ip-restriction, request-termination and rate-limiting plugins",
        delay="5 s by default (`db_update_frequency`), at once on the node that is told",
        settles_s=10.0,
        after_restart="Everything: it is in Kong's database.",
        limits=(
            "Not for DB-less Kong, which takes its whole configuration only. One containment of a kind for a consumer "
            "at a time. Kong has no conditional writes: what somebody else writes to the shared list in the few "
            "milliseconds between our reading and writing it is lost. A route of our own comes first in the "
            "traditional router; with `expressions`, priorities are the user's."
        ),
        setup="Reach of the Admin API.",
        references=(
            "https://developer.konghq.com/admin-api/",
            "https://developer.konghq.com/plugins/ip-restriction/",
            "https://developer.konghq.com/plugins/request-termination/",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = KongSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        self._given: KongSettings = settings
        self._site, self._http = site, Http(settings)

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Own entities first, then the shared list."""
        sorted_ = sorted_out(self, wanted, self._site)
        own = {one.id: one for one in sorted_.able.values() if network_of(one.scope) is None}
        have = self._own()
        # First what goes: where Kong takes one plugin, the old one is in the way of the new.
        for entry_id in have.keys() - own.keys():
            self._drop(entry_id)
        for one in own.values():
            if have.get(one.id) == mark(one):
                continue
            try:
                self._put(one)
            except RefusedError as error:
                sorted_.refused[one.id] = error.message
        again(lambda: self._merge([one for one in sorted_.able.values() if one.id not in own]))
        left = [one for one in sorted_.able.values() if one.id not in sorted_.refused]
        return sorted_.settled(self._compared(left))

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Compare."""
        return self._compared(list(sorted_out(self, wanted, self._site).able.values()))

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _compared(self, able: Sequence[Enforcement]) -> Agreement:
        plugin = self._shared()
        denied = set((plugin or {}).get("config", {}).get("deny") or ())
        networks = {one.id: str(network) for one in able if (network := network_of(one.scope)) is not None}
        found: dict[str, object] = dict(self._own())
        for entry_id, seen, _ in _ours(plugin):
            missing = entry_id in networks and networks[entry_id] not in denied
            found[entry_id] = "altered" if missing or not (plugin or {}).get("enabled", True) else seen
        return Agreement.between({one.id: mark(one) for one in able}, found)

    def _merge(self, wanted: Sequence[Enforcement]) -> None:
        """Deny list and tags of the shared plugin. The tags tell which values are ours alone to remove."""
        plugin = self._shared()
        if plugin is None and not wanted:
            return
        before = plugin or {"config": {}, "tags": []}
        values = dict(part.split("=", 1) for part in _values(before))
        denied: list[str] = list(before["config"].get("deny") or ())
        ours = {values[tag] for tag in values if tag.endswith(".own")}
        theirs = [value for value in denied if value not in ours]
        tags, new = [tag for tag in before.get("tags") or () if not tag.startswith("gatewatch.")], list[str]()
        for one in wanted:
            value = str(network_of(one.scope))
            owner = "theirs" if value in theirs else "own"
            tags.append(f"gatewatch.{one.id}.{mark(one)}.{owner}={_coded(value)}")
            if owner == "own" and value not in new:
                new.append(value)
        self._store(plugin, {"deny": [*theirs, *new]}, tags)

    def _store(self, plugin: Json | None, config: Json, tags: list[str]) -> None:
        mine = _id("shared", "plugin")
        if plugin is None:
            body = {"name": "ip-restriction", "config": config, "tags": tags, "enabled": True}
            self._call("PUT", f"/plugins/{mine}", body=body)
        elif plugin["id"] == mine and not config["deny"] and not plugin["config"].get("allow"):
            self._call("DELETE", f"/plugins/{mine}", accept=(404,))
            return
        elif config["deny"] != list(plugin["config"].get("deny") or ()) or tags != list(plugin.get("tags") or ()):
            if not config["deny"] and not plugin["config"].get("allow"):
                # The schema asks for one of the lists; a plugin that was theirs and empty can't have been.
                config = {"deny": ["192.0.2.255/32"]}
            if not plugin.get("enabled", True) and plugin["id"] != mine:
                raise RefusedError(
                    "Kong's global ip-restriction is disabled, and not by Gatewatch", cure="Enable or delete it."
                )
            self._call("PATCH", f"/plugins/{plugin['id']}", body={"config": config, "tags": tags})
        else:
            return
        now = self._shared()
        if now is None or list(now["config"].get("deny") or ()) != config["deny"]:
            raise ChangedMeanwhileError("somebody else changed Kong's global ip-restriction at the same time")

    def _shared(self) -> Json | None:
        """The global ip-restriction, whoever made it."""
        for plugin in self._list("/plugins"):
            scoped = any(plugin.get(name) for name in ("service", "route", "consumer", "consumer_group"))
            if plugin["name"] == "ip-restriction" and not scoped:
                return plugin
        return None

    def _own(self) -> dict[str, str]:
        """Id -> mark of entities that are ours alone; '' when something is missing of one."""
        found: dict[str, str] = {}
        plugins = {plugin["id"]: plugin for plugin in self._list("/plugins?tags=gatewatch")}
        for plugin in plugins.values():
            for entry_id, seen, _ in _ours(plugin):
                good = plugin["id"] == _id(entry_id, "plugin") and plugin.get("enabled", True)
                found[entry_id] = seen if good else ""
        for route in self._list("/routes?tags=gatewatch"):
            for entry_id, seen, _ in _ours(route):
                if _id(entry_id, "plugin") not in plugins or found.get(entry_id) != seen:
                    found[entry_id] = ""
        return found

    def _put(self, one: Enforcement) -> None:
        tags = ["gatewatch", f"gatewatch.{one.id}.{mark(one)}.own=-"]
        place, (_, consumer) = place_of(one.scope), actor_of(one.scope)
        if place is not None:
            route = {
                "name": f"gatewatch-{one.id}",
                "paths": ["~" + place.pattern().removeprefix("^")],
                "hosts": [place.name] if place.host else None,
                "methods": [place.method] if place.method else None,
                "protocols": ["http", "https"],
                "regex_priority": _FIRST,
                "tags": tags,
            }
            self._call("PUT", f"/routes/{_id(one.id, 'route')}", body=route)
            status = 503 if one.effect is Effect.DISABLE_ENDPOINT else 403
            target: Json = {"route": {"id": _id(one.id, "route")}}
        else:
            status, target = 403, {"consumer": {"id": self._consumer(consumer)}}
        body: Json = {"tags": tags, "enabled": True, **target}
        if one.effect is Effect.THROTTLE:
            minute = max(1, round((one.calls or 1) * 60 / one.per_s))
            body |= {"name": "rate-limiting", "config": {"minute": minute, "policy": "local", "limit_by": "consumer"}}
        else:
            body |= {"name": "request-termination", "config": {"status_code": status}}
        try:
            self._call("PUT", f"/plugins/{_id(one.id, 'plugin')}", body=body)
        except ChangedMeanwhileError as error:
            raise RefusedError(f"there is a {body['name']} plugin already: Kong takes one") from error

    def _drop(self, entry_id: str) -> None:
        self._call("DELETE", f"/plugins/{_id(entry_id, 'plugin')}", accept=(404,))
        self._call("DELETE", f"/routes/{_id(entry_id, 'route')}", accept=(404,))

    def _consumer(self, name: str) -> str:
        found = self._http.call("GET", f"/consumers/{quote(name, safe='')}", headers=self._headers(), accept=(404,))
        if found.status == 404:
            raise RefusedError(f"Kong has no consumer `{name}`")
        return str(found.json()["id"])

    def _list(self, path: str) -> list[Json]:
        found: list[Json] = []
        following: str | None = path
        for _ in range(_MOST_PAGES):
            if not following:
                break
            page = self._http.call("GET", following, headers=self._headers()).json()
            found += page["data"]
            following = page.get("next")
        return found

    def _call(self, method: str, path: str, *, body: object = None, accept: tuple[int, ...] = ()) -> None:
        self._http.call(method, path, body=body, headers=self._headers(), accept=accept)

    def _headers(self) -> dict[str, str]:
        return {"kong-admin-token": resolve(self._given.token)} if self._given.token else {}


def _id(entry_id: str, what: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{what}:{entry_id}"))


def _coded(value: str) -> str:
    """A tag has no slash (Admin API, tags)."""
    return value.replace("/", "_")


def _values(entity: Json) -> list[str]:
    return [f"{tag.partition('=')[0]}={tag.partition('=')[2].replace('_', '/')}" for tag in _tags(entity)]


def _tags(entity: Json | None) -> list[str]:
    return [tag for tag in (entity or {}).get("tags") or () if _TAG.match(tag)]


def _ours(entity: Json | None) -> list[tuple[str, str, str]]:
    """(our id, mark, own or theirs) of what an entity carries."""
    return [(match[1], match[2], match[3]) for tag in _tags(entity) if (match := _TAG.match(tag))]
