"""Which input values refer to objects."""

from __future__ import annotations

import json

import pytest

from gatewatch.model.observation import Location
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet

REFERS = (
    "id",
    "user_id",
    "userId",
    "userid",
    "order_ref",
    "orderRef",
    "payment-ref",
    "customerNo",
    "reference",
    "uuid",
    "slug",
)
DOES_NOT = (
    "ref",
    "page",
    "q",
    "valid",
    "paid",
    "casino",
    "sort",
    "lang",
    "password",
    "zip_code",
    "refs",
    "void",
    "monkey",
)


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer(ObserveSettings(), bytes(32))


@pytest.mark.parametrize("name", [*REFERS, *DOES_NOT])
def test_a_name_says_whether_a_value_refers_to_an_object(observer: Observer, name: str) -> None:
    call = Transaction(id="1", ts=1.0, method="GET", path="/a", query=f"{name}=1234", status=200)
    (parameter,) = observer.observe(call, "test", TemplateSet.empty()).parameters
    assert parameter.reference is (name in REFERS)


@pytest.mark.parametrize(
    ("name", "refers"),
    [
        ("X-Account-Id", True),
        ("customer-number", True),
        ("X-Request-Id", False),
        ("X-Session-Id", False),
        ("X-Device-Id", False),
        ("X-Api-Key", False),
    ],
)
def test_of_headers_only_those_that_name_an_object_are_read(observer: Observer, name: str, *, refers: bool) -> None:
    headers = [("Host", "a.example"), (name, "1234")]
    call = Transaction(id="1", ts=1.0, method="GET", path="/a", status=200, request_headers=headers)
    found = observer.observe(call, "test", TemplateSet.empty()).parameters
    assert [(p.location, p.name, p.reference) for p in found] == (
        [(Location.REQUEST_HEADER, name.lower(), True)] if refers else []
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    {
        "{ticket(id: 71000) {seat}}": {"ticket.id"},
        "{a: ticket(id: 1) {seat} b: ticket(id: 2) {seat}}": {"ticket.id"},
        "mutation {pay(input: {orderId: 7, note: [{text: 3}]}) {ok}}": {"pay.input.orderId"},
        "query T($id: ID!) {ticket(id: $id) {seat}}": set(),
        "{ticket(id: 71000": set(),
    }.items(),
)
def test_values_written_into_a_graphql_document_are_read_like_variables(
    observer: Observer, document: str, expected: set[str]
) -> None:
    body = json.dumps({"query": document}).encode()
    headers = [("Content-Type", "application/json")]
    call = Transaction(
        id="1", ts=1.0, method="POST", path="/graphql", status=200, request_headers=headers, request_body=body
    )
    found = observer.observe(call, "test", TemplateSet.empty()).parameters
    assert {p.name for p in found if p.reference} == expected


def test_an_injection_written_into_a_graphql_document_is_seen(observer: Observer) -> None:
    body = json.dumps({"query": '{ticket(id: "1\' UNION SELECT password FROM users-- ") {seat}}'}).encode()
    headers = [("Content-Type", "application/json")]
    call = Transaction(
        id="1", ts=1.0, method="POST", path="/graphql", status=200, request_headers=headers, request_body=body
    )
    hits = observer.observe(call, "test", TemplateSet.empty()).indicators
    assert ("sql_injection", "ticket.id") in {(hit.class_, hit.name) for hit in hits}
