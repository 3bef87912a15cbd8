"""The evidence bundle of an incident: what alerts name is fetched, everything signed, and the export logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from gatewatch.formats.evidence import bundle
from gatewatch.formats.review import Moments
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import EvidenceItem
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.signing import Signer
from gatewatch.ports.traffic import TrafficStore
from gatewatch.services.reviewing.papers import Papers

__all__ = ["Evidence"]

_BATCH = 1000
"""Ids of one query."""


class _Line(msgspec.Struct, frozen=True):
    """What is read of a line."""

    id: str


class Evidence:
    """Makes bundles."""

    def __init__(
        self, papers: Papers, traffic: TrafficStore, cases: CaseStore, signer: Signer, now: Callable[[], float]
    ) -> None:
        """`now` in Unix seconds."""
        self._papers, self._traffic, self._cases = papers, traffic, cases
        self._signer, self._now = signer, now

    def bundle(self, incident_id: int, *, zone: str, by: str) -> bytes:
        """A zip. The audit log keeps who took it and its SHA-256. Raises NotFoundError, InputError."""
        moments = Moments(zone)
        case = self._papers.case_file(incident_id, by=by)
        items = {item.observation_id: item for alert in case.alerts for item in alert.evidence}
        observations = self._observations(sorted(items.values(), key=lambda item: (item.ts, item.observation_id)))
        found = {msgspec.json.decode(line, type=_Line).id for line in observations.splitlines()}
        data = bundle(
            case,
            observations,
            items.keys() - found,
            moments=moments,
            public_key=self._signer.public_key,
            sign=self._signer.sign,
        )
        self._note(incident_id, sha256(data).hexdigest(), by)
        return data

    def _observations(self, items: Sequence[EvidenceItem]) -> bytes:
        parts = []
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            ids = [item.observation_id for item in batch]
            parts.append(self._traffic.chosen_observation_lines(ids, since=batch[0].ts - 1, until=batch[-1].ts + 1))
        return b"".join(parts)

    def _note(self, incident_id: int, digest: str, by: str) -> None:
        at = self._now()
        entry = Activity(
            at=at,
            origin=Origin.PERSON,
            by=by,
            subject=Subject.INCIDENT,
            subject_id=str(incident_id),
            incident=incident_id,
            action="evidence_exported",
            text=f"Evidence bundle with SHA-256 {digest}.",
            details={"sha256": digest},
        )
        with self._cases.unit(at) as unit:
            unit.record([entry])
