"""Which input values refer to objects."""

from __future__ import annotations

import pytest

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
