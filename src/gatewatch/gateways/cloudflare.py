"""Cloudflare, by custom rules of a zone."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

import msgspec

from gatewatch.gateways._desired import EntryGateway
from gatewatch.gateways._http import Http, HttpSettings
from gatewatch.gateways._secrets import SecretReference, resolve
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement, mark, network_of, place_of
from gatewatch.ports.gateways import Ability, GatewayAwayError, GatewayMeta, RefusedError, Site

__all__ = ["Cloudflare", "CloudflareSettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_PHASE = "http_request_firewall_custom"
_DESCRIPTION = re.compile(r"gatewatch:([a-z0-9-]{1,40}):([0-9a-f]{10})")
_SHOWN = ("action", "description", "enabled", "expression")
Json = dict[str, Any]


class CloudflareSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one zone."""

    url: str = "https://api.cloudflare.com/client/v4"
    zone: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
    token: SecretReference
    """An API token with `Zone WAF: Edit` for this zone and nothing else."""


class Cloudflare(EntryGateway):
    """Rules whose description begins with `gatewatch:` are ours; each is made, changed and removed by itself."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="cloudflare",
        title="Cloudflare",
        description="Custom rules of the zone's firewall phase, each by itself: other people's are never written.",
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=(*_ADDRESSES, *_PLACES), narrowed=_ADDRESSES, note="403"),
            Ability(
                effect=Effect.CHALLENGE,
                scopes=(*_ADDRESSES, *_PLACES),
                narrowed=_ADDRESSES,
                note="`managed_challenge`: stops everything that is no browser",
            ),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="403: custom answers need a paid plan"),
        ),
        enforces="rules of the phase `http_request_firewall_custom`",
        delay="seconds, worldwide",
        settles_s=30.0,
        after_restart="Everything.",
        limits=(
            "A zone has so many custom rules (5 on Free, 20 on Pro, 100 on Business); what is beyond is refused, the "
            "rest stays. Paths are matched as prefixes and suffixes around placeholders (`matches` "
            "needs Business), so `{int}` is any text there."
        ),
        setup="An API token.",
        references=(
            "https://developers.cloudflare.com/ruleset-engine/rulesets-api/",
            "https://developers.cloudflare.com/waf/custom-rules/",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = CloudflareSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        self._given: CloudflareSettings = settings
        self._site, self._http = site, Http(settings)
        self._entry = f"/zones/{settings.zone}/rulesets/phases/{_PHASE}/entrypoint"

    def refusal(self, wanted: Enforcement) -> str:
        """Also paths that can't be written."""
        if said := super().refusal(wanted):
            return said
        try:
            _expression(wanted)
        except RefusedError as error:
            return error.message
        return ""

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _render(self, wanted: Enforcement) -> Json:
        return {
            "action": "managed_challenge" if wanted.effect is Effect.CHALLENGE else "block",
            "description": f"gatewatch:{wanted.id}:{mark(wanted)}",
            "enabled": True,
            "expression": _expression(wanted),
        }

    def _read(self) -> dict[str, Any]:
        return {
            entry_id: {name: rule.get(name) for name in _SHOWN} for _, entry_id, rule in self._ours(self._ruleset())
        }

    def _put(self, wanted: Enforcement, entry: Any, *, known: bool) -> None:
        ruleset = self._ruleset()
        if not ruleset:
            # The zone has no rules in this phase yet: this makes the ruleset.
            self._call("PUT", self._entry, body={"rules": [entry]})
            return
        path = f"/zones/{self._given.zone}/rulesets/{ruleset['id']}/rules"
        numbers = [number for number, entry_id, _ in self._ours(ruleset) if entry_id == wanted.id] if known else []
        if numbers:
            self._call("PATCH", f"{path}/{numbers[0]}", body=entry)
        else:
            self._call("POST", path, body=entry)

    def _drop(self, entry_id: str) -> None:
        ruleset = self._ruleset()
        for number, one, _ in self._ours(ruleset):
            if one == entry_id:
                self._call(
                    "DELETE", f"/zones/{self._given.zone}/rulesets/{ruleset['id']}/rules/{number}", accept=(404,)
                )

    def _ours(self, ruleset: Json) -> list[tuple[str, str, Json]]:
        """(rule's id, our id, rule)."""
        rules = (
            (rule, _DESCRIPTION.fullmatch(str(rule.get("description", "")))) for rule in ruleset.get("rules") or ()
        )
        return [(str(rule["id"]), match.group(1), rule) for rule, match in rules if match]

    def _ruleset(self) -> Json:
        return self._call("GET", self._entry, accept=(404,))

    def _call(self, method: str, path: str, *, body: object = None, accept: tuple[int, ...] = ()) -> Json:
        headers = {"authorization": f"Bearer {resolve(self._given.token)}"}
        found = self._http.call(method, path, body=body, headers=headers, accept=(400, *accept))
        if found.status in accept:
            return {}
        answer = found.json() or {}
        if found.status == 400 or answer.get("success") is False:
            codes = ", ".join(str(error.get("code", "")) for error in answer.get("errors") or ())
            if method == "GET":
                raise GatewayAwayError(f"Cloudflare answered error {codes}")
            raise RefusedError(f"Cloudflare refused: error {codes}")
        result: Json = answer.get("result") or {}
        return result


def _expression(one: Enforcement) -> str:
    parts = []
    if (network := network_of(one.scope)) is not None:
        value = str(network.network_address if network.num_addresses == 1 else network)
        parts.append(f"ip.src in {{{value}}}")
    if (place := place_of(one.scope)) is not None:
        if place.method:
            parts.append(f'http.request.method eq "{place.method}"')
        if place.host:
            parts.append(f'http.host eq "{place.name}"')
        parts += _path(place.template, below=place.below)
    return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]


def _path(template: str, *, below: bool) -> list[str]:
    literal = re.split(r"\{\w+\}", template)
    first, last = literal[0], literal[-1]
    if any(char in template for char in '"\\') or len(literal) > 3:
        raise RefusedError("Cloudflare can't match this path without regular expressions")
    field = "http.request.uri.path"
    if len(literal) == 1:
        base = first.rstrip("/")
        whole = f'{field} eq "{base or "/"}"'
        return [f'{whole} or starts_with({field}, "{base}/")'] if below else [whole]
    found = [f'starts_with({field}, "{first}")']
    if last.strip("/"):
        found.append(f'ends_with({field}, "{last}")')
    if len(literal) == 3:
        found.append(f'{field} contains "{literal[1]}"')
    return found
