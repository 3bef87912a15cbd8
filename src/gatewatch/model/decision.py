"""One call judged by what is in force."""

from __future__ import annotations

import msgspec

from gatewatch.model.containment import Effect

__all__ = ["ALLOWED", "AskedCall", "Verdict"]


class AskedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that a gateway asks about, before it is let through."""

    address: str
    """Of the client, as the gateway vouches for it."""
    method: str
    host: str
    path: str
    """As it was sent, without query."""
    actors: tuple[tuple[str, str], ...] = ()
    """(kind, id) of everything that its credentials say, as alerts name actors."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a call gets."""

    status: int = 200
    """HTTP status to answer with; 200 lets it through."""
    enforcement: str = ""
    """Id of what decided; of a MIRROR too, which lets calls through."""
    effect: Effect | None = None
    retry_after_s: int = 0
    """Of a throttle."""


ALLOWED = Verdict()
