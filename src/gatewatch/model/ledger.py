"""The ledger: every received transaction is accounted for."""

from __future__ import annotations

import msgspec

__all__ = ["LedgerEntry"]


class LedgerEntry(msgspec.Struct, kw_only=True, frozen=True):
    """Counts of one source since it was first seen. `received = observed + duplicate + sum(rejected) + in_flight`."""

    source: str
    received: int = 0
    """Durable in the journal and acknowledged."""
    observed: int = 0
    duplicate: int = 0
    rejected: dict[str, int] = {}
    """By `RejectionReason`."""

    def with_received(self, received: int) -> LedgerEntry:
        """The same with another number received."""
        return msgspec.structs.replace(self, received=received)

    @property
    def in_flight(self) -> int:
        """Acknowledged, not yet accounted for."""
        return self.received - self.observed - self.duplicate - sum(self.rejected.values())
