"""The traffic store as the services see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from gatewatch.model.inventory import EndpointFacts, FieldFact, InformationFact
from gatewatch.model.path import PathRecord

__all__ = ["Bound", "Row", "TrafficStore"]

Bound = str | int | float | bool | Sequence[str] | Sequence[int] | Sequence[float]
"""A bound query parameter."""
Row = Mapping[str, object]
"""A result row by column name: times as Unix seconds (float), addresses as text, the rest as plain Python values."""


class TrafficStore(Protocol):
    """Observations and aggregating views, in ClickHouse. Thread-safe."""

    def migrate(self) -> list[str]:
        """Bring the schema to this version; returns the migrations applied."""
        ...

    def schema_current(self) -> bool:
        """Whether the schema is this version's."""
        ...

    def set_retention(self, *, raw_days: int, aggregate_days: int) -> None:
        """Forget raw and minute data, and hourly and daily data, after so many days; 0 keeps for ever."""
        ...

    def insert(self, batch: pa.RecordBatch, *, token: str) -> None:
        """Store one block (schema `observe.columns.SCHEMA`); the same token again is a no-op, in the views too."""
        ...

    def put_paths(self, records: Sequence[PathRecord]) -> None:
        """Upsert rows of `paths`; higher version wins. Changes what history belongs to."""
        ...

    def paths(self) -> list[PathRecord]:
        """Current rows of `paths`."""
        ...

    def query(self, sql: str, parameters: Mapping[str, Bound] | None = None) -> list[Row]:
        """Run one of our own read queries with bound parameters (`{name:Type}`)."""
        ...

    def query_arrow(self, sql: str, parameters: Mapping[str, Bound] | None = None) -> pa.Table:
        """Same, columnar."""
        ...

    def replace_ranges(self, name: str, rows: Iterable[tuple[str, str, str, str]]) -> int:
        """Replace an address list (`threat`, `tor`, `ip_info`): (first, last, label, detail), not overlapping.

        Atomic for readers; returns the number of ranges.
        """
        ...

    def recent_ids(self, *, before_block: int, limit: int) -> list[tuple[str, str]]:
        """(source, id) of the newest observations in blocks before `before_block`, for duplicate suppression."""
        ...

    def endpoint_facts(
        self, *, after: int = 0, limit: int = 1000, endpoint_ids: Sequence[int] | None = None
    ) -> list[EndpointFacts]:
        """Facts per endpoint in order of endpoint id, after the given id."""
        ...

    def information_facts(self, endpoint_ids: Sequence[int] | None = None) -> dict[int, list[InformationFact]]:
        """Information types per endpoint (all endpoints when None)."""
        ...

    def field_facts(self, endpoint_ids: Sequence[int] | None = None) -> list[FieldFact]:
        """Every field of the given endpoints (all when None)."""
        ...

    def observation_lines(self) -> Iterator[bytes]:
        """Observations as JSON lines (issue format of observations.ndjson), some blocks at a time."""
        ...

    def chosen_observation_lines(self, ids: Sequence[str], *, since: float, until: float) -> bytes:
        """Observations with these ids in [since, until) (Unix seconds), as `observation_lines` gives them."""
        ...

    def close(self) -> None:
        """Release the engine."""
        ...
