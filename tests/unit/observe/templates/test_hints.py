from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.observe.templates.hints import apply_hint, read_route
from gatewatch.observe.templates.segments import split_path

READS = {
    "braces": ("/users/{id}/orders", "/users/{id}/orders"),
    "braces with a pattern": ("/users/{id:[0-9]{1,5}}", "/users/{id}"),
    "optional": ("/users/{id?}", "/users/{id}"),
    "colon": ("/users/:id", "/users/{id}"),
    "colon with a pattern": (r"/users/:id(\d+)", "/users/{id}"),
    "flask": ("/users/<int:user_id>", "/users/{user_id}"),
    "flask, untyped": ("/users/<name>", "/users/{name}"),
    "django": (r"^users/(?P<pk>[^/.]+)/$", "/users/{pk}"),
    "next": ("/posts/[slug]", "/posts/{slug}"),
    "with a method": ("GET /users/{id}", "/users/{id}"),
    "part of a segment": ("/files/{name}.json", "/files/{name}.json"),
    "rest of the path, go": ("/files/{path...}", "/files/{path}"),
    "rest of the path, flask": ("/files/<path:name>", "/files/{name}"),
    "literal": ("/health", "/health"),
}
SAYS_NOTHING = {
    "a bare catch-all": "/*",
    "a catch-all below a prefix": "/api/*",
    "aws proxy": "/{proxy+}",
    "a route's name": "users-route",
    "an operation id": "getUser",
    "a regular expression": r"/users/\d+/(orders|items)",
    "a star in the middle": "/a/*/b",
    "nothing": "",
    "far too long": "/" + "a" * 2000,
}


@pytest.mark.parametrize(("hint", "template"), READS.values(), ids=READS)
def test_routes_of_many_frameworks_are_read(hint: str, template: str) -> None:
    read = read_route(hint)
    assert read is not None
    assert "/" + "/".join(read[0]) == template


@pytest.mark.parametrize("hint", SAYS_NOTHING.values(), ids=SAYS_NOTHING)
def test_what_is_no_template_is_not_used(hint: str) -> None:
    assert read_route(hint) is None


@pytest.mark.parametrize(
    ("hint", "path", "template"),
    [
        ("/users/{id}", "/users/5", ["users", "{id}"]),
        ("/users/{id}", "/api/v1/users/5", ["api", "v1", "users", "{id}"]),
        ("/{id}", "/tenants/7/users/5", ["tenants", "{int}", "users", "{id}"]),
        ("/users/{id}", "/orders/5", None),
        ("/users/{id}", "/5", None),
        ("/files/{path...}", "/files/a/b/c", ["files", "{path}"]),
        ("/files/{path...}", "/other/a", None),
        ("/", "/", []),
        ("/", "/users", None),
    ],
)
def test_a_hint_must_speak_of_the_path(hint: str, path: str, template: list[str] | None) -> None:
    assert apply_hint(hint, split_path(path)) == template


@given(st.text(alphabet="/{}<>():*+?[]\\^$.abI0", max_size=60), st.text(alphabet="/ab0", max_size=20))
def test_no_hint_raises(hint: str, path: str) -> None:
    apply_hint(hint, split_path(path))
