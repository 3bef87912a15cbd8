from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.observe.templates.segments import decoded, file_ending, is_placeholder, shape_path, split_path, typed

BECOMES = {
    "a number": ("12345", "{int}"),
    "a negative number": ("-5", "{int}"),
    "a decimal": ("3.14", "{number}"),
    "a uuid in any case": ("3F2504E0-4F89-11D3-9A0C-0305E82C3301", "{uuid}"),
    "a ulid": ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "{ulid}"),
    "a mongo object id": ("507f1f77bcf86cd799439011", "{id}"),
    "an md5": ("d41d8cd98f00b204e9800998ecf8427e", "{hash}"),
    "a commit": ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "{hash}"),
    "a short commit": ("3f2a9c1", "{id}"),
    "a date": ("2024-02-29", "{date}"),
    "a month of a year": ("2024-02", "{date}"),
    "a quarter": ("2024-Q1", "{date}"),
    "a moment": ("2024-02-29T10:00:00Z", "{datetime}"),
    "a mail address": ("ann@example.com", "{email}"),
    "a mail address, encoded": ("ann%40example.com", "{email}"),
    "a token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "{token}"),
    "a nanoid": ("V1StGXR8_Z5jdHi6B-myT", "{token}"),
    "a key of letters only": ("xqzvkjwpqhtgfbzx", "{token}"),
    "a phone number": ("+4930123456789", "{phone}"),
    "an address": ("10.0.0.1", "{ip}"),
    "a locale": ("en-US", "{locale}"),
    "a currency": ("EUR", "{currency}"),
    "a handle": ("@ann", "{handle}"),
    "a home": ("~ann", "{handle}"),
    "coordinates": ("52.5200,13.4050", "{coordinates}"),
    "a list of numbers": ("1,2,3", "{list}"),
    "a list of words": ("name,price,stock", "{list}"),
    "an order number": ("ORD-123456", "{id}"),
    "an issue key": ("PROJ-7", "{id}"),
    "letters and digits interleaved": ("a1b2", "{id}"),
    "a slug with a number": ("my-post-12345", "{slug}"),
    "a number with a slug": ("12345-my-first-post", "{slug}"),
    "a photo with a number": ("photo123.jpg", "{name}.jpg"),
    "an asset with a hash": ("main.3f2a9c1b.js", "{name}.js"),
    "a document by number": ("17.json", "{int}.json"),
    "text with a space": ("john%20doe", "{name}"),
    "text with a slash": ("a%2Fb", "{name}"),
    "an attack": ("%3Cscript%3E", "{name}"),
    "octets that are no text": ("%ff%fe", "{name}"),
    "an odata key": ("Products(5)", "Products({id})"),
    "hexadecimal": ("0x1f", "{id}"),
    "an action on an identifier": ("3f2504e0-4f89-11d3-9a0c-0305e82c3301:activate", "{uuid}:activate"),
    "a prefixed key with one digit": ("pi_TBJlmT0kjfgzldnFxpXCJsdv", "{token}"),
}
STAYS = {
    "metadata of odata": "$metadata",
    "an operation of fhir": "$everything",
    "an action on a collection": "users:batchGet",
    "a column in two words": "created_accountbalance",
    "a resource": "users",
    "an action": "reset-password",
    "a camel-case route": "getUserProfile",
    "a version": "v1",
    "a finer version": "v2.1",
    "a preview": "v3beta",
    "a name with a digit": "oauth2",
    "another": "sha256",
    "me": "me",
    "the handle of oneself": "@me",
    "a host of well-known files": ".well-known",
    "a static file": "logo.png",
    "an openapi file": "openapi.json",
    "a slug that only statistics can judge": "how-to-cook-rice",
    "a tag": "python",
    "a long German word": "rechtschreibung",
    "product spellings": "GraphQL",
}


@pytest.mark.parametrize(("segment", "expected"), BECOMES.values(), ids=BECOMES)
def test_identifiers_are_typed_at_once(segment: str, expected: str) -> None:
    assert typed(segment) == expected


@pytest.mark.parametrize("segment", STAYS.values(), ids=STAYS)
def test_routes_stay_literal(segment: str) -> None:
    assert typed(segment) == segment


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/a/b/", ["a", "b"]),
        ("//a///b", ["a", "b"]),
        ("/a/./b", ["a", "b"]),
        ("/a/x/../b", ["a", "b"]),
        ("/a/%2e%2e/b", ["b"]),
        ("/../../etc", ["etc"]),
        ("/a;v=1/b;jsessionid=42", ["a", "b"]),
        ("/A/a", ["A", "a"]),
        ("/%41", ["%41"]),
        ("/", []),
        ("", []),
        ("/.well-known/x", [".well-known", "x"]),
    ],
)
def test_paths_are_split_normal(path: str, segments: list[str]) -> None:
    assert split_path(path) == segments


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/rest/api/2/issue/17", "/rest/api/2/issue/{int}"),
        ("/api/1.0/users", "/api/1.0/users"),
        ("/api/42", "/api/{int}"),
        ("/api/700/x", "/api/{int}/x"),
        ("/users/2/orders", "/users/{int}/orders"),
        ("/2015/Jan/31", "/{int}/{month}/{int}"),
        ("/packages/4.2/files", "/packages/{number}/files"),
        ("/admin/api/2024-10/products", "/admin/api/2024-10/products"),
        ("/api/2024-10-01/accounts", "/api/2024-10-01/accounts"),
        ("/api/2024-10-01", "/api/{date}"),
        ("/rates/2024-10-01/EUR", "/rates/{date}/{currency}"),
    ],
)
def test_a_segment_is_read_with_the_one_before(path: str, shape: str) -> None:
    assert "/" + "/".join(shape_path(split_path(path))) == shape


def test_file_endings_are_those_of_static_content() -> None:
    assert [file_ending(name) for name in ("a.PNG", "a.json", "png", ".png", "john.doe")] == ["png", "", "", "", ""]


@given(st.text(max_size=200))
def test_any_segment_has_a_type_that_is_stable(segment: str) -> None:
    first = typed(segment)
    assert typed(segment) == first
    if not is_placeholder(first):
        assert len(first) <= 96
        assert typed(first) == first or decoded(first) != first


@given(st.text(alphabet="/.%2eabc;", max_size=60))
def test_splitting_never_leaves_dots_or_empty_segments(path: str) -> None:
    assert not {"", ".", ".."} & {decoded(part) for part in split_path(path)}


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=24, max_size=64))
def test_no_random_key_stays_literal(key: str) -> None:
    digits, letters = sum(map(str.isdigit, key)), sum(map(str.isalpha, key))
    if digits >= 3 and letters >= 3:
        assert is_placeholder(typed(key))
