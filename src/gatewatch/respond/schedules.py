"""When a schedule was due; wall-clock time of a zone, daylight saving as cron has it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter

__all__ = ["due_times", "last_due", "next_due"]


def last_due(cron: str, zone: str, at: float) -> float:
    """The newest due time at or before a moment; Unix seconds."""
    # One second on, because a due time is not its own predecessor.
    moment = datetime.fromtimestamp(at + 1, ZoneInfo(zone)).replace(microsecond=0)
    found: datetime = croniter(cron, moment).get_prev(datetime)
    return found.timestamp()


def next_due(cron: str, zone: str, after: float) -> float:
    """The first due time after a moment; Unix seconds."""
    found: datetime = croniter(cron, datetime.fromtimestamp(after, ZoneInfo(zone))).get_next(datetime)
    return found.timestamp()


def due_times(cron: str, zone: str, after: float, until: float, most: int) -> list[float]:
    """Due times in (after, until], oldest first, at most so many."""
    found: list[float] = []
    moment = after
    while len(found) < most and (moment := next_due(cron, zone, moment)) <= until:
        found.append(moment)
    return found
