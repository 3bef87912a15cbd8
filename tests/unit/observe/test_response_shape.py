from __future__ import annotations

import pytest

from gatewatch.observe.response_shape import shape_of

TELLS = {
    "a resource": {"id": 1, "name": "a"},
    "an acknowledgement with the resource": {"ok": True, "data": {"id": 1}},
    "a status that has members": {"status": {"state": "up"}},
    "a list": [{"id": 1}],
}
TELLS_NOTHING = {
    "an acknowledgement": {"ok": True},
    "a message": {"status": "done", "message": "stored"},
    "an empty result": {"result": None, "error": None},
    "nothing": {},
    "a scalar": 17,
}


@pytest.mark.parametrize("name", TELLS)
def test_structures_that_say_what_a_resource_is(name: str) -> None:
    assert shape_of(TELLS[name])


@pytest.mark.parametrize("name", TELLS_NOTHING)
def test_acknowledgements_are_alike_everywhere_and_say_nothing(name: str) -> None:
    assert shape_of(TELLS_NOTHING[name]) == 0
