"""Automation rules: what happens by itself, tried before it does, explained after it did.

Everybody who may look sees rules and runs. Analysts simulate. Responders run a rule by hand, as they start playbooks,
and switch one off: whoever is on duty at night has to be able to stop what goes wrong. Only admins make, change, order
and enable rules, because a rule acts on everything, with nobody looking.
"""

from __future__ import annotations

from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import (
    Admin,
    Analyst,
    Cursor,
    IfMatch,
    Limit,
    Part,
    Services,
    answer,
    page,
    requires,
    revision_of,
    whole,
)
from gatewatch.errors import InputError
from gatewatch.formats.automation_records import rule_record, run_record
from gatewatch.model.automation import About, AutomationRule, RunOutcome
from gatewatch.ports.automation import RunFilter
from gatewatch.ports.control import Role, Token
from gatewatch.respond.imports import RuleFormat, imported
from gatewatch.respond.rule_text import text_of
from gatewatch.services.automation import RuleView, Simulation

__all__ = ["router"]

router = APIRouter(tags=["automation"])
Responder = Annotated[Token, Depends(requires(Role.RESPONDER))]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,63}$")]
Days = Annotated[float, Query(gt=0, le=365, description="How far back to look when no subject is named.")]
RuleBody = Annotated[dict[str, Any], Body(description="A rule as in docs/reference/automation.md, without its name.")]
_viewer = [Depends(requires(Role.VIEWER))]


class SubjectWish(BaseModel):
    """One incident, alert or finding."""

    model_config = ConfigDict(extra="forbid")

    kind: About
    id: str = Field(min_length=1, max_length=64)


class Trial(BaseModel):
    """A rule that need not be kept, on a subject or on the last days."""

    model_config = ConfigDict(extra="forbid")

    rule: dict[str, Any]
    subject: SubjectWish | None = None


class Names(BaseModel):
    """All rules, first to last."""

    names: list[str] = Field(max_length=1000)


class Given(BaseModel):
    """Rules in one of the formats that can be read."""

    model_config = ConfigDict(extra="forbid")

    format: RuleFormat = RuleFormat.GATEWATCH
    document: Any = Field(description="A list of rules with their names, or an export of Sentinel's rules.")
    enabled: bool | None = Field(default=None, description="Enable or disable all of them; left out: as they say.")
    dry_run: bool = Field(default=False, description="Only answer what they become.")


def _record(view: RuleView) -> dict[str, Any]:
    known = view.known
    return rule_record(
        known.rule,
        text_of(known.rule),
        state=view.state.value,
        matched=known.matched,
        matched_at=known.matched_at,
        next_at=view.next_at,
        warnings=[one.told() for one in view.warnings],
    )


def _one(request: Request, view: RuleView) -> Response:
    return answer(request, _record(view), tag=str(view.known.rule.revision))


def _simulation(request: Request, services: Services, rule: AutomationRule, found: Simulation) -> Response:
    warnings = [one.told() for one in services.automation.rulebook.warnings([rule])[0]]
    counted = {name: getattr(found, name) for name in ("looked_at", "matched", "failed", "actions", "bounded", "note")}
    return answer(request, {**counted, "warnings": warnings, "runs": [run_record(run) for run in found.first]})


@router.get("/v1/automation-rules", dependencies=_viewer)
def rules(request: Request, services: Services, part: Part) -> Response:
    """All rules, at most a thousand, in the order in which they run."""
    return whole(request, [_record(view) for view in services.automation.rulebook.rules()], part)


@router.get("/v1/automation-rules:export", dependencies=_viewer)
def export(services: Services) -> Response:
    """All rules as one YAML file that `automation-rules apply` takes."""
    texts = [text_of(view.known.rule) for view in services.automation.rulebook.rules()]
    data = yaml.safe_dump_all(texts, sort_keys=False, allow_unicode=True, explicit_start=True)
    return Response(data, media_type="application/yaml")


@router.post("/v1/automation-rules:import")
def put_all(request: Request, services: Services, token: Admin, wanted: Given) -> Response:
    """Make or change many rules, all or none; every mistake is told at once."""
    found = imported(wanted.format, wanted.document)
    if wanted.enabled is not None:
        found = {name: {**text, "enabled": wanted.enabled} for name, text in found.items()}
    book = services.automation.rulebook
    if wanted.dry_run:
        texts = [text_of(book.read(name, text, by=token.name)) for name, text in found.items()]
        return page(request, texts, "")
    return page(request, [_record(view) for view in book.put_all(found, by=token.name)], "")


@router.post("/v1/automation-rules:order")
def reorder(request: Request, services: Services, token: Admin, wanted: Names) -> Response:
    """Put all rules in this order."""
    views = services.automation.rulebook.reorder(wanted.names, by=token.name)
    return page(request, [_record(view) for view in views], "")


@router.post("/v1/automation-rules:simulate")
def try_out(request: Request, services: Services, token: Analyst, wanted: Trial, days: Days = 7) -> Response:
    """What a rule that is not kept would do; nothing is changed."""
    name = str(wanted.rule.get("name", "trial"))
    rule = services.automation.rulebook.read(name, wanted.rule, by=token.name)
    simulating, subject = services.automation.simulating, wanted.subject
    found = simulating.on(rule, subject.kind, subject.id) if subject else simulating.past(rule, days)
    return _simulation(request, services, rule, found)


@router.get("/v1/automation-rules/{name}", dependencies=_viewer)
def rule(request: Request, services: Services, name: Name) -> Response:
    """One rule; its ETag is its revision."""
    return _one(request, services.automation.rulebook.rule(name))


@router.put("/v1/automation-rules/{name}")
def put(
    request: Request, services: Services, token: Admin, name: Name, wanted: RuleBody, if_match: IfMatch = None
) -> Response:
    """Make or change a rule; it hears of what happens from now on."""
    if wanted.get("name", name) != name:
        raise InputError(f"the rule says it is {wanted['name']!r}, the address {name!r}")
    book = services.automation.rulebook
    return _one(request, book.put(name, wanted, by=token.name, revision=revision_of(if_match)))


@router.delete("/v1/automation-rules/{name}", status_code=204)
def delete(services: Services, token: Admin, name: Name, if_match: IfMatch = None) -> Response:
    """Remove a rule; its runs stay."""
    services.automation.rulebook.delete(name, by=token.name, revision=revision_of(if_match))
    return Response(status_code=204)


@router.post("/v1/automation-rules/{name}:enable")
def enable(request: Request, services: Services, token: Admin, name: Name, if_match: IfMatch = None) -> Response:
    """Switch it on."""
    book = services.automation.rulebook
    return _one(request, book.switch(name, enabled=True, by=token.name, revision=revision_of(if_match)))


@router.post("/v1/automation-rules/{name}:disable")
def disable(request: Request, services: Services, token: Responder, name: Name, if_match: IfMatch = None) -> Response:
    """Switch it off at once."""
    book = services.automation.rulebook
    return _one(request, book.switch(name, enabled=False, by=token.name, revision=revision_of(if_match)))


@router.post("/v1/automation-rules/{name}:simulate", dependencies=[Depends(requires(Role.ANALYST))])
def simulate(
    request: Request,
    services: Services,
    name: Name,
    subject: Annotated[SubjectWish | None, Body()] = None,
    days: Days = 7,
) -> Response:
    """What a kept rule would do, on a subject or on the last days; nothing is changed."""
    simulating, known = services.automation.simulating, services.automation.rulebook.rule(name).known.rule
    found = simulating.on(known, subject.kind, subject.id) if subject else simulating.past(known, days)
    return _simulation(request, services, known, found)


@router.post("/v1/automation-rules/{name}:run")
def run(request: Request, services: Services, token: Responder, name: Name, subject: SubjectWish) -> Response:
    """Run a rule on one subject now; its conditions count, its trigger does not."""
    found = services.automation.run_by_hand(name, subject.kind, subject.id, by=token.name)
    return answer(request, run_record(found))


@router.get("/v1/automation-rules/{name}/runs", dependencies=_viewer)
def runs_of(
    request: Request,
    services: Services,
    name: Name,
    outcome: Annotated[list[RunOutcome] | None, Query()] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Runs of one rule, newest first, each explained. Those of a rule that was removed are still here."""
    where = RunFilter(rule=name, outcome=tuple(outcome or ()))
    items, following = services.automation.store.runs(where, cursor=cursor, limit=limit)
    return page(request, [run_record(item) for item in items], following)


@router.get("/v1/automation-runs", dependencies=_viewer)
def runs(
    request: Request,
    services: Services,
    kind: Annotated[About | None, Query(description="Runs on incidents, alerts, findings or nothing.")] = None,
    subject: Annotated[str, Query(max_length=64, description="Id of the incident, alert or finding.")] = "",
    outcome: Annotated[list[RunOutcome] | None, Query()] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Runs of all rules, newest first, each explained."""
    where = RunFilter(about=kind, subject=subject, outcome=tuple(outcome or ()))
    items, following = services.automation.store.runs(where, cursor=cursor, limit=limit)
    return page(request, [run_record(item) for item in items], following)


@router.get("/v1/automation-runs/{run_id}", dependencies=_viewer)
def one_run(request: Request, services: Services, run_id: str) -> Response:
    """One run."""
    return answer(request, run_record(services.automation.store.run(run_id)))
