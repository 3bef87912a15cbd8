"""Inputs of a call against what its action takes; the same for real and for simulated connections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gatewatch.ports.connectors import ActionCall, ActionInput, ActionMeta, ConnectorError, ConnectorMeta

__all__ = ["action_of", "check_call", "problems"]

_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_MOST_BYTES = 256 * 1024
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list | tuple),
    "object": lambda value: isinstance(value, dict) and all(isinstance(name, str) for name in value),
}


def check_call(meta: ConnectorMeta, call: ActionCall) -> ActionMeta:
    """The action that is called. Raises ConnectorError that names everything that is wrong."""
    action = action_of(meta, call)
    wrong = list(problems(action, call.inputs))
    if not _KEY.fullmatch(call.key):
        wrong.append("the key is not 1 to 64 letters, digits or . _ : -")
    if wrong:
        told = "; ".join(wrong)
        raise ConnectorError(
            f"{call.connection}: {call.action}: {told}", cure="docs/reference/connectors.md lists what it takes."
        )
    return action


def action_of(meta: ConnectorMeta, call: ActionCall) -> ActionMeta:
    """Raises ConnectorError for an action that the connector does not have."""
    for action in meta.actions:
        if action.id == call.action:
            return action
    known = ", ".join(action.id for action in meta.actions)
    raise ConnectorError(f"{call.connection} has no action {call.action}", cure=f"It has {known}.")


def problems(action: ActionMeta, inputs: dict[str, Any]) -> Iterator[str]:
    """What is wrong with inputs, one sentence each; values are not repeated."""
    known = {one.name: one for one in action.inputs}
    strange = sorted(set(inputs) - set(known))
    if strange:
        yield f"there is no input {', '.join(strange)}"
    for name, field in known.items():
        value = inputs.get(name)
        if value is None:
            if field.required:
                yield f"{name} is missing"
        elif why := problem_of_value(field, value):
            yield f"{name} {why}"
    try:
        size = len(msgspec.json.encode(inputs))
    except (TypeError, ValueError):
        yield "the inputs are not plain JSON values"
    else:
        if size > _MOST_BYTES:
            yield f"the inputs have more than {_MOST_BYTES} octets together"


def problem_of_value(field: ActionInput, value: Any) -> str:
    """What is wrong with a value; '' when nothing is."""
    if not _TYPES[field.type](value):
        return f"is not of type {field.type}"
    if field.choices and value not in field.choices:
        return f"is none of {', '.join(field.choices)}"
    if field.required and field.type == "string" and not value.strip():
        return "is empty"
    return ""
