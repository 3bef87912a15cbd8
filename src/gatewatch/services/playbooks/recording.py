"""What run history keeps of inputs and answers: bounded, and without links that carry tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gatewatch.model.action import ActionResult, Outcome
from gatewatch.model.run import StepRecord, StepState

__all__ = ["bounded", "ended", "result_of"]

_MOST_TEXT, _MOST_ITEMS, _MOST_DEPTH = 2000, 100, 8
_STATES = {
    Outcome.SUCCEEDED: StepState.SUCCEEDED,
    Outcome.FAILED: StepState.FAILED,
    Outcome.UNKNOWN: StepState.UNKNOWN,
}
_OUTCOMES = {state: outcome for outcome, state in _STATES.items()}


def bounded(value: Any, depth: int = 0) -> Any:
    """The same value, cut where it is long."""
    if isinstance(value, str):
        return value if len(value) <= _MOST_TEXT else value[:_MOST_TEXT] + "…"
    if depth >= _MOST_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): bounded(inside, depth + 1) for key, inside in list(value.items())[:_MOST_ITEMS]}
    if isinstance(value, list | tuple):
        return [bounded(inside, depth + 1) for inside in value[:_MOST_ITEMS]]
    return value


def ended(record: StepRecord, result: ActionResult, at: float) -> StepRecord:
    """An attempt with what came of it."""
    return msgspec.structs.replace(
        record,
        state=_STATES[result.outcome],
        values=bounded(result.values),
        link=result.link[:_MOST_TEXT],
        error=result.error[:_MOST_TEXT],
        again=result.again,
        ended_at=at,
    )


def result_of(record: StepRecord) -> ActionResult:
    """What came of an attempt that has ended."""
    return ActionResult(
        outcome=_OUTCOMES[record.state],
        values=record.values,
        link=record.link,
        error=record.error,
        again=record.again,
    )
