"""AWS WAF, by addresses of IP sets; in front of API Gateway, load balancers, AppSync and CloudFront."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.gateways import _files
from gatewatch.gateways._aws import AwsHttp, AwsSettings
from gatewatch.gateways._desired import again, sorted_out
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, mark, network_of
from gatewatch.ports.gateways import (
    Ability,
    ChangedMeanwhileError,
    Gateway,
    GatewayAwayError,
    GatewayMeta,
    RefusedError,
    Site,
)

__all__ = ["AwsWaf", "AwsWafSettings"]

_TARGET = "AWSWAF_20190729"
_JSON = "application/x-amz-json-1.1"
_GLOBAL_REGION = "us-east-1"
_MOST = 10_000
"""Addresses in one IP set (AWS WAF quotas)."""
_REFUSALS = frozenset({"WAFInvalidParameterException", "WAFLimitsExceededException", "WAFInvalidOperationException"})
Set = Annotated[str, msgspec.Meta(pattern=r"^[\w-]{1,128}/[\w-]{1,64}$")]


class AwsWafSettings(AwsSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one pair of IP sets."""

    scope: Literal["REGIONAL", "CLOUDFRONT"] = "REGIONAL"
    """CLOUDFRONT only with region us-east-1."""
    ip_set_v4: Set
    """`NAME/ID` of an IP set for IPv4 that a blocking rule of the web ACL names."""
    ip_set_v6: Set | None = None
    """The same for IPv6; without it IPv6 can't be blocked."""


class _Kept(msgspec.Struct, frozen=True):
    """An IP set has no place for ids: which entry an address is of, and which addresses we have added."""

    entries: dict[str, tuple[str, str]] = {}
    """Id -> (network, mark)."""
    ours: frozenset[str] = frozenset()


class _IpSet(msgspec.Struct, rename="pascal"):
    addresses: tuple[str, ...] = ()


class _Got(msgspec.Struct):
    ip_set: _IpSet = msgspec.field(name="IPSet")
    lock_token: str = msgspec.field(name="LockToken")


class _Failure(msgspec.Struct):
    type: str = msgspec.field(name="__type", default="")


class AwsWaf(Gateway):
    """Only addresses that we have added are ever removed, so others may use the same sets."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="aws-waf",
        title="AWS WAF",
        description=(
            "Addresses in IP sets of yours. Every write carries the lock token that was read, so what others change "
            "meanwhile stays. Which addresses are ours is kept in Gatewatch's data directory."
        ),
        abilities=(
            Ability(
                effect=Effect.BLOCK, scopes=(ScopeKind.ADDRESS, ScopeKind.RANGE), note="what your rule does: 403 mostly"
            ),
        ),
        enforces="`UpdateIPSet` of WAFv2, in front of API Gateway stages, load balancers, AppSync or CloudFront",
        delay="seconds",
        settles_s=60.0,
        after_restart="Everything.",
        limits=(
            "10,000 networks in a set. Addresses only: callers by key or token need another gateway. When the data "
            "directory is lost, addresses that were added before stay until somebody removes them by hand."
        ),
        setup=(
            "Two IP sets (IPv4, IPv6), a rule of the web ACL that blocks them, and an access key with "
            "`wafv2:GetIPSet` and `wafv2:UpdateIPSet` on these sets and nothing else."
        ),
        references=(
            "https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateIPSet.html",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = AwsWafSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        given: AwsWafSettings = settings
        if given.scope == "CLOUDFRONT" and given.region != _GLOBAL_REGION:
            raise ConfigurationError("aws-waf: scope CLOUDFRONT needs region us-east-1")
        self._given, self._site = given, site
        self._aws = AwsHttp(given, "wafv2", site.clock)
        self._sets = {4: given.ip_set_v4} | ({6: given.ip_set_v6} if given.ip_set_v6 else {})
        self._memory = _files.Memory(site.directory / "aws-waf.json", _Kept)

    def refusal(self, wanted: Enforcement) -> str:
        """Also the whole internet, and IPv6 without a set for it."""
        if said := super().refusal(wanted):
            return said
        network = network_of(wanted.scope)
        if network is not None and network.version not in self._sets:
            return "IPv6 needs `ip_set_v6`, the set that the web ACL's rule names"
        if network is not None and not network.prefixlen:
            return "AWS WAF takes no /0"
        return ""

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Each set by itself; what we add is remembered before it is added."""
        sorted_ = sorted_out(self, wanted, self._site)
        networks = {one.id: str(network_of(one.scope)) for one in sorted_.able.values()}
        for version in self._sets:
            chosen = frozenset(one for one in networks.values() if ip_network(one).version == version)
            again(partial(self._agree, version, chosen))
        entries = {one.id: (networks[one.id], mark(one)) for one in sorted_.able.values()}
        self._memory.write(_Kept(entries, self._memory.read().ours & frozenset(networks.values())))
        return sorted_.settled(self._compared(sorted_.able))

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """What is in the sets."""
        return self._compared(sorted_out(self, wanted, self._site).able)

    def close(self) -> None:
        """Close connections."""
        self._aws.close()

    def _agree(self, version: int, wanted: frozenset[str]) -> None:
        there, token = self._read(version)
        kept = self._memory.read()
        theirs = there - kept.ours
        target = theirs | wanted
        if target == there:
            return
        if len(target) > _MOST:
            raise RefusedError(f"an IP set of AWS WAF has at most {_MOST} addresses", cure="Block ranges.")
        self._memory.write(_Kept(kept.entries, kept.ours | (wanted - theirs)))
        self._call("UpdateIPSet", {**self._named(version), "Addresses": sorted(target), "LockToken": token})

    def _compared(self, able: Mapping[str, Enforcement]) -> Agreement:
        there = frozenset(one for version in self._sets for one in self._read(version)[0])
        kept = self._memory.read().entries
        found: dict[str, object] = {name: said for name, (network, said) in kept.items() if network in there}
        return Agreement.between({one.id: mark(one) for one in able.values()}, found)

    def _read(self, version: int) -> tuple[frozenset[str], str]:
        """(networks, lock token). AWS shows IPv6 written out in full."""
        try:
            got = msgspec.json.decode(self._call("GetIPSet", self._named(version)), type=_Got)
            return frozenset(str(ip_network(one, strict=False)) for one in got.ip_set.addresses), got.lock_token
        except ValueError as error:
            raise GatewayAwayError("AWS WAF's answer is not as its reference says") from error

    def _named(self, version: int) -> dict[str, Any]:
        name, _, number = self._sets[version].partition("/")
        return {"Name": name, "Id": number, "Scope": self._given.scope}

    def _call(self, action: str, body: dict[str, Any]) -> bytes:
        headers = {"content-type": _JSON, "x-amz-target": f"{_TARGET}.{action}"}
        found = self._aws.call("POST", "/", content=msgspec.json.encode(body), headers=headers, accept=(400,))
        if found.status != 400:
            return found.body
        try:
            kind = msgspec.json.decode(found.body, type=_Failure).type.rpartition("#")[2]
        except (msgspec.DecodeError, UnicodeDecodeError):
            kind = ""
        if kind == "WAFOptimisticLockException":
            raise ChangedMeanwhileError("somebody else changed the IP set")
        if kind in _REFUSALS and action == "UpdateIPSet":
            raise RefusedError(f"AWS WAF refused: {kind}")
        raise GatewayAwayError(
            f"AWS WAF answered {kind or 'an error'} to {action}", cure="Check the sets' names and the access key."
        )
