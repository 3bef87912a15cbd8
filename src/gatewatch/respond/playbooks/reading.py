"""A playbook's text to its document: every mistake at once, each with its line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import yaml
from pydantic import ValidationError

from gatewatch.errors import InputError
from gatewatch.respond.playbooks.document import STEP_KINDS, Playbook

__all__ = ["Place", "PlaybookError", "Problem", "Source", "read_source"]

_MOST_OCTETS = 256 * 1024
_BOOLEAN = "tag:yaml.org,2002:bool"
_MOST_DEPTH, _MOST_NODES = 60, 20_000
Place = tuple[str | int, ...]
"""Keys and positions from the outside in."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake."""

    line: int
    column: int
    place: str
    """`steps[2].action.connection`."""
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.place + ': ' if self.place else ''}{self.message}"


class PlaybookError(InputError):
    """A playbook with mistakes, all of them."""

    code = "playbook"

    def __init__(self, problems: Sequence[Problem]) -> None:
        """In order of place."""
        self.problems = sorted(set(problems), key=lambda one: (one.line, one.column, one.message))
        count = len(self.problems)
        told = "\n".join(str(one) for one in self.problems)
        super().__init__(f"{count} mistake{'' if count == 1 else 's'} in the playbook:\n{told}")


class Source:
    """The text with the places of everything in it."""

    def __init__(self, root: yaml.Node) -> None:
        self._root, self._left = root, _MOST_NODES

    def spend(self) -> bool:
        """Whether the text still means a bounded amount: aliases can make much of little."""
        self._left -= 1
        return self._left >= 0

    def problem(self, place: Place, message: str) -> Problem:
        """A mistake at a place; at the nearest thing around it that exists in the text."""
        node, shown = self._root, ""
        for part in place:
            found = _child(node, part)
            if found is None:
                continue  # it is missing
            node = found
            shown += f"[{part}]" if isinstance(part, int) else f"{'.' if shown else ''}{part}"
        mark = node.start_mark
        return Problem(line=mark.line + 1, column=mark.column + 1, place=shown, message=message)


def read_source(text: str) -> tuple[Playbook, Source]:
    """The document and its places. Raises PlaybookError."""
    if len(text.encode()) > _MOST_OCTETS:
        raise PlaybookError([_start(f"larger than {_MOST_OCTETS // 1024} KiB")])
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        told = f"is no YAML: {error.problem or error.context}"
        raise PlaybookError([Problem(line=line, column=column, place="", message=told)]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PlaybookError([_start("is no YAML")]) from error
    if root is None:
        raise PlaybookError([_start("is empty")])
    source = Source(root)
    problems: list[Problem] = []
    data = _plain(root, (), source, problems, frozenset())
    try:
        document = Playbook.model_validate(data)
    except ValidationError as error:
        found = error.errors()
        problems += [
            source.problem(_without_tags(one["loc"]), _told(one["msg"], one["type"]))
            for one in found
            if not (one["type"] == "too_short" and any(_inside(other["loc"], one["loc"]) for other in found))
        ]
    if problems:
        raise PlaybookError(problems)
    return document, source


def _inside(place: Place, around: Place) -> bool:
    """A list all of whose items are wrong counts as empty to pydantic; the items' own mistakes say enough."""
    return len(place) > len(around) and place[: len(around)] == around


def _without_tags(place: Place) -> Place:
    """Without the kind that pydantic names behind the position of each step."""
    pairs = zip((None, *place), place, strict=False)
    return tuple(part for before, part in pairs if not (isinstance(before, int) and part in STEP_KINDS))


def _start(message: str) -> Problem:
    return Problem(line=1, column=1, place="", message=message)


def _told(message: str, kind: str) -> str:
    if kind == "extra_forbidden":
        return "is not known here"
    if kind == "missing":
        return "something is missing here: " + message.lower()
    return message.removeprefix("Value error, ")


def _child(node: yaml.Node, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found: yaml.Node = node.value[part]
        return found
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None


def _plain(node: yaml.Node, place: Place, source: Source, problems: list[Problem], around: frozenset[int]) -> Any:
    if id(node) in around or len(place) > _MOST_DEPTH or not source.spend():
        problems.append(source.problem(place[:_MOST_DEPTH], "is nested too deeply, or too much"))
        return None
    inside = around | {id(node)}
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, source, problems, inside)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*place, at), source, problems, inside) for at, one in enumerate(node.value)]
    if node.tag == _BOOLEAN and node.value.lower() not in ("true", "false"):
        return node.value  # yes, no, on and off are words, as in YAML 1.2
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        problems.append(source.problem(place, f"can't be read: {str(error).splitlines()[0]}"))
        return None


def _mapping(
    node: yaml.MappingNode, place: Place, source: Source, problems: list[Problem], inside: frozenset[int]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not name:
            problems.append(source.problem(place, "a key is no text"))
        elif name in found:
            problems.append(source.problem((*place, name), f"`{name}` is given twice"))
        else:
            # `on`, `no` and the like are keys of ours, not the truth values of YAML 1.1.
            found[name] = _plain(value, (*place, name), source, problems, inside)
    return found
