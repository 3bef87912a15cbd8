from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.model.observation import NO_PATH
from gatewatch.model.path import TemplateReason
from gatewatch.observe.templates import TemplateSet, normal_host, path_identity
from gatewatch.observe.templates.learnt import LearntNode
from gatewatch.observe.templates.routes import Route

HOST = "api.example.com"
LEARNT = {
    HOST: LearntNode(
        children={
            "users": LearntNode(
                wildcard="{name}",
                folds={"{int}": "{name}"},
                children={"stats-today": LearntNode(), "{name}": LearntNode()},
            ),
            "images": LearntNode(endings={"png": "{name}.png"}),
        }
    )
}
ROUTES = (
    Route(HOST, ("orders", "{orderId}"), TemplateReason.SPEC),
    Route(HOST, ("orders", "open"), TemplateReason.SPEC),
    Route("", ("reports", "{name}.{format}"), TemplateReason.SPEC),
    Route("", ("orders", "{any}", "x"), TemplateReason.SPEC),
    Route(HOST, ("users", "{pinned}", "cards"), TemplateReason.PINNED),
)


def template(path: str, *, status: int = 200, hint: str | None = None, host: str = HOST) -> str:
    templates = TemplateSet(version=3, hosts=LEARNT, routes=ROUTES)
    return templates.match("GET", host, path, status=status, hint=hint).template


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/carts/17", "/carts/{int}"),
        ("/users/alice", "/users/{name}"),
        ("/users/17", "/users/{name}"),
        ("/users/me", "/users/me"),
        ("/users/export", "/users/export"),
        ("/users/stats-today", "/users/stats-today"),
        ("/users/alice/cards", "/users/{pinned}/cards"),
        ("/users/logo.png", "/users/logo.png"),
        ("/images/a.png", "/images/{name}.png"),
        ("/images/a.jpg", "/images/a.jpg"),
        ("/orders/17", "/orders/{orderId}"),
        ("/orders/open", "/orders/open"),
        ("/orders/17/x", "/orders/{any}/x"),
        ("/reports/june.pdf", "/reports/{name}.{format}"),
        ("/reports/june", "/reports/june"),
        ("/", "/"),
    ],
)
def test_the_most_specific_knowledge_wins(path: str, expected: str) -> None:
    assert template(path) == expected


def test_the_gateways_own_route_wins_over_everything() -> None:
    assert template("/orders/17", hint="/orders/:number") == "/orders/{number}"
    assert template("/orders/17", hint="/*") == "/orders/{orderId}"


def test_other_hosts_know_nothing_of_it() -> None:
    assert template("/users/alice", host="other.example.com") == "/users/alice"


def test_values_are_named_by_place_typed_and_decoded() -> None:
    match = TemplateSet.empty().match("GET", HOST, "/users/17/mails/ann%40example.com", status=200)
    assert match.values == (("p0", "int", "17"), ("p1", "email", "ann@example.com"))


def test_the_rest_of_a_path_is_one_value() -> None:
    match = TemplateSet.empty().match("GET", HOST, "/files/a/b%20c", status=200, hint="/files/{path...}")
    assert (match.template, match.values) == ("/files/{path}", (("p0", "string", "a/b c"),))


@pytest.mark.parametrize("status", [400, 404, 405, 410, 414, 501])
def test_an_unknown_path_that_is_missing_is_no_path(status: int) -> None:
    match = TemplateSet.empty().match("GET", HOST, "/wp-login.php", status=status)
    assert (match.path_id, match.template) == (NO_PATH, "")


@pytest.mark.parametrize("status", [200, 201, 301, 401, 403, 422, 429, 500, 503])
def test_other_answers_make_a_path(status: int) -> None:
    assert TemplateSet.empty().match("GET", HOST, "/users/1", status=status).path_id != NO_PATH


def test_a_missing_object_belongs_to_its_known_path() -> None:
    known = path_identity("GET", HOST, "/users/{int}")
    templates = TemplateSet(known=frozenset({known}))
    assert templates.match("GET", HOST, "/users/404", status=404).path_id == known
    assert templates.match("POST", HOST, "/users/404", status=405).path_id == NO_PATH
    assert template("/orders/9", status=404) == "/orders/{orderId}"
    assert template("/x/9", status=404, hint="/x/{y}") == "/x/{y}"


def test_ids_tell_methods_hosts_and_operations_apart() -> None:
    templates = TemplateSet.empty()
    ids = {
        templates.match(method, host, "/graphql", operation=operation, status=200).path_id
        for method in ("GET", "POST")
        for host in ("a", "b")
        for operation in ("", "query user")
    }
    assert len(ids) == 8


def test_a_set_travels_as_bytes_and_arrives_with_warm_caches() -> None:
    sent = TemplateSet(version=3, hosts=LEARNT, routes=ROUTES, known=frozenset({2**64 - 1}))
    first = pickle.loads(pickle.dumps(sent))
    second = pickle.loads(pickle.dumps(sent))
    assert first is second
    assert (first.version, first.hosts, first.routes, first.known) == (3, LEARNT, ROUTES, frozenset({2**64 - 1}))
    assert first.match("GET", HOST, "/users/bob", status=200) == sent.match("GET", HOST, "/users/bob", status=200)


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("API.Example.com", "api.example.com"),
        ("api.example.com:443", "api.example.com"),
        ("api.example.com:80", "api.example.com"),
        ("api.example.com:8080", "api.example.com:8080"),
        ("api.example.com.", "api.example.com"),
        ("api.example.com.:8443", "api.example.com:8443"),
        ("[::1]:443", "[::1]"),
        ("[::1]", "[::1]"),
        (" api ", "api"),
        ("a b", ""),
        ("<script>", ""),
        ("a" * 300, ""),
        ("a/b", ""),
        ("", ""),
    ],
)
def test_hosts_are_normal_or_nothing(host: str, normal: str) -> None:
    assert normal_host(host) == normal


@given(st.text(max_size=120), st.sampled_from([200, 404]), st.one_of(st.none(), st.text(max_size=40)))
def test_matching_never_raises_and_is_stable(path: str, status: int, hint: str | None) -> None:
    templates = TemplateSet(hosts=LEARNT, routes=ROUTES)
    match = templates.match("GET", HOST, path, status=status, hint=hint)
    assert match == TemplateSet(hosts=LEARNT, routes=ROUTES).match("GET", HOST, path, status=status, hint=hint)
    assert match.template.count("{") <= 2 * len(match.values) or not match.template


@given(st.lists(st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True), max_size=6))
def test_the_template_of_a_template_is_itself(parts: list[str]) -> None:
    templates = TemplateSet(hosts=LEARNT)
    first = templates.match("GET", HOST, "/" + "/".join(parts), status=200)
    assert templates.learnt(HOST, [p for p in first.template.split("/") if p]) == [
        p for p in first.template.split("/") if p
    ]


@given(st.text(max_size=80))
def test_normal_hosts_stay_normal(host: str) -> None:
    assert normal_host(normal_host(host)) == normal_host(host)


def test_paths_deeper_than_any_route_share_a_bucket() -> None:
    deep = "/a" * 100
    assert template(deep) == template(deep + "/b") == "/a" * 31 + "/{rest}"
