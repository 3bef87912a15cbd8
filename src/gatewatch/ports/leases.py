"""Leases: which of several servers on one database does what only one may do."""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["ALWAYS", "Lease", "LeaseStore", "Turn"]


class Turn(Protocol):
    """Whether it is this server that does a job."""

    @property
    def term(self) -> int:
        """Grows whenever the job comes to this server: what it remembered of the job before is out of date."""
        ...

    def mine(self) -> bool:
        """Ask before every step. Raises StoreError when nobody can tell."""
        ...


class _Always:
    """The only server there is."""

    term = 1

    def mine(self) -> bool:
        """Yes."""
        return True


ALWAYS: Turn = _Always()
"""For a database that belongs to one process; costs nothing."""


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
        """All that are taken or have ended without being given up, by name."""
        ...
