"""One observed block into the stores: duplicates out, templates learnt, rows in, rejects kept, counts closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import pyarrow as pa

from gatewatch.model.ledger import LedgerEntry
from gatewatch.observe.templates import TemplateLearner
from gatewatch.ports.journal import DeadLetters
from gatewatch.ports.traffic import TrafficStore
from gatewatch.services.observing.blocks import BlockResult

__all__ = ["BlockCommitter", "Ledger", "RecentIds"]


class RecentIds:
    """The newest (source, id) pairs, to recognise a transaction sent again. First in, first out at the limit."""

    def __init__(self, limit: int) -> None:
        """At most `limit` are remembered."""
        self._limit = limit
        self._seen: dict[int, None] = {}

    def fill(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Start from stored ids, oldest first."""
        for pair in pairs:
            self._seen[hash(pair)] = None

    def keys(self, sources: list[str], ids: list[str]) -> list[int | None]:
        """A key per transaction, None for one that was seen before or earlier in this list; remembers nothing."""
        here: set[int] = set()
        keys: list[int | None] = []
        for pair in zip(sources, ids, strict=True):
            # 64-bit SipHash under this process's key: a chance of 3e-14 per transaction to meet one of 500,000.
            key = hash(pair)
            keys.append(None if key in self._seen or key in here else key)
            here.add(key)
        return keys

    def remember(self, keys: Iterable[int | None]) -> None:
        """Once they are stored."""
        self._seen.update((key, None) for key in keys if key is not None)
        if len(self._seen) > self._limit:
            for key in list(islice(self._seen, len(self._seen) - self._limit)):
                del self._seen[key]


class Ledger:
    """Cumulative counts of everything accounted for."""

    def __init__(self, entries: Iterable[LedgerEntry] = ()) -> None:
        """Start from a checkpoint."""
        self._observed: dict[str, int] = {}
        self._duplicate: dict[str, int] = {}
        self._rejected: dict[str, dict[str, int]] = {}
        for entry in entries:
            self._observed[entry.source] = entry.observed
            self._duplicate[entry.source] = entry.duplicate
            self._rejected[entry.source] = dict(entry.rejected)

    def add(
        self, observed: Mapping[str, int], duplicate: Mapping[str, int], rejected: Mapping[str, Mapping[str, int]]
    ) -> None:
        """Account for one block."""
        for source, count in observed.items():
            self._observed[source] = self._observed.get(source, 0) + count
        for source, count in duplicate.items():
            self._duplicate[source] = self._duplicate.get(source, 0) + count
        for source, reasons in rejected.items():
            mine = self._rejected.setdefault(source, {})
            for reason, count in reasons.items():
                mine[reason] = mine.get(reason, 0) + count

    def entries(self, received: Mapping[str, int] | None = None) -> tuple[LedgerEntry, ...]:
        """Per source; without `received` everything accounted for counts as received."""
        sources = sorted({*self._observed, *self._duplicate, *self._rejected, *(received or {})})
        return tuple(self._entry(source, received) for source in sources)

    def _entry(self, source: str, received: Mapping[str, int] | None) -> LedgerEntry:
        rejected = dict(self._rejected.get(source, {}))
        observed, duplicate = self._observed.get(source, 0), self._duplicate.get(source, 0)
        accounted = observed + duplicate + sum(rejected.values())
        return LedgerEntry(
            source=source,
            received=accounted if received is None else received.get(source, accounted),
            observed=observed,
            duplicate=duplicate,
            rejected=rejected,
        )


class BlockCommitter:
    """Commits results in order. Not thread-safe."""

    def __init__(
        self,
        *,
        store: TrafficStore,
        letters: DeadLetters | None,
        learner: TemplateLearner,
        ledger: Ledger,
        recent: RecentIds,
    ) -> None:
        """Without `letters` rejected input is only counted."""
        self.learner, self.ledger = learner, ledger
        self._store, self._letters, self._recent = store, letters, recent

    def commit(self, result: BlockResult) -> int:
        """Store one block; returns the number of rows."""
        batch = result.batch()
        sources = batch.column("source").to_pylist()
        keys = self._recent.keys(sources, batch.column("id").to_pylist())
        duplicate: dict[str, int] = {}
        if None in keys:
            for source, key in zip(sources, keys, strict=True):
                if key is None:
                    duplicate[source] = duplicate.get(source, 0) + 1
            batch = batch.filter(pa.array([key is not None for key in keys]))
        self._store.put_paths(self.learner.learn(result.sightings))
        self._store.insert(batch, token=result.token)
        if self._letters is not None:
            self._letters.put(result.token, result.letters)
        # Only now: a block whose storing failed is tried again and must not meet itself.
        self._recent.remember(keys)
        observed = {source: count - duplicate.get(source, 0) for source, count in result.observed.items()}
        self.ledger.add(observed, duplicate, result.rejected)
        return int(batch.num_rows)
