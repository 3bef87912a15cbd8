"""A stage of Amazon API Gateway, by the throttles of its methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlencode

import msgspec

from gatewatch.gateways import _files
from gatewatch.gateways._aws import AwsHttp, AwsSettings
from gatewatch.gateways._desired import EntryGateway, again
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, mark, place_of
from gatewatch.ports.gateways import Ability, GatewayAwayError, GatewayMeta, RefusedError, Site

__all__ = ["AwsStage", "AwsStageSettings"]

_MOST_PAGES = 100
_UNLIMITED = (-1.0, -1)
_Limits = tuple[float, int]
"""(calls a second, calls at once)."""


class AwsStageSettings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one stage of one REST API."""

    api: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]{1,32}$")]
    """Its id."""
    stage: Annotated[str, msgspec.Meta(pattern=r"^\w{1,128}$")]
    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,253}$")]
    """As the inventory has it: the custom domain, or `API.execute-api.REGION.amazonaws.com`."""
    base_path: Annotated[str, msgspec.Meta(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    """What callers write before a resource's path: the stage's name on an execute-api host, the mapping's else."""


class _Entry(msgspec.Struct, frozen=True):
    """What one enforcement wants of one method."""

    rate: float
    burst: int
    said: str
    method: str = ""
    """`/path/METHOD`, as API Gateway calls it."""

    @property
    def limits(self) -> _Limits:
        return self.rate, self.burst

    def bare(self) -> _Entry:
        """As it is wanted, wherever the method may be."""
        return _Entry(self.rate, self.burst, self.said)


class _Settings(msgspec.Struct, frozen=True, rename="camel"):
    """Of a method; the others are compared, never written."""

    throttling_rate_limit: float = _UNLIMITED[0]
    throttling_burst_limit: int = _UNLIMITED[1]
    logging_level: str = ""
    data_trace_enabled: bool = False
    metrics_enabled: bool = False
    caching_enabled: bool = False
    cache_ttl_in_seconds: int = 0

    @property
    def limits(self) -> _Limits:
        return self.throttling_rate_limit, self.throttling_burst_limit


class _Kept(msgspec.Struct, frozen=True):
    """A stage has no place for ids: whose a limit is, and what was there before."""

    entries: dict[str, _Entry] = {}
    before: dict[str, _Limits | None] = {}
    """Method -> its limits; None when it had no settings of its own."""
    made: dict[str, _Settings] = {}
    """Method without settings of its own before -> what API Gateway made of ours."""


class _Stage(msgspec.Struct, rename="camel"):
    method_settings: dict[str, _Settings] = {}


class _Resource(msgspec.Struct, rename="camel"):
    path: str
    resource_methods: dict[str, Any] = {}


class _Page(msgspec.Struct):
    item: tuple[_Resource, ...] = ()
    position: str = ""


class AwsStage(EntryGateway):
    """What a method had before is remembered before it is changed, and put back when nothing is wanted of it."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="aws-api-gateway-stage",
        title="Amazon API Gateway: a stage",
        description=(
            "Methods of one stage are throttled for everybody, or closed by a limit of nothing. Endpoints are found "
            "among the API's resources; what a method had before comes back afterwards. Nothing is deployed."
        ),
        abilities=(
            Ability(effect=Effect.THROTTLE, scopes=(ScopeKind.ENDPOINT,), note="429, all callers together"),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=(ScopeKind.ENDPOINT,), note="429: a limit of 0"),
        ),
        enforces="`UpdateStage`, throttling of method settings",
        delay="seconds",
        after_restart="Everything.",
        limits=(
            "REST APIs, not HTTP APIs. Resources with method ANY only can't be told apart by method. Limits that "
            "somebody changes while ours are in force are seen, put right, and lost when ours end."
        ),
        setup=(
            "An access key with `apigateway:GET` on `/restapis/API/resources` and `/restapis/API/stages/STAGE`, and "
            "`apigateway:PATCH` on the latter, and nothing else."
        ),
        references=(
            "https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateStage.html",
            "https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSetting.html",
            "https://docs.aws.amazon.com/apigateway/latest/api/API_GetResources.html",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = AwsStageSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        self._given: AwsStageSettings = settings
        self._site = site
        self._aws = AwsHttp(self._given, "apigateway", site.clock)
        self._memory = _files.Memory(site.directory / "aws-api-gateway-stage.json", _Kept)
        self._resources: tuple[_Resource, ...] | None = None

    def refusal(self, wanted: Enforcement) -> str:
        """Also endpoints of another host or path."""
        if said := super().refusal(wanted):
            return said
        place, given = place_of(wanted.scope), self._given
        if place is None or place.host.partition(":")[0] != given.host.lower():
            return f"this stage answers for {given.host}"
        if given.base_path and not f"{place.template}/".startswith(f"{given.base_path}/"):
            return f"this stage is below {given.base_path}"
        return ""

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """First what an earlier attempt has left to put back."""
        self._resources = None
        kept = self._memory.read()
        for method in sorted(kept.before):
            if _strictest(kept, method) is None:
                self._agree(method)
        return super().apply(wanted)

    def close(self) -> None:
        """Close connections."""
        self._aws.close()

    def _render(self, wanted: Enforcement) -> _Entry:
        if wanted.effect is Effect.DISABLE_ENDPOINT or wanted.calls is None:
            return _Entry(0.0, 0, mark(wanted))
        return _Entry(max(round(wanted.calls / wanted.per_s, 3), 0.001), wanted.calls, mark(wanted))

    def _read(self) -> dict[str, Any]:
        kept, there = self._memory.read(), self._stage()
        return {
            name: entry.bare()
            for name, entry in kept.entries.items()
            if entry.method in there and there[entry.method].limits == _strictest(kept, entry.method)
        }

    def _put(self, wanted: Enforcement, entry: Any, *, known: bool) -> None:
        del known
        kept, method = self._memory.read(), self._method(wanted)
        before = dict(kept.before)
        if method not in before:
            now = self._stage().get(method)
            before[method] = now.limits if now else None
        entries = {**kept.entries, wanted.id: msgspec.structs.replace(entry, method=method)}
        moved = kept.entries.get(wanted.id)
        self._memory.write(_Kept(entries, before, kept.made))
        self._agree(method)
        if moved and moved.method != method:
            self._agree(moved.method)

    def _drop(self, entry_id: str) -> None:
        kept = self._memory.read()
        if gone := kept.entries.get(entry_id):
            entries = {name: entry for name, entry in kept.entries.items() if name != entry_id}
            self._memory.write(_Kept(entries, kept.before, kept.made))
            self._agree(gone.method)

    def _agree(self, method: str) -> None:
        """The strictest that is wanted of a method, or what it had before. Raises RefusedError."""
        kept, there = self._memory.read(), self._stage()
        limits, now = _strictest(kept, method), there.get(method)
        if limits is None:
            self._give_back(kept, method, there)
            self._memory.write(_forget(kept, method))
        elif now is None or now.limits != limits:
            left = self._limit(method, limits).get(method)
            if kept.before[method] is None and left is not None:
                self._memory.write(_Kept(kept.entries, kept.before, {**kept.made, method: left}))

    def _give_back(self, kept: _Kept, method: str, there: Mapping[str, _Settings]) -> None:
        now, limits = there.get(method), kept.before[method]
        if now is None:
            return
        with suppress(RefusedError):  # the method is gone, and its settings with it
            if limits is not None:
                self._limit(method, limits)
            elif now == kept.made.get(method):
                self._patch([{"op": "remove", "path": _pointer(method)}])
            else:
                # Somebody gave the method settings of its own meanwhile: theirs stay.
                self._limit(method, there.get("/*/*", _Settings()).limits)

    def _limit(self, method: str, limits: _Limits) -> dict[str, _Settings]:
        at, (rate, burst) = _pointer(method), limits
        return self._patch(
            [
                {"op": "replace", "path": f"{at}/throttling/rateLimit", "value": str(rate)},
                {"op": "replace", "path": f"{at}/throttling/burstLimit", "value": str(burst)},
            ]
        )

    def _method(self, wanted: Enforcement) -> str:
        """`/path/METHOD`. Raises RefusedError when the API has no such method."""
        place = place_of(wanted.scope)
        if place is None:
            raise RefusedError("an endpoint is needed")
        template = place.template.removeprefix(self._given.base_path) or "/"
        fitting = [one for one in self._all_resources() if _fits(one.path, template)]
        nearest = min(fitting, key=lambda one: [_breadth(part) for part in one.path.split("/")], default=_Resource("/"))
        if place.method in nearest.resource_methods:
            return f"{nearest.path}/{place.method}"
        if "ANY" in nearest.resource_methods:
            raise RefusedError(f"{nearest.path} has method ANY, which has no throttle for {place.method} alone")
        raise RefusedError(f"the API has no {place.method} {template}", cure="Check `api`, `host` and `base_path`.")

    def _all_resources(self) -> tuple[_Resource, ...]:
        """Read once for every `apply`."""
        if self._resources is None:
            found: list[_Resource] = []
            position = ""
            for _ in range(_MOST_PAGES):
                query = urlencode({"limit": 500} | ({"position": position} if position else {}), quote_via=quote)
                page = self._call("GET", f"/restapis/{self._given.api}/resources?{query}", b"", _Page)
                found += page.item
                if not (position := page.position):
                    break
            self._resources = tuple(found)
        return self._resources

    def _stage(self) -> dict[str, _Settings]:
        return _named(self._call("GET", self._path, b"", _Stage))

    def _patch(self, operations: Sequence[Mapping[str, str]]) -> dict[str, _Settings]:
        content = msgspec.json.encode({"patchOperations": operations})
        return _named(again(partial(self._call, "PATCH", self._path, content, _Stage)))

    @property
    def _path(self) -> str:
        return f"/restapis/{self._given.api}/stages/{self._given.stage}"

    def _call(self, method: str, path: str, content: bytes, kind: type[Any]) -> Any:
        headers = {"accept": "application/json"} | ({"content-type": "application/json"} if content else {})
        found = self._aws.call(method, path, content=content, headers=headers, accept=())
        try:
            return msgspec.json.decode(found.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayAwayError("API Gateway's answer is not as its reference says") from error


def _strictest(kept: _Kept, method: str) -> _Limits | None:
    return min((entry.limits for entry in kept.entries.values() if entry.method == method), default=None)


def _forget(kept: _Kept, method: str) -> _Kept:
    return _Kept(
        kept.entries,
        {name: limits for name, limits in kept.before.items() if name != method},
        {name: settings for name, settings in kept.made.items() if name != method},
    )


def _named(stage: _Stage) -> dict[str, _Settings]:
    """By `/path/METHOD`; API Gateway shows paths escaped or not, with a slash before them or not."""
    found = {}
    for name, settings in stage.method_settings.items():
        path, _, verb = name.rpartition("/")
        found[f"/{path.replace('~1', '/').replace('~0', '~').strip('/')}/{verb}"] = settings
    return found


def _pointer(method: str) -> str:
    path, _, verb = method.rpartition("/")
    return "/" + path.replace("~", "~0").replace("/", "~1") + "/" + verb


def _fits(path: str, template: str) -> bool:
    """A resource's path names parameters, a template types them; `{proxy+}` takes everything that is left."""
    named, typed = [one for one in path.split("/") if one], [one for one in template.split("/") if one]
    if named and named[-1].endswith("+}"):
        named = named[:-1]
        if len(typed) <= len(named):
            return False
        typed = typed[: len(named)]
    return len(named) == len(typed) and all(map(_same, named, typed))


def _same(named: str, typed: str) -> bool:
    # What the API takes as a parameter may be a literal to the inventory: a value that never changed.
    return named == typed or named.startswith("{")


def _breadth(part: str) -> int:
    """API Gateway goes to the narrowest, from the left."""
    return 0 if not part.startswith("{") else 2 if part.endswith("+}") else 1
