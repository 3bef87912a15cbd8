"""Gateways that come and ask: what is in force is put up for them, and kept over our own restarts."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from gatewatch.gateways import _files
from gatewatch.gateways._desired import sorted_out
from gatewatch.model.enforcement import Agreement, Enforcement, mark
from gatewatch.ports.gateways import Gateway, GatewayAwayError, Site

__all__ = ["Board", "BoardSettings"]

_REMEMBERED_S = 31 * 86_400.0
"""A containment lasts 30 days at most: what ended before this ended by itself wherever it still was."""
_MOST_ENDED = 50_000
_OWNER_ONLY = 0o600


class BoardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of gateways that ask us."""

    silent_after_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """When nobody has asked for so long, nobody enforces: the gateway counts as away. 0: silence says nothing."""


class _Ended(msgspec.Struct, frozen=True):
    at: float
    what: Enforcement


class _Kept(msgspec.Struct, frozen=True):
    current: tuple[Enforcement, ...] = ()
    ended: tuple[_Ended, ...] = ()


class Board(Gateway):
    """Implements `ports.gateways.Decisions`; asked from other threads than the one that applies."""

    def __init__(self, settings: Any, site: Site) -> None:
        """Reads what was in force when we stopped."""
        self._given: BoardSettings = settings
        self._site, self._lock = site, threading.Lock()
        self._path = site.directory / "board.json"
        self._kept = _read(_files.read(self._path))
        self._until = _first_end(self._kept.current)
        self._last_asked = site.clock.now()

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Put it up. Raises GatewayAwayError, having put it up, when nobody asks any more."""
        sorted_ = sorted_out(self, wanted, self._site)
        current, now = tuple(sorted_.able.values()), self._site.clock.now()
        with self._lock:
            kept = self._kept
            gone = [one for one in kept.current if one not in current]
            ended = (*(one for one in kept.ended if one.at > now - _REMEMBERED_S), *(_Ended(now, one) for one in gone))
            if current != kept.current or len(ended) != len(kept.ended):
                self._kept, self._until = _Kept(current, ended[-_MOST_ENDED:]), _first_end(current)
                _files.replace(self._path, msgspec.json.encode(self._kept), mode=_OWNER_ONLY)
        self._heard()
        return sorted_.settled(self.actual(wanted))

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """What is put up."""
        self._heard()
        able, now = sorted_out(self, wanted, self._site).able, self._site.clock.now()
        with self._lock:
            found: dict[str, object] = {one.id: mark(one) for one in self._kept.current if one.expires_at > now}
        return Agreement.between({one.id: mark(one) for one in able.values()}, found)

    def close(self) -> None:
        """Nothing is open."""

    def current(self) -> Sequence[Enforcement]:
        """All that are in force now."""
        now = self._site.clock.now()
        with self._lock:
            self._last_asked = now
            current, until = self._kept.current, self._until
        return current if now < until else tuple(one for one in current if one.expires_at > now)

    def ended_since(self, moment: float) -> Sequence[Enforcement]:
        """Rolled back or changed since, and expired since."""
        now = self._site.clock.now()
        with self._lock:
            kept = self._kept
        gone = [one.what for one in kept.ended if one.at >= moment]
        return (*gone, *(one for one in kept.current if moment <= one.expires_at <= now))

    def _heard(self) -> None:
        silent_s, most = self._site.clock.now() - self._last_asked, self._given.silent_after_s
        if most and silent_s > most:
            raise GatewayAwayError(
                f"nobody has asked `{self._site.name}` for {silent_s:.0f} s: what is put up is not enforced",
                cure="Check that the gateway reaches Gatewatch and that its key is good.",
            )


def _first_end(current: Sequence[Enforcement]) -> float:
    return min((one.expires_at for one in current), default=math.inf)


def _read(content: bytes | None) -> _Kept:
    try:
        return msgspec.json.decode(content, type=_Kept) if content else _Kept()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Kept()
