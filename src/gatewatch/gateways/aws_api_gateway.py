"""Amazon API Gateway, by its API keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import msgspec

from gatewatch.gateways import _files
from gatewatch.gateways._aws import AwsHttp, AwsSettings
from gatewatch.gateways._desired import EntryGateway, again
from gatewatch.gateways._http import Answer
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, mark
from gatewatch.ports.gateways import Ability, GatewayAwayError, GatewayMeta, RefusedError, Site

__all__ = ["AwsApiGateway", "AwsApiGatewaySettings"]

_KEY = re.compile(r"[A-Za-z0-9]{1,64}")
_NOT_FOUND = 404
_Entry = tuple[str, str]
"""(id of the API key, mark)."""


class AwsApiGatewaySettings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one account and region: API keys belong to no single API."""


class _Kept(msgspec.Struct, frozen=True):
    """What we disabled: a key that was disabled before is never enabled by us."""

    entries: dict[str, _Entry] = {}
    disabled: frozenset[str] = frozenset()


class _Key(msgspec.Struct):
    enabled: bool = False


class AwsApiGateway(EntryGateway):
    """A key of ours to give back is remembered before it is disabled, and until it is enabled again."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="aws-api-gateway",
        title="Amazon API Gateway",
        description=(
            "API keys are disabled and enabled again. Addresses are blocked by AWS WAF in front: add a gateway of kind "
            "`aws-waf` for the web ACL of the stage. Endpoints are throttled or closed by a gateway of kind "
            "`aws-api-gateway-stage`."
        ),
        abilities=(
            Ability(effect=Effect.SUSPEND_KEY, scopes=(ScopeKind.CONSUMER,), note="403; the consumer is the key's id"),
        ),
        enforces="`UpdateApiKey`, property `enabled`",
        delay="seconds",
        settles_s=30.0,
        after_restart="Everything.",
        limits="Only methods that require an API key notice. Usage plans, throttles and stages are left alone.",
        setup="An access key with `apigateway:GET` and `apigateway:PATCH` on `/apikeys/*` and nothing else.",
        references=("https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateApiKey.html",),
    )
    settings: ClassVar[type[msgspec.Struct]] = AwsApiGatewaySettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        self._site = site
        self._aws = AwsHttp(settings, "apigateway", site.clock)
        self._memory = _files.Memory(site.directory / "aws-api-gateway.json", _Kept)

    def refusal(self, wanted: Enforcement) -> str:
        """Also what can be no id of a key."""
        if said := super().refusal(wanted):
            return said
        return "" if _KEY.fullmatch(wanted.scope.value) else "the id of an API key has letters and digits only"

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """First what an earlier attempt has left to enable."""
        self._give_back()
        return super().apply(wanted)

    def close(self) -> None:
        """Close connections."""
        self._aws.close()

    def _render(self, wanted: Enforcement) -> _Entry:
        return wanted.scope.value, mark(wanted)

    def _read(self) -> dict[str, Any]:
        entries = self._memory.read().entries
        enabled = {key: self._enabled(key) for key in {key for key, _ in entries.values()}}
        return {name: entry for name, entry in entries.items() if enabled[entry[0]] is False}

    def _put(self, wanted: Enforcement, entry: _Entry, *, known: bool) -> None:
        del known
        kept, (key, _) = self._memory.read(), entry
        enabled = self._enabled(key)
        if enabled is None:
            raise RefusedError(f"API Gateway has no API key {key}")
        disabled = kept.disabled | {key} if enabled else kept.disabled
        self._memory.write(_Kept({**kept.entries, wanted.id: entry}, disabled))
        if enabled:
            self._set(key, enabled=False)
        self._give_back()

    def _drop(self, entry_id: str) -> None:
        kept = self._memory.read()
        self._memory.write(
            _Kept({name: entry for name, entry in kept.entries.items() if name != entry_id}, kept.disabled)
        )
        self._give_back()

    def _give_back(self) -> None:
        """Enable what we disabled and nothing wants disabled any more."""
        kept = self._memory.read()
        held = {key for key, _ in kept.entries.values()}
        for key in sorted(kept.disabled - held):
            self._set(key, enabled=True)
            kept = _Kept(kept.entries, kept.disabled - {key})
            self._memory.write(kept)

    def _enabled(self, key: str) -> bool | None:
        """None when there is no such key."""
        found = self._call("GET", key, b"")
        if found.status == _NOT_FOUND:
            return None
        try:
            return msgspec.json.decode(found.body, type=_Key).enabled
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayAwayError("API Gateway's answer is not as its reference says") from error

    def _set(self, key: str, *, enabled: bool) -> None:
        operation = {"op": "replace", "path": "/enabled", "value": "true" if enabled else "false"}
        again(partial(self._call, "PATCH", key, msgspec.json.encode({"patchOperations": [operation]})))

    def _call(self, method: str, key: str, content: bytes) -> Answer:
        headers = {"accept": "application/json"} | ({"content-type": "application/json"} if content else {})
        return self._aws.call(method, f"/apikeys/{key}", content=content, headers=headers, accept=(_NOT_FOUND,))
