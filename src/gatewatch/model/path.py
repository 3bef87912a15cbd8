"""Path templates: what workers report, what the learner decides."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["PathRecord", "PathSighting", "PathState", "TemplateReason"]


class PathState(StrEnum):
    """Life of a path: only confirmed ones are endpoints."""

    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"
    MERGED = "merged"
    """Absorbed by a more general template; `endpoint_id` names the survivor."""


class TemplateReason(StrEnum):
    """Why a template looks as it does."""

    HINT = "route_hint"
    SPEC = "openapi"
    TYPED = "typed_segments"
    STATISTICS = "statistics"
    LITERAL = "literal"
    PINNED = "pinned"


class PathSighting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one block of traffic says about one path shape (after typing and current templates)."""

    path_id: int
    method: str
    host: str
    template: str
    """Path with typed segments as placeholders, undecided literals kept."""
    operation: str = ""
    reason: TemplateReason = TemplateReason.TYPED
    calls: int
    calls_by_status: dict[int, int]
    response_shapes: tuple[int, ...] = ()
    """Distinct response structures of successful calls, at most 4."""
    clients: int = 0
    """Distinct client addresses in the block."""
    first_seen: float
    last_seen: float


class PathRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row of table `paths`: which endpoint a path id belongs to now."""

    path_id: int
    endpoint_id: int
    """0: belongs to no endpoint (yet)."""
    method: str
    host: str
    template: str
    """Template of the endpoint it belongs to."""
    operation: str = ""
    state: PathState
    reason: TemplateReason
    confidence: float
    why: str = ""
    """One sentence with the numbers that decided."""
    version: int
    """Version of the template set that decided; a higher one replaces a lower."""
