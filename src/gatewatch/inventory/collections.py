"""API collections: the endpoints of one host that share their base path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from gatewatch.model.inventory import Activity, Authentication, Collection, Endpoint

__all__ = ["base_path", "collect", "collection_id"]

_VERSION = re.compile(r"v\d+(?:\.\d+)*|\d{4}-\d{2}-\d{2}", re.IGNORECASE)
_PREFIXES = frozenset({"api", "apis", "rest", "services", "service", "public", "internal", "graphql", "gateway", "rpc"})


def base_path(template: str) -> str:
    """`/api`, `/api/v1`, `/v2`, `/graphql` …; `/` when the path begins with a resource."""
    kept: list[str] = []
    for segment in template.split("/")[1:4]:
        named = segment.lower() in _PREFIXES and len(kept) == 0
        if not (named or _VERSION.fullmatch(segment)):
            break
        kept.append(segment)
    return "/" + "/".join(kept)


def collection_id(host: str, base: str) -> str:
    """16 hex digits of (host, base path)."""
    return blake2b(f"{host}\0{base}".encode(), digest_size=8).hexdigest()


def collect(endpoints: Iterable[Endpoint], sources: dict[str, tuple[str, ...]]) -> list[Collection]:
    """Collections with their counts, by name; `sources` per endpoint id."""
    groups: dict[tuple[str, str], list[Endpoint]] = {}
    for endpoint in endpoints:
        groups.setdefault((endpoint.host, base_path(endpoint.template)), []).append(endpoint)
    found = [_collection(host, base, group, sources) for (host, base), group in groups.items()]
    return sorted(found, key=lambda collection: collection.name)


def _collection(host: str, base: str, group: Sequence[Endpoint], sources: dict[str, tuple[str, ...]]) -> Collection:
    return Collection(
        id=collection_id(host, base),
        name=f"{host or '(no host)'}{base}",
        host=host,
        base_path=base,
        discovered_via=tuple(sorted({name for endpoint in group for name in sources.get(endpoint.id, ())})),
        endpoints=len(group),
        inactive=sum(endpoint.activity is Activity.INACTIVE for endpoint in group),
        unauthenticated=sum(endpoint.authentication is Authentication.UNAUTHENTICATED for endpoint in group),
        external=sum(endpoint.external_last_seen is not None for endpoint in group),
        sensitive=sum(bool(endpoint.information_types) for endpoint in group),
        first_seen=min(endpoint.first_seen for endpoint in group),
        last_called=max(endpoint.last_called for endpoint in group),
    )
