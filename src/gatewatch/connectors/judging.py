"""What an answer, or its absence, says about a call."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from gatewatch.connectors.definition import Action, ReadBack, Result
from gatewatch.egress.errors import EgressError
from gatewatch.egress.redaction import Redaction
from gatewatch.errors import InputError
from gatewatch.ports.connectors import ActionResult, Outcome
from gatewatch.respond.conditions import evaluate

__all__ = ["Answer", "answered", "bounded", "found", "no_answer", "said_of"]

_MOST_TEXT, _MOST_ITEMS, _MOST_BYTES, _MOST_ERROR, _MOST_LINK = 4000, 500, 128 * 1024, 200, 1000
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""4xx that another time may go: surely without effect."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Of the other side."""

    host: str
    status: int
    headers: dict[str, str]
    content: bytes
    retry_after_s: float | None = None


def said_of(answer: Answer, context: Mapping[str, Any]) -> dict[str, Any]:
    """What expressions of results may name."""
    try:
        body = msgspec.json.decode(answer.content) if answer.content else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    return {**context, "status": answer.status, "headers": answer.headers, "body": body}


def no_answer(error: EgressError, *, changes: bool, repeatable: bool) -> ActionResult:
    """A call that nobody answered: without effect when it was not sent."""
    if not error.sent or not changes:
        return ActionResult(outcome=Outcome.FAILED, error=_told(error), again=not error.for_good)
    return ActionResult(outcome=Outcome.UNKNOWN, error=error.message, again=repeatable)


def answered(action: Action, answer: Answer, context: Mapping[str, Any], redaction: Redaction) -> ActionResult:
    """The outcome of a call by its answer."""
    said = said_of(answer, context)
    if answer.status not in action.success:
        return _refused(action, answer, said, redaction)
    try:
        if action.accepted and evaluate(action.accepted, said) is not True:
            why = _reason(action, said, redaction) or "it was not accepted"
            return ActionResult(outcome=Outcome.FAILED, error=f"{answer.host}: {why}")
        return _succeeded(action.result, said, redaction)
    except InputError:
        # What answers need not be the system at all: a proxy's page, say.
        return _not_understood(action, answer)


def found(read_back: ReadBack, answer: Answer, context: Mapping[str, Any], redaction: Redaction) -> ActionResult:
    """The outcome of an earlier call by what was looked up."""
    if answer.status in read_back.absent:
        return ActionResult(outcome=Outcome.FAILED, error="it had no effect", again=True)
    said = said_of(answer, context)
    unknown = ActionResult(outcome=Outcome.UNKNOWN, error=f"{answer.host} answered {answer.status} to the look-up")
    if answer.status != HTTPStatus.OK:
        return unknown
    try:
        there = evaluate(read_back.found, said)
        if there is True:
            return _succeeded(read_back.result, said, redaction)
    except InputError:
        return unknown
    return ActionResult(outcome=Outcome.FAILED, error="it had no effect", again=True) if there is False else unknown


def bounded(value: Any) -> Any:
    """Plain data that run history can keep."""
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    if isinstance(value, list | tuple):
        return [bounded(one) for one in value[:_MOST_ITEMS]]
    if isinstance(value, dict):
        return {str(name): bounded(one) for name, one in list(value.items())[:_MOST_ITEMS]}
    return value if isinstance(value, bool | int | float | None) else str(value)[:_MOST_TEXT]


def _succeeded(result: Result, said: Mapping[str, Any], redaction: Redaction) -> ActionResult:
    values = {name: evaluate(expression, said) for name, expression in result.values.items()}
    kept = bounded(redaction.value({name: value for name, value in values.items() if value is not None}))
    if len(msgspec.json.encode(kept)) > _MOST_BYTES:
        kept = {name: value for name, value in kept.items() if not isinstance(value, list | dict)}
    link = str(evaluate(result.link, said) or "") if result.link else ""
    link = redaction.text(link)[:_MOST_LINK] if link.startswith(("https://", "http://")) else ""
    return ActionResult(outcome=Outcome.SUCCEEDED, values=kept, link=link)


def _refused(action: Action, answer: Answer, said: Mapping[str, Any], redaction: Redaction) -> ActionResult:
    status, told = answer.status, f"{answer.host} answered {answer.status}"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ActionResult(outcome=Outcome.FAILED, error=f"{told}: redirects are not followed")
    if why := _reason(action, said, redaction):
        told = f"{told}: {why}"
    asked = answer.retry_after_s
    if status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None:
        return ActionResult(outcome=Outcome.FAILED, error=told, again=True, retry_after_s=asked)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ActionResult(outcome=Outcome.FAILED, error=told, again=status in _PASSING, retry_after_s=asked)
    if not action.changes:
        return ActionResult(outcome=Outcome.FAILED, error=told, again=True, retry_after_s=asked)
    return ActionResult(outcome=Outcome.UNKNOWN, error=told, again=_repeatable(action), retry_after_s=asked)


def _not_understood(action: Action, answer: Answer) -> ActionResult:
    told = f"{answer.host} answered {answer.status}, but not in the form that was expected"
    if not action.changes:
        return ActionResult(outcome=Outcome.FAILED, error=told)
    return ActionResult(outcome=Outcome.UNKNOWN, error=told, again=_repeatable(action))


def _repeatable(action: Action) -> bool:
    return not action.changes or (action.idempotency is not None and action.idempotency.repeatable)


def _reason(action: Action, said: Mapping[str, Any], redaction: Redaction) -> str:
    if not action.error:
        return ""
    try:
        why = evaluate(action.error, said)
    except InputError:
        return ""
    text = " ".join(redaction.text(why).split()) if isinstance(why, str) else ""
    return text[:_MOST_ERROR]


def _told(error: EgressError) -> str:
    return f"{error.message} ({error.cure})" if error.cure else error.message
