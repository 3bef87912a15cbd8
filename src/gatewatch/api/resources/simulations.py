"""What a playbook would do, with no way out of Gatewatch."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Analyst, Services, answer
from gatewatch.api.resources.playbooks import Name
from gatewatch.errors import InputError
from gatewatch.formats.run_records import step_record
from gatewatch.ports.playbooks import RunSubject, SubjectKind
from gatewatch.respond.playbooks.document import Playbook
from gatewatch.services.playbooks.simulating import SimulatedRun, Simulation

__all__ = ["SubjectOf", "router", "subject_of"]

router = APIRouter(tags=["playbooks"])
_MOST_DAYS = 365.0


class SubjectOf(BaseModel):
    """What a run is about."""

    model_config = ConfigDict(extra="forbid")

    kind: SubjectKind
    id: str | int = Field(default="", description="Of the incident, alert or finding.")


class SimulationWish(BaseModel):
    """On one subject, or on everything of the last days."""

    model_config = ConfigDict(extra="forbid")

    subject: SubjectOf | None = None
    days: Annotated[float, Field(gt=0, le=_MOST_DAYS)] | None = None
    when: str = Field(default="", max_length=4000, description="CEL: only subjects for which it holds.")
    inputs: dict[str, Any] = Field(default_factory=dict)
    choices: dict[str, str] = Field(
        default_factory=dict, description="Step path: what people would say. Else approve, or the default."
    )
    version: int = Field(default=0, ge=0, description="0: the one that is on, else the newest.")
    text: str | None = Field(default=None, description="A draft to simulate instead of what is kept.")


def subject_of(wanted: SubjectOf) -> RunSubject:
    """As the services know it."""
    return RunSubject(kind=wanted.kind, id=str(wanted.id))


def _document(services: Services, name: str, wanted: SimulationWish) -> Playbook:
    library = services.playbooks.library
    if wanted.text is not None:
        found = library.check(wanted.text)
        if found.name != name:
            raise InputError(f"the text names the playbook {found.name}, the address {name}", cure="Use one name.")
        return found
    return library.document(name, library.version(name, wanted.version).version)


def _run(run: SimulatedRun) -> dict[str, Any]:
    return {
        "subject": {"kind": run.subject.kind.value, "id": run.subject.id},
        "state": run.state.value,
        "error": run.error or None,
        "took_s": run.took_s,
        "steps": [step_record(step) for step in run.steps],
    }


def _simulation(found: Simulation) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(found, samples=()))
    return plain | {"samples": [_run(one) for one in found.samples]}


@router.post("/v1/playbooks/{name}/simulate")
def simulate(request: Request, services: Services, token: Analyst, name: Name, wanted: SimulationWish) -> Response:
    """With `subject` one run, step by step; with `days` what it adds up to, with samples."""
    del token  # nothing is done in anybody's name
    document = _document(services, name, wanted)
    if (wanted.subject is None) == (wanted.days is None):
        raise InputError("a simulation needs either `subject` or `days`")
    simulating = services.playbooks.simulating
    if wanted.subject is not None:
        run, world = simulating.one(document, subject_of(wanted.subject), wanted.inputs, wanted.choices)
        asked = [
            {
                "path": wish.path,
                "kind": wish.kind,
                "text": wish.text,
                "options": list(wish.options),
                "plan": list(wish.plan),
            }
            for _, wish in world.asked
        ]
        return answer(request, {"playbook": name, **_run(run), "questions": asked})
    found = simulating.last_days(document, wanted.days or 1.0, when=wanted.when, inputs=wanted.inputs)
    return answer(request, _simulation(found))
