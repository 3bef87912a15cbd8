"""When alike siblings are values of a parameter."""

from __future__ import annotations

import re

import msgspec

from gatewatch.observe.templates.tree import Group, Position

__all__ = ["Decision", "decide"]

# Distinct siblings needed, by what makes them alike. Text needs more samples than identifier-like values; answers of
# equal structure or equal sub-paths are worth several samples (lessons F1).
NEEDED = {"structure": 3, "shape": 6, "none": 14, "files": 4}
NEEDED_ID_LIKE = {"structure": 2, "shape": 3, "none": 5, "files": 3}
_ID_LIKE = re.compile(r"\d|[-_].*[-_]|^[A-Z0-9]{3,}$|%|[^\x00-\x7f]")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+){1,}", re.IGNORECASE)
_ID_LIKE_SHARE = 0.6
_MAX_CALLS_PER_VALUE = 200
_FULL_EVIDENCE = 4.0


class Decision(msgspec.Struct, frozen=True):
    """A position becomes a parameter."""

    names: tuple[str, ...]
    placeholder: str
    confidence: float
    why: str


def _id_like_share(names: list[str]) -> float:
    return sum(bool(_ID_LIKE.search(name) or _SLUG.fullmatch(name)) for name in names) / len(names)


def decide(node: Position, group: Group) -> Decision | None:
    """The decision for one group of siblings, None while evidence does not suffice."""
    count = len(group.names)
    id_like = _id_like_share(group.names)
    needed = (NEEDED_ID_LIKE if id_like >= _ID_LIKE_SHARE else NEEDED)[group.evidence]
    calls = sum(node.children[name].calls for name in group.names)
    accepted = sum(child.accepted for name in group.names for _, child in node.children[name].walk())
    if count < needed or not accepted:
        return None
    if group.evidence == "none" and calls / count > _MAX_CALLS_PER_VALUE and count < 2 * needed:
        # Few values with heavy traffic each and no evidence of equal answers: more likely actions than values.
        return None
    ending = group.names[0].rpartition(".")[2] if group.evidence == "files" else ""
    alike = {
        "structure": "the same paths below",
        "shape": "answers of the same structure",
        "files": "the same file type",
    }
    why = (
        f"{count} values in {calls} calls with {alike.get(group.evidence, 'nothing that tells them apart')}"
        f", {id_like:.0%} look like identifiers or slugs (needed: {needed})"
    )
    confidence = min(0.99, 0.5 + 0.5 * (count / (needed * _FULL_EVIDENCE)))
    return Decision(tuple(group.names), f"{{name}}.{ending}" if ending else "{slug}", round(confidence, 2), why)
