"""What runs in a worker process: records in, columns and counts out. Payload never leaves it."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from gatewatch.model.observation import NO_PATH, Observation
from gatewatch.model.path import PathSighting, TemplateReason
from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Transaction
from gatewatch.observe.columns import to_arrow
from gatewatch.observe.observer import BATCH, Observer
from gatewatch.observe.templates import TemplateSet
from gatewatch.ports.journal import DeadLetter, JournalRecord
from gatewatch.ports.wire import Origin, WireFormat
from gatewatch.services.observing.blocks import BlockResult, BlockTask, Place, encoded
from gatewatch.telemetry.threads import fault_of

__all__ = ["BlockObserver", "sightings"]

_MAX_SHAPES = 4
_MAX_CLIENTS = 64
_VERSIONS = 2


class BlockObserver:
    """Decodes and observes blocks."""

    def __init__(self, formats: Mapping[str, WireFormat], observer: Observer) -> None:
        """`formats` by id."""
        self._formats, self._observer = formats, observer
        self._templates: dict[str, TemplateSet] = {}

    def run(self, task: BlockTask) -> BlockResult:
        """Observe one block; one bad transaction never costs another."""
        templates = self._load(task.templates)
        result = BlockResult(
            block=task.block,
            token=task.token,
            columns=b"",
            sightings=[],
            letters=[],
            observed={},
            rejected={},
            faults=[],
        )
        observations: list[Observation] = []
        for place in task.places:
            self._record(place, templates, observations, result)
        batch = to_arrow(observations, block=task.block)
        result.columns = encoded(batch)
        result.sightings = sightings(observations)
        return result

    def _load(self, file: str) -> TemplateSet:
        known = self._templates.get(file)
        if known is None:
            # Blocks in flight know this version and the one before it; older ones don't come back.
            while len(self._templates) >= _VERSIONS:
                del self._templates[next(iter(self._templates))]
            # Written by our own main process into our own directory.
            known = self._templates[file] = pickle.loads(Path(file).read_bytes())  # noqa: S301
        return known

    def _record(self, place: Place, templates: TemplateSet, into: list[Observation], result: BlockResult) -> None:
        record = place.record
        origin = Origin(
            source=record.source,
            position=record.position or f"j{place.offset}",
            first_line=record.first_line,
            received_at=record.received_at,
        )
        seen = good = 0
        items = iter(self._decoded(record, origin, result))
        while batch := list(islice(items, BATCH)):
            seen += len(batch)
            good += self._observe(batch, record, templates, into, result)
        for _ in range(record.count - seen):
            missing = Rejection(reason=RejectionReason.FAULT, detail="the format lost it", line=record.first_line)
            self._refuse(missing, record, result)
        if good:
            result.observed[record.source] = result.observed.get(record.source, 0) + good

    def _observe(
        self,
        batch: Sequence[Transaction | Rejection],
        record: JournalRecord,
        templates: TemplateSet,
        into: list[Observation],
        result: BlockResult,
    ) -> int:
        """How many were observed."""
        transactions = [item for item in batch if not isinstance(item, Rejection)]
        for item in batch:
            if isinstance(item, Rejection):
                self._refuse(item, record, result)
        before = len(into)
        self._carefully(transactions, record, templates, into, result)
        return len(into) - before

    def _carefully(
        self,
        transactions: Sequence[Transaction],
        record: JournalRecord,
        templates: TemplateSet,
        into: list[Observation],
        result: BlockResult,
    ) -> None:
        """A transaction that makes us fail is found by halving and refused alone."""
        try:
            into += self._observer.observe_all(transactions, record.source, templates)
        except Exception as error:  # noqa: BLE001 - supervision point: one transaction, its fault is recorded
            if len(transactions) == 1:
                detail = _fault(error, result)
                refusal = Rejection(reason=RejectionReason.FAULT, detail=detail, line=record.first_line)
                self._refuse(refusal, record, result)
                return
            middle = len(transactions) // 2
            for half in (transactions[:middle], transactions[middle:]):
                self._carefully(half, record, templates, into, result)

    def _decoded(self, record: JournalRecord, origin: Origin, result: BlockResult) -> Iterable[Transaction | Rejection]:
        format_ = self._formats.get(record.format)
        if format_ is None:
            detail = f"no format `{record.format}` in this version"
            yield Rejection(reason=RejectionReason.MALFORMED, detail=detail, line=record.first_line, raw=record.payload)
            return
        try:
            yield from format_.decode(record.payload, origin)
        except Exception as error:  # noqa: BLE001 - supervision point: one record of one format, its fault is recorded
            detail = _fault(error, result)
            yield Rejection(reason=RejectionReason.FAULT, detail=detail, line=record.first_line, raw=record.payload)

    def _refuse(self, refusal: Rejection, record: JournalRecord, result: BlockResult) -> None:
        reasons = result.rejected.setdefault(record.source, {})
        reasons[refusal.reason.value] = reasons.get(refusal.reason.value, 0) + 1
        result.letters.append(
            DeadLetter(
                id=f"{result.token}-{len(result.letters):06d}",
                source=record.source,
                format=record.format,
                received_at=record.received_at,
                rejection=refusal,
            )
        )


def _fault(error: Exception, result: BlockResult) -> str:
    text = fault_of(error)
    result.faults.append(text)
    return text


def sightings(observations: Iterable[Observation]) -> list[PathSighting]:
    """What a block says about each path."""
    paths: dict[int, list[Observation]] = {}
    for observation in observations:
        if observation.path_id != NO_PATH:
            paths.setdefault(observation.path_id, []).append(observation)
    return [_sighting(group) for group in paths.values()]


def _sighting(group: list[Observation]) -> PathSighting:
    first = group[0]
    statuses: dict[int, int] = {}
    shapes: set[int] = set()
    clients: set[str] = set()
    for item in group:
        statuses[item.status] = statuses.get(item.status, 0) + 1
        if item.response_shape and 200 <= item.status < 300 and len(shapes) < _MAX_SHAPES:
            shapes.add(item.response_shape)
        if len(clients) < _MAX_CLIENTS:
            clients.add(item.client_ip)
    return PathSighting(
        path_id=first.path_id,
        method=first.method,
        host=first.host,
        template=first.template,
        operation=first.operation,
        reason=TemplateReason(first.template_reason),
        calls=len(group),
        calls_by_status=statuses,
        response_shapes=tuple(sorted(shapes)),
        clients=len(clients),
        first_seen=min(item.ts for item in group),
        last_seen=max(item.ts for item in group),
    )
