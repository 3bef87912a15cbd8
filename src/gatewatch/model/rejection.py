"""Why a line of input did not become an observation."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Rejection", "RejectionReason"]


class RejectionReason(StrEnum):
    """Stable reasons, used as ledger keys."""

    MALFORMED = "malformed"
    """Not the format it claims: bad JSON, broken line, wrong types."""
    MISSING_MEMBER = "missing_member"
    INVALID_VALUE = "invalid_value"
    """A member is there but impossible: status 9999, time in the year 0."""
    TOO_LARGE = "too_large"
    FAULT = "fault"
    """Our own error while handling it; the fault is logged, the input kept."""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A located refusal of one piece of input."""

    reason: RejectionReason
    detail: str
    """For people; names the member and what was expected; never quotes the value."""
    line: int
    """Counts from 1 within its payload or file."""
    column: int = 0
    """Counts from 1; 0: unknown."""
    raw: bytes = b""
    """The refused input itself, for the dead-letter file; sealed at rest."""
