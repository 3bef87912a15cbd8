"""Leases: which of several servers does what only one may do."""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["Lease", "LeaseStore"]


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who has it, and until when by the database's own clock."""

    name: str
    holder: str
    left_s: float
    """Seconds until it ends, at the moment of asking; 0 or less when it has ended."""


class LeaseStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def take(self, name: str, holder: str, ttl_s: float) -> bool:
        """Take a lease that is free or has ended, or renew one's own; whether `holder` has it now.

        One transaction, by the database's own clock: servers need not agree on the time.
        """
        ...

    def release(self, name: str, holder: str) -> None:
        """Give it up at once; nothing happens when somebody else has it."""
        ...

    def leases(self) -> list[Lease]:
        """All that were ever taken, by name."""
        ...
