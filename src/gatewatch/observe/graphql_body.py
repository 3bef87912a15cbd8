"""GraphQL: what an operation does, as `query` or `mutation` with its root fields, and the values written into it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from graphql import GraphQLError, parse
from graphql.language import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
)

__all__ = ["literals", "looks_like_graphql", "operation"]

_MAX_DOCUMENT = 16_384
_MAX_TOKENS = 2_000
_MAX_ROOT_FIELDS = 16
_MAX_FRAGMENTS = 8
_MAX_LITERALS = 256
_MAX_DEPTH = 16
_KINDS: dict[type[ValueNode], str] = {StringValueNode: "string", IntValueNode: "int", FloatValueNode: "float"}


def looks_like_graphql(text: str) -> bool:
    """Whether a `query` member can be a GraphQL document: cheap, before parsing."""
    start = text.lstrip()[:12]
    return "{" in text and start.startswith(("{", "query", "mutation", "subscription", "fragment", "#"))


@lru_cache(maxsize=4096)
def operation(document: str, name: str = "") -> str:
    """`query a,b` with sorted root fields (aliases resolved); '' when the document can't be read or is too large."""
    parsed = _parsed(document)
    chosen = _chosen(parsed, name) if parsed else None
    if parsed is None or chosen is None:
        return ""
    fields = sorted(set(_fields(chosen.selection_set, parsed, _MAX_FRAGMENTS)))[:_MAX_ROOT_FIELDS]
    return f"{chosen.operation.value} {','.join(fields)}"


@lru_cache(maxsize=4096)
def literals(document: str, name: str = "") -> tuple[tuple[str, str, str], ...]:
    """`field.argument`, text and kind (string, int, float) of the values that stand in the operation itself.

    Callers who build documents by hand put there what others put into variables; aliases ask for many at once.
    """
    parsed = _parsed(document) if "(" in document else None
    chosen = _chosen(parsed, name) if parsed else None
    return tuple(islice(_written(chosen.selection_set, _MAX_DEPTH), _MAX_LITERALS)) if chosen else ()


@lru_cache(maxsize=256)
def _parsed(document: str) -> DocumentNode | None:
    if len(document) > _MAX_DOCUMENT:
        return None
    try:
        return parse(document, no_location=True, max_tokens=_MAX_TOKENS)
    except (GraphQLError, RecursionError):
        return None


def _chosen(parsed: DocumentNode, name: str) -> OperationDefinitionNode | None:
    operations = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    named = [node for node in operations if node.name and node.name.value == name] if name else operations
    return named[0] if named else None


def _written(selections: SelectionSetNode | None, depth: int) -> Iterator[tuple[str, str, str]]:
    for node in selections.selections if selections and depth else ():
        if isinstance(node, FieldNode):
            for argument in node.arguments or ():
                yield from _argument(node.name.value, argument)
        if isinstance(node, FieldNode | InlineFragmentNode):
            yield from _written(node.selection_set, depth - 1)


def _argument(field: str, argument: ArgumentNode) -> Iterator[tuple[str, str, str]]:
    yield from _values(f"{field}.{argument.name.value}", argument.value, _MAX_DEPTH)


def _values(path: str, value: ValueNode, depth: int) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, StringValueNode | IntValueNode | FloatValueNode):
        yield path, value.value, _KINDS[type(value)]
    elif isinstance(value, ListValueNode) and depth:
        for item in value.values:
            yield from _values(f"{path}[]", item, depth - 1)
    elif isinstance(value, ObjectValueNode) and depth:
        for member in value.fields:
            yield from _values(f"{path}.{member.name.value}", member.value, depth - 1)


def _fields(selections: SelectionSetNode, document: DocumentNode, fragments_left: int) -> Iterator[str]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, InlineFragmentNode) and fragments_left:
            yield from _fields(node.selection_set, document, fragments_left - 1)
        elif isinstance(node, FragmentSpreadNode) and fragments_left:
            for definition in document.definitions:
                if isinstance(definition, FragmentDefinitionNode) and definition.name.value == node.name.value:
                    yield from _fields(definition.selection_set, document, fragments_left - 1)
