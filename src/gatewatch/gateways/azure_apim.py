"""Azure API Management: a fragment in the policy of all APIs, and the state of subscriptions."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import partial
from hashlib import blake2b
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlsplit

import msgspec

from gatewatch.gateways import _files
from gatewatch.gateways._apim_policy import NEW, SAFE_NAME, entries_in, fragment, fragment_in, merged
from gatewatch.gateways._azure import AzureSettings, Tokens
from gatewatch.gateways._desired import again, sorted_out
from gatewatch.gateways._http import Answer, Http
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, actor_of, mark, network_of
from gatewatch.ports.gateways import Ability, Gateway, GatewayMeta, RefusedError, Site

__all__ = ["AzureApim", "AzureApimSettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_CALLERS = (ScopeKind.ADDRESS, ScopeKind.ACTOR, ScopeKind.CONSUMER)
_VERSION = "api-version=2022-08-01"
_COMMENT = re.compile(r"gatewatch:([a-z0-9-]{1,40}):([0-9a-f]{10})")
_MOST_PAGES = 1000
_KEPT = 50
_OWNER_ONLY = 0o600
Json = dict[str, Any]
Name = Annotated[str, msgspec.Meta(pattern=r"^[\w.()-]{1,90}$")]


class AzureApimSettings(AzureSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one service."""

    subscription: Name
    """Of Azure, that the service is in."""
    resource_group: Name
    service: Name


class AzureApim(Gateway):
    """Between our two comments everything is ours; subscriptions whose state comment begins with `gatewatch:`."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="azure-apim",
        title="Azure API Management",
        description=(
            "One fragment at the beginning of `inbound` in the service's policy for all APIs; the rest of the document "
            "stays octet for octet, every write is bound to the ETag that was read, and the document before it is kept "
            "in Gatewatch's data directory. SUSPEND_KEY suspends a subscription and makes it active again."
        ),
        abilities=(
            Ability(
                effect=Effect.BLOCK,
                scopes=(*_ADDRESSES, *_CALLERS[1:], *_PLACES),
                narrowed=_CALLERS,
                actors=("subject", "consumer"),
                note="403; consumers are subscriptions, or `product:NAME`",
            ),
            Ability(
                effect=Effect.THROTTLE,
                scopes=(*_CALLERS, *_PLACES),
                narrowed=_CALLERS,
                actors=("subject", "consumer"),
                note="429, `rate-limit-by-key`; periods above 300 s are scaled; not on the Consumption tier",
            ),
            Ability(effect=Effect.SUSPEND_KEY, scopes=(ScopeKind.CONSUMER,), note="the subscription is suspended"),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503, `return-response`"),
        ),
        enforces="`ip-filter`, `choose`, `return-response`, `rate-limit-by-key`; state of subscriptions",
        delay="seconds to a minute",
        settles_s=60.0,
        after_restart="Everything.",
        limits="Ranges of IPv6 can't be written. A policy of an API without `<base />` does without ours.",
        setup="A service principal with the role API Management Service Contributor on the service.",
        references=(
            "https://learn.microsoft.com/rest/api/apimanagement/policy",
            "https://learn.microsoft.com/rest/api/apimanagement/subscription",
            "https://learn.microsoft.com/azure/api-management/api-management-policies",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = AzureApimSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        given: AzureApimSettings = settings
        self._site, self._http, self._tokens = site, Http(given), Tokens(given, site.clock)
        self._base = (
            f"/subscriptions/{given.subscription}/resourceGroups/{given.resource_group}"
            f"/providers/Microsoft.ApiManagement/service/{given.service}"
        )

    def refusal(self, wanted: Enforcement) -> str:
        """Also what can't be written into a policy."""
        if said := super().refusal(wanted):
            return said
        network, (_, name) = network_of(wanted.scope), actor_of(wanted.scope)
        if network is not None and network.version == 6 and network.num_addresses > 1:
            return "API Management's ip-filter has no IPv6 ranges; block the addresses, or the endpoint"
        if name and not SAFE_NAME.fullmatch(name):
            return "this name can't be written into a policy expression"
        if wanted.effect is Effect.SUSPEND_KEY and name.startswith("product:"):
            return "a product can't be suspended; block it, or suspend its subscriptions"
        return ""

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """The document in one conditional write, then each subscription."""
        sorted_ = sorted_out(self, wanted, self._site)
        suspended, written = _parted(sorted_.able)
        again(lambda: self._write(fragment(written)))
        found, wanted_ids = self._suspended(), {one.id for one in suspended}
        for one in suspended:
            sid = one.scope.value
            if found.get(one.id, ("", ""))[1] == mark(one):
                continue
            try:
                again(partial(self._suspend, one, sid, wanted_ids))
            except RefusedError as error:
                sorted_.refused[one.id] = error.message
        for entry_id, (sid, _) in found.items():
            if entry_id not in wanted_ids:
                again(partial(self._restore, sid, entry_id))
        able = {one: entry for one, entry in sorted_.able.items() if one not in sorted_.refused}
        return sorted_.settled(self._compared(able))

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Compare."""
        return self._compared(sorted_out(self, wanted, self._site).able)

    def close(self) -> None:
        """Close connections."""
        self._http.close()
        self._tokens.close()

    def _compared(self, able: dict[str, Enforcement]) -> Agreement:
        _, written = _parted(able)
        document, _ = self._document()
        found: dict[str, object] = dict(entries_in(document))
        if found == {one.id: mark(one) for one in written} and fragment_in(document) != fragment(written):
            found = dict.fromkeys(found, "altered")
        found |= {entry_id: seen for entry_id, (_, seen) in self._suspended().items()}
        return Agreement.between({one.id: mark(one) for one in able.values()}, found)

    def _document(self) -> tuple[str, str]:
        """(policy of all APIs, ETag); the ETag is '' when there is none."""
        answer = self._call("GET", f"/policies/policy?format=rawxml&{_VERSION}", accept=(404,))
        if answer.status == 404:
            return NEW, ""
        return str(answer.json()["properties"]["value"]), answer.etag

    def _write(self, ours: str) -> None:
        before, etag = self._document()
        try:
            after = merged(before, ours)
        except ValueError as error:
            raise RefusedError(str(error)) from error
        if after == before:
            return
        self._keep(before)
        match = {"if-match": etag} if etag else {"if-none-match": "*"}
        body = {"properties": {"format": "rawxml", "value": after}}
        self._call("PUT", f"/policies/policy?{_VERSION}", body=body, headers=match)

    def _keep(self, document: str) -> None:
        """The previous document, for people who want it back; the newest 50."""
        digest = blake2b(document.encode(), digest_size=8).hexdigest()
        name = f"policy-{self._site.clock.now():015.3f}-{digest}.xml"
        _files.replace(self._site.directory / name, document.encode(), mode=_OWNER_ONLY)
        for old in sorted(self._site.directory.glob("policy-*.xml"))[:-_KEPT]:
            _files.replace(old, None)

    def _suspended(self) -> dict[str, tuple[str, str]]:
        """Our id -> (subscription, mark) of what we suspended and nobody made active since."""
        found: dict[str, tuple[str, str]] = {}
        path: str | None = f"/subscriptions?{_VERSION}&$filter=state%20eq%20'suspended'"
        for _ in range(_MOST_PAGES):
            if not path:
                break
            page = self._call("GET", path).json()
            for item in page.get("value") or ():
                match = _COMMENT.match(str(item["properties"].get("stateComment") or ""))
                if match and item["properties"].get("state") == "suspended":
                    found[match.group(1)] = str(item["name"]), match.group(2)
            # The address is absolute; only what is below this service is followed, on the host we know.
            after = urlsplit(page.get("nextLink") or "")
            path = f"{after.path.removeprefix(self._base)}?{after.query}" if after.path.startswith(self._base) else None
        return found

    def _suspend(self, one: Enforcement, sid: str, wanted: Collection[str]) -> None:
        """What another containment has suspended is taken over when that one is not wanted any more."""
        path = f"/subscriptions/{quote(sid, safe='')}?{_VERSION}"
        answer = self._call("GET", path, accept=(404,))
        if answer.status == 404:
            raise RefusedError(f"API Management has no subscription `{sid}`")
        properties = answer.json()["properties"]
        ours = _COMMENT.match(str(properties.get("stateComment") or ""))
        by = ours.group(1) if ours else ""
        if properties.get("state") != "active" and by != one.id and (not by or by in wanted):
            whose = f"by containment {by}" if by else "and not by us"
            raise RefusedError(f"subscription `{sid}` is {properties.get('state')} already, {whose}")
        change = {"properties": {"state": "suspended", "stateComment": f"gatewatch:{one.id}:{mark(one)}"}}
        self._call("PATCH", path, body=change, headers={"if-match": answer.etag})

    def _restore(self, sid: str, entry_id: str) -> None:
        path = f"/subscriptions/{quote(sid, safe='')}?{_VERSION}"
        answer = self._call("GET", path, accept=(404,))
        if answer.status == 404:
            return
        properties = answer.json()["properties"]
        ours = _COMMENT.match(str(properties.get("stateComment") or ""))
        if properties.get("state") == "suspended" and ours and ours.group(1) == entry_id:
            change = {"properties": {"state": "active", "stateComment": ""}}
            self._call("PATCH", path, body=change, headers={"if-match": answer.etag})

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        given = self._tokens.header() | (headers or {})
        return self._http.call(method, self._base + path, body=body, headers=given, accept=accept)


def _parted(able: dict[str, Enforcement]) -> tuple[list[Enforcement], list[Enforcement]]:
    """(by state of subscription, by policy)."""
    suspended = [one for one in able.values() if one.effect is Effect.SUSPEND_KEY]
    return suspended, [one for one in able.values() if one.effect is not Effect.SUSPEND_KEY]
