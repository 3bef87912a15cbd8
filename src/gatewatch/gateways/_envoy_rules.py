"""Enforcements as Envoy's own matchers and filters. Only matchers that Envoy calls stable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement, Network, actor_of, network_of, place_of, spellings

__all__ = ["ANSWER", "BLOCK", "Naming", "answers", "blocks"]

BLOCK, ANSWER = "gatewatch-block", "gatewatch-answer"
"""Names of the two filters, which are also the names of their files."""
_TYPE = "type.googleapis.com/envoy."
_RBAC = f"{_TYPE}extensions.filters.http.rbac.v3.RBAC"
_WITH_MATCHER = f"{_TYPE}extensions.common.matching.v3.ExtensionWithMatcher"
_DISABLED = 503
_HUNDRED = {"numerator": 100}
Json = dict[str, Any]


class Naming:
    """Where Envoy sees who calls."""

    def __init__(self, jwt_metadata: str, consumer_header: str) -> None:
        """Both may be ''."""
        self.jwt_metadata, self.consumer_header = jwt_metadata, consumer_header


def blocks(wanted: Iterable[Enforcement], naming: Naming) -> Json:
    """The RBAC filter: who is denied, and who would be (MIRROR)."""
    denied, shadowed = [], []
    for one in wanted:
        if one.effect is Effect.MIRROR:
            shadowed.append(one)
        elif one.effect is Effect.BLOCK:
            denied.append(one)
    found: Json = {"@type": _RBAC}
    if denied:
        found["matcher"] = _denying(denied, naming)
    if shadowed:
        found["shadow_matcher"] = _denying(shadowed, naming)
        found["shadow_rules_stat_prefix"] = "gatewatch_"
    return found


def answers(wanted: Iterable[Enforcement], naming: Naming) -> Json:
    """The composite filter: endpoints that answer 503, and calls that share a bucket. The first that fits acts."""
    ordered = sorted(wanted, key=lambda one: (one.effect is Effect.THROTTLE, one.id))
    matchers = [
        {"predicate": predicate, "on_match": {"action": _acting(one)}}
        for one in ordered
        if one.effect in {Effect.DISABLE_ENDPOINT, Effect.THROTTLE}
        for predicate in [_predicate(one, naming)]
    ]
    extension = {
        "name": "composite",
        "typed_config": {"@type": f"{_TYPE}extensions.filters.http.composite.v3.Composite"},
    }
    # An empty list is no valid matcher: nothing ever has this method.
    nothing = {"predicate": _header(":method", {"exact": "-"}), "on_match": {"action": _composite("none", _fault())}}
    return {
        "@type": _WITH_MATCHER,
        "extension_config": extension,
        "xds_matcher": {"matcher_list": {"matchers": matchers or [nothing]}},
    }


def _denying(wanted: Sequence[Enforcement], naming: Naming) -> Json:
    """Plain addresses share one matcher, a trie: 10,000 of them cost a call no more than one does."""
    plain = [one for one in wanted if not one.scope.endpoint and network_of(one.scope) is not None]
    others = [one for one in wanted if one not in plain]
    matchers = [(_predicate(one, naming), one.id) for one in others]
    if plain:
        matchers.insert(0, (_addresses([net for one in plain if (net := network_of(one.scope))]), "addresses"))
    return {
        "matcher_list": {"matchers": [{"predicate": p, "on_match": _action(name, "DENY")} for p, name in matchers]},
        "on_no_match": _action("none", "ALLOW"),
    }


def _action(name: str, action: str) -> Json:
    config = {"@type": f"{_TYPE}config.rbac.v3.Action", "name": f"gatewatch-{name}", "action": action}
    return {"action": {"name": "envoy.filters.rbac.action", "typed_config": config}}


def _acting(one: Enforcement) -> Json:
    return _composite(one.id, _fault() if one.effect is Effect.DISABLE_ENDPOINT else _bucket(one))


def _composite(name: str, config: Json) -> Json:
    acting = {
        "@type": f"{_TYPE}extensions.filters.http.composite.v3.ExecuteFilterAction",
        "typed_config": {"name": f"gatewatch-{name}", "typed_config": config},
    }
    return {"name": "composite", "typed_config": acting}


def _fault() -> Json:
    abort = {"http_status": _DISABLED, "percentage": _HUNDRED}
    return {"@type": f"{_TYPE}extensions.filters.http.fault.v3.HTTPFault", "abort": abort}


def _bucket(one: Enforcement) -> Json:
    bucket = {"max_tokens": one.calls, "tokens_per_fill": one.calls, "fill_interval": f"{one.per_s}s"}
    return {
        "@type": f"{_TYPE}extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "gatewatch",
        "token_bucket": bucket,
        "filter_enabled": {"default_value": _HUNDRED},
        "filter_enforced": {"default_value": _HUNDRED},
    }


def _predicate(one: Enforcement, naming: Naming) -> Json:
    parts = []
    if (network := network_of(one.scope)) is not None:
        parts.append(_addresses([network]))
    kind, name = actor_of(one.scope)
    if one.scope.kind is ScopeKind.CONSUMER or kind == "consumer":
        parts.append(_header(naming.consumer_header, {"exact": name}))
    elif kind == "subject":
        parts.append(_subject(name, naming.jwt_metadata))
    if (place := place_of(one.scope)) is not None:
        path = place.pattern(raw=True)
        parts.append(_header(":path", {"safe_regex": {"google_re2": {}, "regex": path[:-1] + r"(?:[?#].*)?$"}}))
        if place.method:
            parts.append(_header(":method", {"exact": place.method}))
        if place.host:
            parts.append(_header(":authority", {"safe_regex": {"google_re2": {}, "regex": _host(place.host)}}))
    return parts[0] if len(parts) == 1 else {"and_matcher": {"predicate": parts}}


def _host(host: str) -> str:
    """Case makes no difference in host names; a port that the inventory does not know makes none either."""
    plain = "".join(char if char.isalnum() else f"\\x{ord(char):02x}" for char in host)
    return f"(?i)^{plain}(?::[0-9]+)?$"


def _addresses(networks: Sequence[Network]) -> Json:
    ranges = [
        {"address_prefix": str(net.network_address), "prefix_len": net.prefixlen}
        for network in networks
        for net in spellings(network)
    ]
    trie = {
        "@type": f"{_TYPE}extensions.matching.input_matchers.ip.v3.Ip",
        "cidr_ranges": ranges,
        "stat_prefix": "gatewatch",
    }
    source = {"@type": f"{_TYPE}extensions.matching.common_inputs.network.v3.SourceIPInput"}
    return {
        "single_predicate": {
            "input": {"name": "source_ip", "typed_config": source},
            "custom_match": {"name": "ip", "typed_config": trie},
        }
    }


def _header(name: str, match: Json) -> Json:
    config = {"@type": f"{_TYPE}type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": name}
    return {"single_predicate": {"input": {"name": "header", "typed_config": config}, "value_match": match}}


def _subject(name: str, key: str) -> Json:
    config = {
        "@type": f"{_TYPE}extensions.matching.common_inputs.network.v3.DynamicMetadataInput",
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": key}, {"key": "sub"}],
    }
    matcher = {
        "@type": f"{_TYPE}extensions.matching.input_matchers.metadata.v3.Metadata",
        "value": {"string_match": {"exact": name}},
    }
    return {
        "single_predicate": {
            "input": {"name": "jwt", "typed_config": config},
            "custom_match": {"name": "metadata", "typed_config": matcher},
        }
    }
