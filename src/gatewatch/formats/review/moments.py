"""Moments in UTC, with another zone's time beside."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gatewatch.errors import InputError

__all__ = ["Moments"]


class Moments:
    """Writes Unix seconds for one reader."""

    def __init__(self, zone: str = "UTC") -> None:
        """`zone` is an IANA name, `Europe/Berlin`. Raises InputError for an unknown one."""
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InputError(f"no time zone {zone[:64]!r}", cure="Give an IANA name such as Europe/Berlin.") from error
        self.zone = zone

    def full(self, ts: float | None, missing: str = "not recorded") -> str:
        """`2026-01-01 12:00:03 UTC (13:00:03 CET)`; the date is repeated when it is another one there."""
        if ts is None:
            return missing
        here = datetime.fromtimestamp(ts, UTC)
        text = f"{here:%Y-%m-%d %H:%M:%S} UTC"
        if self.zone == "UTC":
            return text
        there = here.astimezone(self._zone)
        return (
            f"{text} ({there:%H:%M:%S %Z})" if there.date() == here.date() else f"{text} ({there:%Y-%m-%d %H:%M:%S %Z})"
        )

    def day(self, ts: float | None, missing: str = "none") -> str:
        """`2026-01-01` in the reader's zone: a due date is a day there."""
        if ts is None:
            return missing
        return f"{datetime.fromtimestamp(ts, UTC).astimezone(self._zone):%Y-%m-%d}"

    def tick(self, ts: float, *, dated: bool) -> str:
        """For an axis, UTC."""
        return f"{datetime.fromtimestamp(ts, UTC):{'%d %b %H:%M' if dated else '%H:%M:%S'}}"
