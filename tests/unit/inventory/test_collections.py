"""Which endpoints are one API."""

from __future__ import annotations

import pytest
from tests.unit.inventory.test_judging import FACTS, NOON

from gatewatch.inventory.collections import base_path, collect, collection_id
from gatewatch.inventory.judging import judge_endpoint

BASES = {
    "/api/users/{int}": "/api",
    "/api/v1/users": "/api/v1",
    "/v2.1/users": "/v2.1",
    "/2024-05-01/users": "/2024-05-01",
    "/graphql": "/graphql",
    "/users/{int}": "/",
    "/users/api": "/",
    "/": "/",
    "": "/",
    "/{slug}/v1": "/",
}


@pytest.mark.parametrize("template", BASES)
def test_the_base_path_is_what_all_resources_stand_under(template: str) -> None:
    assert base_path(template) == BASES[template]


def test_collections_count_their_endpoints() -> None:
    import msgspec

    facts = [
        msgspec.structs.replace(FACTS, endpoint_id=1, anonymous_accepted=9, external_last_seen=NOON),
        msgspec.structs.replace(FACTS, endpoint_id=2, template="/api/orders", last_seen=NOON - 40 * 86_400),
        msgspec.structs.replace(FACTS, endpoint_id=3, template="/health", first_seen=NOON - 900),
    ]
    endpoints = [judge_endpoint(fact, (), collection_id="c", now=NOON) for fact in facts]
    api, root = sorted(
        collect(endpoints, {endpoints[0].id: ("envoy",), endpoints[1].id: ("har", "envoy")}), key=lambda c: -c.endpoints
    )
    assert (api.id, api.name) == (collection_id("shop.example", "/api"), "shop.example/api")
    assert (api.endpoints, api.inactive, api.unauthenticated, api.external, api.sensitive) == (2, 1, 1, 1, 0)
    assert api.discovered_via == ("envoy", "har")
    assert (root.endpoints, root.first_seen, root.last_called) == (1, NOON - 900, NOON)
