"""Shapes of values."""

from __future__ import annotations

import pytest

from gatewatch.observe.value_types import classify

TYPES = {
    "+4915123456789": "phone", "+12015550123": "phone", "+49 30 901820": "phone", "+1 (201) 555-0123": "phone", "4915123456789": "int",
    "+5": "int", "-3": "int", "+1234567": "int", "+00000000000": "int", "+1234567890123456": "int", "+1.5": "float", "12": "int",
    "2024-01-31": "date", "a@b.example": "email", "10.0.0.1": "ip", "true": "bool", "": "empty", "1,2,3": "list", "hello": "string",
}  # fmt: skip


@pytest.mark.parametrize("text", TYPES)
def test_a_shape_is_told(text: str) -> None:
    assert classify(text) == TYPES[text]
