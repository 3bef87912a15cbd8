"""GraphQL: what an operation does, as `query` or `mutation` with its root fields."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from graphql import GraphQLError, parse
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

__all__ = ["looks_like_graphql", "operation"]

_MAX_DOCUMENT = 16_384
_MAX_TOKENS = 2_000
_MAX_ROOT_FIELDS = 16
_MAX_FRAGMENTS = 8


def looks_like_graphql(text: str) -> bool:
    """Whether a `query` member can be a GraphQL document: cheap, before parsing."""
    start = text.lstrip()[:12]
    return "{" in text and start.startswith(("{", "query", "mutation", "subscription", "fragment", "#"))


@lru_cache(maxsize=4096)
def operation(document: str, name: str = "") -> str:
    """`query a,b` with sorted root fields (aliases resolved); '' when the document can't be read or is too large."""
    if len(document) > _MAX_DOCUMENT:
        return ""
    try:
        parsed = parse(document, no_location=True, max_tokens=_MAX_TOKENS)
    except (GraphQLError, RecursionError):
        return ""
    operations = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if node.name and node.name.value == name] if name else operations
    if not chosen:
        return ""
    fields = sorted(set(_fields(chosen[0].selection_set, parsed, _MAX_FRAGMENTS)))[:_MAX_ROOT_FIELDS]
    return f"{chosen[0].operation.value} {','.join(fields)}"


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
