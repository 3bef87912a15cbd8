from __future__ import annotations

import json

import pytest

from gatewatch.model.observe_settings import TemplateSettings
from gatewatch.model.path import PathState, TemplateReason
from gatewatch.observe.templates import TemplateLearner
from gatewatch.testing.paths import PathCall, feed, final_templates

USERS = ["alice", "bob", "carla.m", "dmitri", "eve_x", "frodo", "gwen", "hiroshi", "ingrid", "jorge", "kofi", "lena-b"]
SLUGS = [f"{a}-{b}-guide" for a in ("rust", "python", "kafka", "nginx") for b in ("install", "tuning", "history")]
TALKS = ["monitorama", "puppetconf", "velocity", "oscon", "scale-twelve", "carolina-con"]
VERBS = ["get-preference", "set-preference", "list-projects", "export-rows", "undo-redo", "apply-operations"]
PAGES = ["pricing", "about", "careers", "imprint", "roadmap", "partners", "enterprise", "changelog"]


def learner(max_paths: int = 50_000) -> TemplateLearner:
    return TemplateLearner(TemplateSettings(max_paths=max_paths))


def calls(template: str, values: list[str], *, shape: int = 0, times: int = 3, **rest: object) -> list[PathCall]:
    return [PathCall(template.format(value), shape=shape, **rest) for value in values for _ in range(times)]  # type: ignore[arg-type]


MERGES = {
    "user names with equal answers": (calls("/users/{}", USERS, shape=5), {"GET /users/{name}"}),
    "slugs without bodies": (calls("/posts/{}", SLUGS), {"GET /posts/{slug}"}),
    "names with the same sub-paths": (
        calls("/t/{}/users", TALKS, shape=1) + calls("/t/{}/billing", TALKS, shape=2),
        {"GET /t/{name}/users", "GET /t/{name}/billing"},
    ),
    "tickers": (calls("/quotes/{}", ["SAP", "BMW", "IBM", "KO"], shape=9), {"GET /quotes/{code}"}),
    "static files": (calls("/img/{}.png", USERS), {"GET /img/{name}.png"}),
    "three telling slugs of one structure": (calls("/posts/{}", SLUGS[:3], shape=4), {"GET /posts/{slug}"}),
    "a typed and a named identifier of one structure": (
        calls("/users/{}", USERS, shape=5) + calls("/users/{}", ["17", "18"], shape=5),
        {"GET /users/{name}"},
    ),
    "a parameter below a parameter": (
        [PathCall(f"/repos/{u}/{s}", shape=3) for u in USERS for s in SLUGS],
        {"GET /repos/{name}/{slug}"},
    ),
    "methods of one position": (
        calls("/users/{}", USERS, shape=5) + calls("/users/{}", USERS, method="DELETE", status=204),
        {"GET /users/{name}", "DELETE /users/{name}"},
    ),
    "me stays beside names": (
        calls("/users/{}", USERS, shape=5) + calls("/users/{}", ["me", "search"], shape=5),
        {"GET /users/{name}", "GET /users/me", "GET /users/search"},
    ),
}


def untouched(template: str, values: list[str], **rest: object) -> tuple[list[PathCall], set[str]]:
    return calls(template, values, **rest), {"GET " + template.format(value) for value in values}  # type: ignore[arg-type]


CALLS = [f"{verb}{thing}" for verb in ("get", "list", "create", "update") for thing in ("User", "Order", "Basket")]

STAYS = {
    "methods that answer alike": untouched("/rpc/{}", CALLS, shape=5),
    "system resources beside values": (
        calls("/odata/{}", USERS, shape=5) + calls("/odata/{}", ["$metadata", "$count"]),
        {"GET /odata/{name}", "GET /odata/$metadata", "GET /odata/$count"},
    ),
    "commands with answers of their own": (
        [PathCall(f"/command/core/{v}", shape=i + 1) for i, v in enumerate(VERBS) for _ in range(9)],
        {f"GET /command/core/{v}" for v in VERBS},
    ),
    "commands with one generic answer": untouched("/rpc/{}", VERBS, shape=7, times=40),
    "pages of a site": untouched("/{}", PAGES, times=40),
    "few plain words without bodies": untouched("/shop/{}", ["gizmos", "widgets", "doodads"], times=30),
    "resources with answers of their own": (
        [
            PathCall(f"/api/{r}/{i}", shape=j + 1)
            for j, r in enumerate(("gizmos", "widgets", "doodads", "flanges"))
            for i in range(9)
        ],
        {f"GET /api/{r}/{{int}}" for r in ("gizmos", "widgets", "doodads", "flanges")},
    ),
    "versions": untouched("/{}/users", ["v1", "v2", "v3"], shape=3),
    "vocabulary": untouched(
        "/api/{}", ["users", "orders", "search", "login", "export", "me", "health"], shape=3, times=20
    ),
    "two names": untouched("/users/{}", ["alice", "bob"], times=50),
}


@pytest.mark.parametrize(("traffic", "expected"), MERGES.values(), ids=MERGES)
def test_values_become_a_parameter(traffic: list[PathCall], expected: set[str]) -> None:
    state = learner()
    feed(state, traffic)
    assert final_templates(state) == expected


@pytest.mark.parametrize(("traffic", "expected"), STAYS.values(), ids=STAYS)
def test_routes_stay_apart(traffic: list[PathCall], expected: set[str]) -> None:
    state = learner()
    feed(state, traffic)
    assert final_templates(state) == expected


def test_a_merge_re_keys_history_and_says_why() -> None:
    state = learner()
    first = feed(state, calls("/posts/{}", SLUGS[:2], shape=4))
    records = feed(state, calls("/posts/{}", SLUGS, shape=4))
    now = {record.path_id: record for record in state.records()}
    merged = now[first[0].path_id]
    survivor = now[merged.endpoint_id]
    assert (first[0].state, merged.state, survivor.state) == (
        PathState.CONFIRMED,
        PathState.MERGED,
        PathState.CONFIRMED,
    )
    assert merged.template == survivor.template == "/posts/{slug}"
    assert merged.reason is TemplateReason.STATISTICS
    assert "12 values" in merged.why
    assert 0.5 < merged.confidence < 1
    assert merged in records
    assert merged.version == state.version > first[0].version


def test_workers_write_the_parameter_from_then_on() -> None:
    state = learner()
    feed(state, calls("/posts/{}", SLUGS, shape=4))
    match = state.templates().match("GET", "api.example.com", "/posts/never-seen-before", status=404)
    assert match.template == "/posts/{slug}"
    assert match.path_id in {record.endpoint_id for record in state.records()}


def test_candidates_are_confirmed_by_success_or_by_several_clients() -> None:
    state = learner()
    feed(state, [PathCall("/secret", status=401)] * 9)
    assert final_templates(state) == set()
    feed(state, [PathCall("/secret", status=401, client=i) for i in range(3)])
    assert final_templates(state) == {"GET /secret"}
    feed(state, [PathCall("/open")])
    assert final_templates(state) == {"GET /secret", "GET /open"}


def test_a_missing_path_never_becomes_an_endpoint() -> None:
    state = learner()
    feed(state, [PathCall(f"/a{i}", status=status, client=i) for i in range(50) for status in (404, 405)])
    assert state.records() == []


def test_a_wall_of_refusals_makes_no_endpoints() -> None:
    state = learner()
    feed(state, [PathCall(f"/{u}/{s}", status=403, client=i) for u in USERS for s in SLUGS for i in range(4)])
    assert len(final_templates(state)) <= 60


def test_memory_is_bounded_and_what_did_not_fit_is_counted() -> None:
    state = learner(max_paths=200)
    refused = [PathCall(f"/{i}x{j}/y", status=403) for i in range(50) for j in "abcdefghkm"]
    words = [
        PathCall(f"/w{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]}/z", status=403, host=f"h{i}") for i in range(100)
    ]
    feed(state, [*words, *refused, *(PathCall("/only", host=f"host{i}.example") for i in range(400))])
    assert len(state.records()) <= 200
    assert state.counts()["forgotten"] > 0
    assert state.overflow > 0


def test_a_split_gives_values_their_own_endpoints_back() -> None:
    state = learner()
    feed(state, calls("/posts/{}", SLUGS, shape=4))
    records = state.split("api.example.com", "/posts/{slug}")
    assert {r.template for r in records if r.endpoint_id} >= {f"/posts/{slug}" for slug in SLUGS}
    feed(state, calls("/posts/{}", SLUGS, shape=4))
    assert f"GET /posts/{SLUGS[0]}" in final_templates(state)
    assert "GET /posts/{slug}" not in final_templates(state)


def test_a_split_of_one_value_keeps_the_parameter() -> None:
    state = learner()
    feed(state, calls("/posts/{}", SLUGS, shape=4))
    state.split("api.example.com", "/posts/{slug}", [SLUGS[0]])
    feed(state, calls("/posts/{}", SLUGS, shape=4))
    assert final_templates(state) == {"GET /posts/{slug}", f"GET /posts/{SLUGS[0]}"}
    assert state.split("api.example.com", "/nothing/here") == []


def test_a_pin_wins_and_can_be_taken_back() -> None:
    state = learner()
    feed(state, calls("/shop/{}", ["gizmos", "widgets"]))
    records = state.pin("api.example.com", "/shop/{thing}")
    assert {(r.template, r.reason, r.state) for r in records} >= {
        ("/shop/{thing}", TemplateReason.PINNED, PathState.MERGED)
    }
    assert final_templates(state) == {"GET /shop/{thing}"}
    state.unpin("api.example.com", "/shop/{thing}")
    assert {"GET /shop/gizmos", "GET /shop/widgets"} <= final_templates(state)


def test_an_imported_document_names_paths_seen_before() -> None:
    state = learner()
    feed(state, [PathCall("/orders/17"), PathCall("/orders/open-ones")])
    document = {"openapi": "3.1.0", "paths": {"/orders/{orderId}": {}, "/orders/open-ones": {}}}
    state.import_openapi(json.dumps(document).encode(), "shop.json")
    assert final_templates(state) == {"GET /orders/{orderId}", "GET /orders/open-ones"}
    assert {r.reason for r in state.records() if r.endpoint_id} == {TemplateReason.SPEC}
    assert state.import_openapi(json.dumps(document).encode(), "again.json") == []


def test_a_gateways_route_takes_over_paths_that_came_without_it() -> None:
    state = learner()
    feed(state, [PathCall("/users/17")])
    feed(state, [PathCall("/users/18", hint="/users/{id}")])
    feed(state, [PathCall("/users/19")])
    assert final_templates(state) == {"GET /users/{id}"}


def test_the_state_survives_a_dump() -> None:
    state = learner()
    feed(state, calls("/posts/{}", SLUGS, shape=4) + calls("/users/{}", USERS, shape=5) + calls("/{}", PAGES))
    state.pin("api.example.com", "/careers")
    again = TemplateLearner.load(state.dump(), TemplateSettings())
    assert again.records() == state.records()
    assert again.version == state.version
    assert again.templates().hosts == state.templates().hosts
    assert again.dump() == state.dump()
    assert feed(again, calls("/posts/{}", SLUGS)) == feed(state, calls("/posts/{}", SLUGS)) == []


def test_every_position_is_explained() -> None:
    state = learner()
    feed(state, [PathCall(f"/v1/users/{u}/orders/{i}", shape=3) for u in USERS for i in range(3)])
    record = next(r for r in state.records() if r.endpoint_id == r.path_id)
    explained = state.explain(record.path_id)
    assert explained is not None
    assert [segment for segment, _ in explained.positions] == ["v1", "users", "{name}", "orders", "{int}"]
    assert "values in" in explained.positions[2][1]
    assert "known kind" in explained.positions[4][1]
    assert state.explain(12345) is None


def test_operations_are_endpoints_of_their_own() -> None:
    state = learner()
    feed(state, [PathCall("/graphql", method="POST", operation=o, shape=1) for o in ("query user", "mutation login")])
    assert len([r for r in state.records() if r.endpoint_id]) == 2


def test_blocks_written_with_older_templates_still_find_their_endpoint() -> None:
    from gatewatch.testing.paths import sightings

    state = learner()
    old = state.templates()
    feed(state, calls("/posts/{}", SLUGS, shape=4))
    records = state.learn(sightings(calls("/posts/{}", ["seen-only-by-a-slow-worker"], shape=4), old))
    assert [(r.template, r.state) for r in records] == [("/posts/{slug}", PathState.MERGED)]
