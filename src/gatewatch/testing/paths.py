"""Calls as a learner meets them: matched against the current templates, summed up per path, learnt block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from gatewatch.model.path import PathRecord, PathSighting
from gatewatch.observe.templates import PathMatch, TemplateLearner, TemplateSet

__all__ = ["PathCall", "feed", "final_templates", "sightings"]


class PathCall(msgspec.Struct, frozen=True):
    """What template learning sees of one call."""

    path: str
    method: str = "GET"
    host: str = "api.example.com"
    status: int = 200
    shape: int = 0
    """Structure of the answer; 0 when it was not seen."""
    client: int = 1
    operation: str = ""
    hint: str | None = None


def _match(templates: TemplateSet, call: PathCall) -> PathMatch:
    return templates.match(
        call.method, call.host, call.path, operation=call.operation, status=call.status, hint=call.hint
    )


def sightings(calls: Sequence[PathCall], templates: TemplateSet) -> list[PathSighting]:
    """One block as a worker sums it up."""
    blocks: dict[int, tuple[PathMatch, list[PathCall]]] = {}
    for call in calls:
        match = _match(templates, call)
        if match.path_id:
            blocks.setdefault(match.path_id, (match, []))[1].append(call)
    return [
        PathSighting(
            path_id=path_id,
            method=block[0].method,
            host=block[0].host,
            template=match.template,
            operation=block[0].operation,
            reason=match.reason,
            calls=len(block),
            calls_by_status=dict(Counter(call.status for call in block)),
            response_shapes=tuple(sorted({call.shape for call in block if call.shape}))[:4],
            clients=len({call.client for call in block}),
            first_seen=0.0,
            last_seen=1.0,
        )
        for path_id, (match, block) in blocks.items()
    ]


def feed(learner: TemplateLearner, calls: Sequence[PathCall], *, block: int = 500) -> list[PathRecord]:
    """Learn calls in blocks, each matched with what was learnt before it; all records in order."""
    records: list[PathRecord] = []
    for first in range(0, len(calls), block):
        records += learner.learn(sightings(calls[first : first + block], learner.templates()))
    return records


def final_templates(learner: TemplateLearner) -> set[str]:
    """`METHOD template` of every endpoint."""
    return {f"{record.method} {record.template}" for record in learner.records() if record.endpoint_id}
