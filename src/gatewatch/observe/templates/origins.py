"""What the learner remembers of each path id, and which to forget when there are too many."""

from __future__ import annotations

from collections import Counter

import msgspec

from gatewatch.model.path import PathSighting, TemplateReason

__all__ = ["Limits", "Origin"]

_SUCCESS = range(200, 400)
_MISSING = frozenset({0, 400, 404, 405, 410, 414, 501})
_MAX_SHAPES = 4
_CANDIDATE_SHARE, _HOST_SHARE = 0.25, 0.5
_MIN_PER_HOST = 1_000
_FORGOTTEN_SHARE = 0.1


class Origin(msgspec.Struct):
    """A path as some worker wrote it, with its counts."""

    method: str
    host: str
    segments: tuple[str, ...]
    operation: str
    reason: TemplateReason
    calls: int = 0
    succeeded: int = 0
    answered: int = 0
    clients: int = 0
    blocks: int = 0
    shapes: tuple[int, ...] = ()
    last_seen: float = 0.0
    endpoint_id: int = 0
    """As last published; 0 while a candidate."""

    @classmethod
    def of(cls, sighting: PathSighting) -> Origin:
        """Without counts."""
        segments = tuple(part for part in sighting.template.split("/") if part)
        return cls(sighting.method, sighting.host, segments, sighting.operation, sighting.reason)

    def add(self, sighting: PathSighting) -> tuple[int, int]:
        """Count one block; calls that succeeded, and calls answered otherwise but not as missing."""
        by_status = sighting.calls_by_status
        succeeded = sum(n for status, n in by_status.items() if status in _SUCCESS)
        missing = sum(n for status, n in by_status.items() if status in _MISSING)
        answered = max(0, sighting.calls - succeeded - missing)
        self.calls += sighting.calls
        self.succeeded += succeeded
        self.answered += answered
        self.clients = max(self.clients, sighting.clients)
        self.blocks += answered > 0
        self.last_seen = max(self.last_seen, sighting.last_seen)
        if sighting.response_shapes and not set(sighting.response_shapes) <= set(self.shapes):
            self.shapes = tuple(sorted({*self.shapes, *sighting.response_shapes})[:_MAX_SHAPES])
        return succeeded, answered

    def take_over(self, other: Origin) -> None:
        """Count a merged path that is forgotten as part of this one."""
        self.calls += other.calls
        self.succeeded += other.succeeded
        self.answered += other.answered


class Limits:
    """Room for path ids in all, per host, and for candidates. What did not fit is counted."""

    def __init__(self, max_paths: int) -> None:
        """A quarter may be candidates; one host may have half (never less than 1,000)."""
        self.in_all = max_paths
        self.candidates = max(1, int(max_paths * _CANDIDATE_SHARE))
        self.per_host = min(max_paths, max(_MIN_PER_HOST, int(max_paths * _HOST_SHARE)))

    def to_forget(self, origins: dict[int, Origin], hosts: Counter[str], host: str, *, candidate: bool) -> list[int]:
        """Path ids to forget so that one more fits; [] when there is room, or when nothing may go.

        Candidates go first, then paths that were merged into a template (their history stays with it); those longest
        unseen and with the fewest calls before others. Endpoints are never forgotten for a newcomer.
        """
        full = len(origins) >= self.in_all or hosts[host] >= self.per_host
        if not full and not candidate:
            return []
        own = hosts[host] >= self.per_host
        pool = {i: o for i, o in origins.items() if not own or o.host == host}
        goers = [i for i, o in pool.items() if not o.endpoint_id and not o.succeeded]
        if full and len(goers) < len(pool) * _FORGOTTEN_SHARE:
            goers += [i for i, o in pool.items() if o.endpoint_id and o.endpoint_id != i]
        goers.sort(key=lambda i: (bool(origins[i].endpoint_id), origins[i].last_seen, origins[i].calls, i))
        return goers[: max(1, int(len(pool) * _FORGOTTEN_SHARE))]
