"""Apache APISIX, by its Admin API: routes of our own that come first, and plugins merged into consumers."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from gatewatch.gateways._desired import EntryGateway
from gatewatch.gateways._http import Http, HttpSettings
from gatewatch.gateways._secrets import SecretReference, resolve
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement, actor_of, mark, network_of, place_of
from gatewatch.ports.gateways import Ability, GatewayMeta, RefusedError, Site

__all__ = ["Apisix", "ApisixSettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_OURS = "gatewatch-"
_FIRST = 1_000_000
_LABEL = "gatewatch"
_LABELLED = re.compile(r"([a-z0-9-]{1,40})\.([0-9a-f]{10})")
Json = dict[str, Any]


class ApisixSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one APISIX."""

    url: str = "http://127.0.0.1:9180"
    key: SecretReference
    """Sent as `X-API-KEY`. The key of APISIX's examples is known to everybody: change it."""


class Apisix(EntryGateway):
    """Routes whose id begins with `gatewatch-`, and the label `gatewatch` on consumers."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="apisix",
        title="Apache APISIX",
        description=(
            "A containment of addresses or places is a route of the highest priority that answers itself "
            "(`fault-injection`). A consumer's is a plugin in the consumer, where the same plugin of somebody else is "
            "never replaced."
        ),
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=(*_ADDRESSES, *_PLACES), narrowed=_ADDRESSES, note="403"),
            Ability(effect=Effect.BLOCK, scopes=(ScopeKind.CONSUMER,), note="403"),
            Ability(effect=Effect.SUSPEND_KEY, scopes=(ScopeKind.CONSUMER,), note="403; credentials stay"),
            Ability(effect=Effect.THROTTLE, scopes=(ScopeKind.CONSUMER,), note="429; `limit-count`, per node"),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503"),
        ),
        enforces="routes with `fault-injection`; `fault-injection` and `limit-count` of consumers",
        delay="at once: nodes watch etcd",
        after_restart="Everything: it is in etcd.",
        limits=(
            "One containment for a consumer at a time. Who calls is `remote_addr`, as APISIX's real_ip settings make "
            "it before routing. Calls that no route of the user's serves are answered too. A consumer is read, merged "
            "and written whole without a condition, as the Admin API has none: what somebody else writes to it in the "
            "milliseconds between is lost."
        ),
        setup="Reach of the Admin API and its key.",
        references=(
            "https://apisix.apache.org/docs/apisix/admin-api/",
            "https://apisix.apache.org/docs/apisix/plugins/fault-injection/",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = ApisixSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        self._given: ApisixSettings = settings
        self._site, self._http = site, Http(settings)

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _render(self, wanted: Enforcement) -> Json:
        _, consumer = actor_of(wanted.scope)
        if consumer:
            return {"consumer": consumer, "plugins": _plugins(wanted), "label": f"{wanted.id}.{mark(wanted)}"}
        route: Json = {
            "uri": "/*",
            "priority": _FIRST,
            "status": 1,
            "labels": {_LABEL: f"{wanted.id}.{mark(wanted)}"},
            "plugins": _plugins(wanted),
        }
        conditions: list[Any] = []
        if (network := network_of(wanted.scope)) is not None:
            conditions.append(["remote_addr", "ipmatch", [str(network)]])
        if (place := place_of(wanted.scope)) is not None:
            conditions.append(["uri", "~~", place.pattern()])
            if place.method:
                route["methods"] = [place.method]
            if place.host:
                route["host"] = place.name
        return route | {"vars": conditions}

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for item in self._list("/apisix/admin/routes"):
            if str(item.get("id", "")).startswith(_OURS):
                entry = {name: value for name, value in item.items() if name not in _KEPT_BY_APISIX}
                found[item["id"].removeprefix(_OURS)] = entry
        for item in self._list("/apisix/admin/consumers"):
            if match := _LABELLED.fullmatch((item.get("labels") or {}).get(_LABEL, "")):
                names = [name for name in _OF_CONSUMERS if name in item.get("plugins", {})]
                plugins = {name: item["plugins"][name] for name in names}
                found[match.group(1)] = {"consumer": item["username"], "plugins": plugins, "label": match.group(0)}
        return found

    def _put(self, wanted: Enforcement, entry: Any, *, known: bool) -> None:
        if known and "consumer" in entry:
            self._drop(wanted.id)
        if "consumer" not in entry:
            self._call("PUT", f"/apisix/admin/routes/{_OURS}{wanted.id}", body=entry)
            return
        consumer = self._consumer(entry["consumer"])
        if consumer is None:
            raise RefusedError(f"APISIX has no consumer `{entry['consumer']}`")
        plugins, labels = consumer.get("plugins") or {}, consumer.get("labels") or {}
        if taken := sorted(plugins.keys() & entry["plugins"].keys()) or sorted({_LABEL} & labels.keys()):
            raise RefusedError(f"consumer `{entry['consumer']}` has a {taken[0]} already: there is room for one")
        self._write(consumer, plugins | entry["plugins"], labels | {_LABEL: entry["label"]})

    def _drop(self, entry_id: str) -> None:
        self._call("DELETE", f"/apisix/admin/routes/{_OURS}{entry_id}", accept=(404,))
        for item in self._list("/apisix/admin/consumers"):
            labels = dict(item.get("labels") or {})
            if labels.get(_LABEL, "").partition(".")[0] != entry_id:
                continue
            del labels[_LABEL]
            plugins = {name: one for name, one in (item.get("plugins") or {}).items() if not _is_ours(name, one)}
            self._write(item, plugins, labels)

    def _write(self, consumer: Json, plugins: Json, labels: Json) -> None:
        kept = {name: value for name, value in consumer.items() if name not in ("create_time", "update_time")}
        body = kept | {"plugins": plugins, "labels": labels}
        if not labels:
            del body["labels"]
        self._call("PUT", "/apisix/admin/consumers", body=body)

    def _consumer(self, name: str) -> Json | None:
        path = f"/apisix/admin/consumers/{quote(name, safe='')}"
        found = self._http.call("GET", path, headers=self._headers(), accept=(404,))
        value: Json | None = found.json().get("value") if found.status == 200 else None
        return value

    def _list(self, path: str) -> list[Json]:
        answer = self._http.call("GET", path, headers=self._headers()).json() or {}
        # An empty list comes as an empty object.
        return [item["value"] for item in answer.get("list") or ()]

    def _call(self, method: str, path: str, *, body: object = None, accept: tuple[int, ...] = ()) -> None:
        self._http.call(method, path, body=body, headers=self._headers(), accept=accept)

    def _headers(self) -> dict[str, str]:
        return {"x-api-key": resolve(self._given.key)}


_KEPT_BY_APISIX = frozenset({"id", "create_time", "update_time"})
_OF_CONSUMERS = ("fault-injection", "limit-count")
_BODY = "contained"
"""What tells our plugin from one of the user's."""


def _plugins(one: Enforcement) -> Json:
    if one.effect is Effect.THROTTLE:
        limit = {"count": one.calls, "time_window": one.per_s, "rejected_code": 429, "key": "consumer_name"}
        return {"limit-count": limit | {"key_type": "var", "rejected_msg": _BODY, "policy": "local"}}
    status = 503 if one.effect is Effect.DISABLE_ENDPOINT else 403
    return {"fault-injection": {"abort": {"http_status": status, "body": _BODY}}}


def _is_ours(name: str, plugin: Json) -> bool:
    told = plugin.get("abort", {}).get("body") if name == "fault-injection" else plugin.get("rejected_msg")
    return name in _OF_CONSUMERS and told == _BODY
