from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.errors import DefinitionError
from gatewatch.observe.templates.openapi import read_openapi


def routes(document: object) -> set[tuple[str, str]]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return {(route.host, "/" + "/".join(route.segments)) for route in read_openapi(data, "api.json")}


ACCEPTS = {
    "openapi 3 with a server": (
        {"openapi": "3.1.0", "servers": [{"url": "https://API.example.com/v1/"}], "paths": {"/users/{id}": {}}},
        {("api.example.com", "/v1/users/{id}")},
    ),
    "two servers": (
        {"openapi": "3.0.0", "servers": [{"url": "https://a.example"}, {"url": "/x"}], "paths": {"/u": None}},
        {("a.example", "/u"), ("", "/x/u")},
    ),
    "no server": ({"openapi": "3.0.0", "paths": {"/u/": {}}}, {("", "/u")}),
    "a variable host": (
        {"openapi": "3.0.0", "servers": [{"url": "https://{tenant}.example.com/api"}], "paths": {"/u": {}}},
        {("", "/api/u")},
    ),
    "a variable base path": (
        {
            "openapi": "3.0.0",
            "servers": [{"url": "https://a.example/{base}", "variables": {"base": {"default": "v2"}}}],
            "paths": {"/u": {}},
        },
        {("a.example", "/v2/u")},
    ),
    "servers of one path": (
        {"openapi": "3.0.0", "paths": {"/u": {"servers": [{"url": "https://b.example"}]}, "/w": {}}},
        {("b.example", "/u"), ("", "/w")},
    ),
    "swagger 2": (
        {"swagger": "2.0", "host": "a.example:443", "basePath": "/v1", "paths": {"/u/{id}.json": {}}},
        {("a.example", "/v1/u/{id}.json")},
    ),
    "yaml": (b"openapi: 3.0.0\npaths:\n  /u/{id}:\n    get: {}\n", {("", "/u/{id}")}),
    "extensions": ({"openapi": "3.0.0", "paths": {"x-note": 1, "/u": {}}}, {("", "/u")}),
}
REFUSES = {
    "broken json": (b'{"openapi": "3.0.0",\n "paths": {]}', 2),
    "broken yaml": (b"openapi: 3\npaths: [", 2),
    "no version": (b'{"paths": {}}', 1),
    "no paths": (b'{"openapi": "3.0.0"}', 1),
    "paths as a list": (b'{"openapi": "3.0.0",\n"paths": []}', 2),
    "a path without slash": (b'{"openapi": "3.0.0",\n"paths": {\n"users": {}}}', 3),
    "an open placeholder": (b'{"openapi": "3.0.0",\n"paths": {"/u/{id": {}}}', 2),
    "a path item that is text": (b'{"openapi": "3.0.0",\n"paths": {"/u": "x"}}', 2),
    "no document": (b"hello", 1),
    "octets": (b"\xff\xfe\x00", 0),
}


@pytest.mark.parametrize(("document", "expected"), ACCEPTS.values(), ids=ACCEPTS)
def test_paths_become_routes(document: object, expected: set[tuple[str, str]]) -> None:
    assert routes(document) == expected


@pytest.mark.parametrize(("document", "line"), REFUSES.values(), ids=REFUSES)
def test_mistakes_are_located(document: bytes, line: int) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_openapi(document, "api.json")
    assert (caught.value.file, caught.value.line) == ("api.json", line)


@given(st.binary(max_size=200))
def test_any_octets_give_routes_or_a_located_error(document: bytes) -> None:
    with suppress(DefinitionError):
        read_openapi(document, "x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values, st.dictionaries(st.text(max_size=8).map(lambda t: "/" + t), json_values, max_size=3))
def test_any_document_gives_routes_or_a_located_error(servers: object, host: object, paths: object) -> None:
    for version in ({"openapi": "3.0.0"}, {"swagger": "2.0"}):
        document = version | {"servers": servers, "host": host, "basePath": host, "paths": paths}
        with suppress(DefinitionError):
            read_openapi(json.dumps(document).encode(), "x")
