"""Playbooks, runs and questions as plain records for REST and the command line."""

from __future__ import annotations

from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.run import Answer, PlaybookVersion, Question, Run, StepRecord

__all__ = ["answer_record", "playbook_record", "question_record", "run_record", "step_record", "version_record"]


def _moment(ts: float | None) -> str | None:
    return None if ts is None else rfc3339(ts)


def version_record(version: PlaybookVersion) -> Record:
    """One version without its text."""
    return {
        "version": version.version,
        "digest": version.digest,
        "enabled": version.enabled,
        "staging": version.staging,
        "built_in": version.built_in,
        "created_at": rfc3339(version.created_at),
        "created_by": version.created_by,
        "promoted_at": _moment(version.promoted_at),
        "promoted_by": version.promoted_by or None,
    }


def playbook_record(version: PlaybookVersion) -> Record:
    """A playbook as lists show it: by its version that is on, or the newest."""
    return {
        "name": version.name,
        "title": version.title,
        "description": version.description,
        "subject": version.subject,
        **version_record(version),
    }


def run_record(run: Run) -> Record:
    """Body of `GET /v1/runs/{id}`, without the steps."""
    return {
        "id": run.id,
        "playbook": run.playbook,
        "version": run.version,
        "subject": {"kind": run.subject_kind, "id": run.subject_id},
        "incident": run.incident or None,
        "by": run.by,
        "reason": run.reason,
        "inputs": run.inputs,
        "state": run.state.value,
        "over": run.state.over,
        "staged": run.staged,
        "at": run.at or None,
        "error": run.error or None,
        "coalesced": run.coalesced,
        "cancelled_by": run.cancel or None,
        "created_at": rfc3339(run.created_at),
        "started_at": _moment(run.started_at),
        "ended_at": _moment(run.ended_at),
    }


def step_record(step: StepRecord) -> Record:
    """One attempt at one step."""
    return {
        "path": step.path,
        "attempt": step.attempt,
        "kind": step.kind,
        "state": step.state.value,
        "key": step.key or None,
        "inputs": step.inputs,
        "values": step.values,
        "link": step.link or None,
        "error": step.error or None,
        "note": step.note or None,
        "started_at": rfc3339(step.started_at),
        "ended_at": _moment(step.ended_at),
    }


def question_record(question: Question) -> Record:
    """One question; `digest` goes with the answer, so that it binds to the plan that was read."""
    return {
        "id": question.id,
        "run": question.run,
        "path": question.path,
        "playbook": question.playbook,
        "incident": question.incident or None,
        "kind": question.kind.value,
        "text": question.text,
        "options": list(question.options),
        "default": question.default,
        "plan": list(question.plan),
        "digest": question.digest,
        "approvers": question.approvers,
        "four_eyes": question.four_eyes,
        "role": question.role,
        "asked_by": question.asked_by,
        "created_at": rfc3339(question.created_at),
        "expires_at": rfc3339(question.expires_at),
        "open": question.settled_at is None,
        "settled_at": _moment(question.settled_at),
        "settled": question.settled or None,
    }


def answer_record(answer: Answer) -> Record:
    """One answer with its signature."""
    return {
        "choice": answer.choice,
        "by": answer.by,
        "kind": answer.kind.value,
        "note": answer.note,
        "digest": answer.digest,
        "at": rfc3339(answer.at),
        "key_id": answer.key_id,
        "signature": answer.signature,
    }
