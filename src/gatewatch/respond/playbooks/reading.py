"""A playbook's text to its document: every mistake at once, each with its line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import yaml
from pydantic import ValidationError

from gatewatch.errors import InputError
from gatewatch.respond.playbooks.document import Playbook
from gatewatch.respond.playbooks.mending import WAYS, mended, without_tags

__all__ = ["Place", "PlaybookError", "Problem", "Reading", "Source", "read_source"]

_MOST_OCTETS = 256 * 1024
_TAG = "tag:yaml.org,2002:"
_KINDS = ("str", "null", "bool", "int", "float", "timestamp", "merge", "value")
_NULL = re.compile(r"~|null|Null|NULL|")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
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

    def problem(self, place: Place, message: str, node: yaml.Node | None = None) -> Problem:
        """A mistake at a place, or at a node there; at the nearest thing around it that exists in the text."""
        found, mark, shown = self._root, self._root.start_mark, ""
        for part in place:
            inner = _child(found, part)
            if inner is None:
                continue  # it is missing
            key, found = inner
            # What begins in the line below its key is looked for at the key.
            mark = key.start_mark if isinstance(found, yaml.CollectionNode) else found.start_mark
            shown += f"[{part}]" if isinstance(part, int) else f"{'.' if shown else ''}{part}"
        mark = node.start_mark if node is not None else mark
        return Problem(line=mark.line + 1, column=mark.column + 1, place=shown, message=message)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A text as far as it could be read."""

    document: Playbook | None
    """What is right of it; None when that is nothing."""
    source: Source
    problems: list[Problem]
    lost: frozenset[str] = frozenset()
    """Names that were made known by what is not in the document."""


def read_source(text: str) -> Reading:
    """Raises PlaybookError for a text of which nothing can be read."""
    if len(text.encode(errors="surrogatepass")) > _MOST_OCTETS:
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
        return Reading(document=Playbook.model_validate(data), source=source, problems=problems)
    except ValidationError as error:
        problems += _shape_problems(error, source)
    document, lost = mended(data) or (None, frozenset())
    return Reading(document=document, source=source, problems=problems, lost=lost)


def _start(message: str) -> Problem:
    return Problem(line=1, column=1, place="", message=message)


def _shape_problems(error: ValidationError, source: Source) -> Iterator[Problem]:
    for found in error.errors(include_url=False):
        place, kind = without_tags(found["loc"]), found["type"]
        # `on_failure` is a word or steps: of the two complaints only that about what was meant is one.
        way = str(found["loc"][-1]) if found["loc"] else ""
        if way.startswith(WAYS) and way.startswith("literal[") == isinstance(found["input"], list):
            continue
        if kind == "too_short" and len(found["input"]) >= found["ctx"]["min_length"]:
            continue  # only because what is in it is wrong
        if kind == "extra_forbidden":
            told = "is not known here"
        elif kind == "missing":
            told = f"`{place[-1]}` is missing"
        else:
            told = found["msg"].removeprefix("Value error, ")
        yield source.problem(place, told)


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """(key, value), or what is at a position twice."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    return None


def _plain(node: yaml.Node, place: Place, source: Source, problems: list[Problem], around: frozenset[int]) -> Any:
    if id(node) in around or len(place) > _MOST_DEPTH or not source.spend():
        raise PlaybookError([source.problem(place[:_MOST_DEPTH], "is nested too deeply, or too much")])
    inside = around | {id(node)}
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, source, problems, inside)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*place, at), source, problems, inside) for at, one in enumerate(node.value)]
    kind = node.tag.removeprefix(_TAG)
    if kind in _KINDS:
        return _scalar(str(node.value), kind)
    problems.append(source.problem(place, f"`{node.tag}` is not known here"))
    return None


def _scalar(text: str, kind: str) -> Any:
    """As YAML 1.2 reads it: yes, no, on and off, dates, 12:30 and 1_000 are words."""
    if kind == "null" and _NULL.fullmatch(text):
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind in ("int", "float") and _NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def _mapping(
    node: yaml.MappingNode, place: Place, source: Source, problems: list[Problem], inside: frozenset[int]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not name:
            problems.append(source.problem(place, "a key is no text", key))
        elif name in found:
            problems.append(source.problem((*place, name), f"`{name}` is given twice", key))
        else:
            # `on`, `no` and the like are keys of ours, not the truth values of YAML 1.1.
            found[name] = _plain(value, (*place, name), source, problems, inside)
    return found
