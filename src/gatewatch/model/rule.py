"""What a detector says of itself, as alerts' readers need it."""

from __future__ import annotations

import msgspec

__all__ = ["Rule"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One detector's texts; looked up by the detector's id."""

    id: str
    title: str
    description: str
    known_misses: str
    steps: tuple[str, ...]
    """What to do, in order."""
    techniques: tuple[str, ...]
    """MITRE ATT&CK ids, `T1110.004`."""
    references: tuple[str, ...]
    needs: tuple[str, ...]
    """Kinds of evidence it works with."""
