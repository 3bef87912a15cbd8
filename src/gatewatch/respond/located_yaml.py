"""YAML read with the place of everything, so that a mistake is shown where it is. Keys are always texts, also `on`."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

from gatewatch.errors import DefinitionError, InputError
from gatewatch.respond.problems import Problem

__all__ = ["Document", "documents", "located"]

_MOST_OCTETS = 1 << 20
_LAST = re.compile(r"(\.[^.\[\]]*|\[\d+\])$")


class Document(msgspec.Struct, frozen=True):
    """One document of a file."""

    data: Any
    places: dict[str, tuple[int, int]]
    """`actions[0].do` -> line and column, from 1."""

    def place(self, at: str) -> tuple[int, int]:
        """Of the thing itself, or of the nearest around it."""
        while at and at not in self.places:
            at = _LAST.sub("", at) if _LAST.search(at) else ""
        return self.places.get(at, (1, 1))


def documents(text: str, file: str) -> list[Document]:
    """All documents of a text; `file` is its name for people. Raises DefinitionError."""
    if len(text) > _MOST_OCTETS:
        raise DefinitionError(f"larger than {_MOST_OCTETS:,} characters", file=file)
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise DefinitionError("aliases (`*name`) are not taken", file=file, cure="Write it out.")
        loader = yaml.SafeLoader(text)
        found = []
        while loader.check_node():
            places: dict[str, tuple[int, int]] = {}
            node = loader.get_node()
            if node is not None:
                found.append(Document(_read(loader, node, "", places, file), places))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise DefinitionError(error.problem or "not YAML", file=file, line=line, column=column) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DefinitionError("not YAML", file=file) from error
    return found


def located(problems: list[tuple[Document, Problem]], file: str) -> InputError:
    """An error that names all of them, each with file, line and column."""
    lines = []
    for document, one in problems:
        line, column = document.place(one.at)
        lines.append(f"{file}:{line}:{column}: {one.told()}")
    return InputError("\n".join(lines))


def _read(loader: yaml.SafeLoader, node: yaml.Node, at: str, places: dict[str, tuple[int, int]], file: str) -> Any:
    places.setdefault(at, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.SequenceNode):
        return [_read(loader, one, f"{at}[{index}]", places, file) for index, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line, column = key.start_mark.line + 1, key.start_mark.column + 1
            if not isinstance(key, yaml.ScalarNode):
                raise DefinitionError("a name has to be a text", file=file, line=line, column=column)
            if key.value in found:
                raise DefinitionError(f"{key.value} is there twice", file=file, line=line, column=column)
            path = f"{at}.{key.value}" if at else str(key.value)
            places[path] = (line, column)
            found[str(key.value)] = _read(loader, value, path, places, file)
        return found
    return loader.construct_object(node)
