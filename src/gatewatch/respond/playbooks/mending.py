"""What is left of a playbook without the parts whose shape is wrong, so that the rest is checked in the same go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from gatewatch.respond.playbooks.document import STEP_KINDS, Playbook

__all__ = ["WAYS", "Mended", "mended", "without_tags"]

_ROUNDS = 4
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HEAD = {"schema": "gatewatch.playbook/v1", "name": "playbook", "title": "-"}
WAYS = ("literal[", "tuple[")
"""How pydantic calls the forms of `on_failure`."""
Mended = tuple[Playbook, frozenset[str]]
"""The rest, and names that the parts left out would have made known."""


def without_tags(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Without what pydantic adds: the kind behind the position of a step, and which form of `on_failure` it tried."""
    pairs = zip((None, *place), place, strict=False)
    return tuple(
        part
        for before, part in pairs
        if not (isinstance(before, int) and part in STEP_KINDS) and not str(part).startswith(WAYS)
    )


def mended(data: Any) -> Mended | None:
    """Changes `data`; None when nothing is left to check."""
    lost: set[str] = set()
    for _ in range(_ROUNDS):
        try:
            return Playbook.model_validate(data), frozenset(lost)
        except ValidationError as error:
            if not isinstance(data, dict):
                return None
            for found in error.errors(include_url=False, include_context=False, include_input=False):
                _mend(data, without_tags(found["loc"]), found["type"], lost)
    return None


def _mend(data: dict[str, Any], place: tuple[int | str, ...], kind: str, lost: set[str]) -> None:
    around, inside = data, data.get(str(place[0])) if place else None
    step: tuple[list[Any], int] | None = None
    node: Any = data
    for part in place:
        if isinstance(node, dict) and part in node:
            around, node = node, node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            step, node = (node, part), node[part]
    if kind == "extra_forbidden" and isinstance(place[-1], str):
        around.pop(place[-1], None)
    elif step is not None:
        rows, at = step
        lost.update(_names(rows[at]))
        rows[at] = _placeholder(rows[at], len(lost))
    elif len(place) > 1 and place[0] == "inputs" and isinstance(inside, dict):
        lost.add(str(place[1]))
        inside.pop(place[1], None)
    elif place and place[0] != "steps":
        lost.update(_names(data.pop(str(place[0]), None)))
        data |= {name: value for name, value in _HEAD.items() if name == place[0]}


def _placeholder(step: Any, number: int) -> dict[str, Any]:
    name = step.get("id") if isinstance(step, dict) else None
    known = isinstance(name, str) and _NAME.fullmatch(name)
    return {"id": name if known else f"left_out_{number}", "set": {"values": {"nothing": 0}}}


def _names(value: Any) -> Iterator[str]:
    """Ids, variables, loop names: every short text that could be one."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        yield value
    elif isinstance(value, dict):
        yield from ("item", "index")
        for key, inside in value.items():
            yield str(key)
            yield from _names(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _names(inside)
