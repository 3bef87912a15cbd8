"""Playbooks: versions of a text, checked as a whole, one of them on."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from gatewatch.api.context import Admin, Analyst, Part, Services, answer, requires, whole
from gatewatch.errors import InputError
from gatewatch.formats.run_records import playbook_record, version_record
from gatewatch.ports.control import Role
from gatewatch.respond.playbooks.document import json_schema

__all__ = ["Name", "router"]

router = APIRouter(tags=["playbooks"])
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
_RESERVED = ("schema",)
"""Names that the paths below need."""
_YAML = "application/yaml"
_TEXTS = (_YAML, "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _YAML: {"schema": {"type": "string"}},
            "application/json": {
                "schema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
            },
        },
    }
}
_viewer = [Depends(requires(Role.VIEWER))]


class Which(BaseModel):
    """Of which version."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(default=0, ge=0, description="0: the one that is on, else the newest.")


class _Text(msgspec.Struct):
    text: str


async def _text(request: Request) -> str:
    """The playbook, as YAML or as JSON with a member `text`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    try:
        if kind == "application/json":
            return msgspec.json.decode(body, type=_Text).text
        if kind in _TEXTS:
            return body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError("the body holds no text", cure='Send the YAML, or {"text": "…"}.') from error
    raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {_YAML}, or application/json with a member text")


Text = Annotated[str, Depends(_text)]


def _shown(services: Services, name: str) -> dict[str, Any]:
    chosen = services.playbooks.library.version(name)
    versions = services.playbooks.library.versions(name)
    inputs = msgspec.to_builtins(
        {key: one.model_dump() for key, one in services.playbooks.library.document(name, chosen.version).inputs.items()}
    )
    return {
        **playbook_record(chosen),
        "text": chosen.text,
        "inputs": inputs,
        "versions": [version_record(one) for one in versions],
    }


@router.get("/v1/playbooks", dependencies=_viewer)
def playbooks(request: Request, services: Services, part: Part) -> Response:
    """All by name, each by its version that is on, or its newest."""
    return whole(request, [playbook_record(one) for one in services.playbooks.library.playbooks()], part)


@router.get("/v1/playbooks/schema", dependencies=_viewer)
def schema(request: Request) -> Response:
    """JSON Schema of a playbook file, for editors."""
    return answer(request, json_schema())


@router.post("/v1/playbooks/check", openapi_extra=_BODY)
def check(request: Request, services: Services, token: Analyst, text: Text) -> Response:
    """Whether a text could be saved; 422 with all `problems`, each with line, column, place and message."""
    del token  # nothing is kept
    found = services.playbooks.library.check(text)
    return answer(request, {"name": found.name, "title": found.title, "subject": found.subject, "problems": []})


@router.get("/v1/playbooks/{name}", dependencies=_viewer)
def playbook(request: Request, services: Services, name: Name) -> Response:
    """One with its text, its inputs and all its versions."""
    return answer(request, _shown(services, name))


@router.put("/v1/playbooks/{name}", openapi_extra=_BODY)
def save(request: Request, services: Services, token: Admin, name: Name, text: Text) -> Response:
    """A new version, off and in staging; the same text again changes nothing. 422 as `check`."""
    found = services.playbooks.library.check(text)
    if found.name != name:
        raise InputError(f"the text names the playbook {found.name}, the address {name}", cure="Use one name.")
    if name in _RESERVED:
        raise InputError(f"a playbook can't have the name {name}", cure="Choose another.")
    return answer(request, playbook_record(services.playbooks.library.save(text, by=token.name)))


@router.get("/v1/playbooks/{name}/versions", dependencies=_viewer)
def versions(request: Request, services: Services, name: Name, part: Part) -> Response:
    """All versions, newest first; none ever goes."""
    return whole(request, [version_record(one) for one in services.playbooks.library.versions(name)], part)


@router.get("/v1/playbooks/{name}/versions/{version}", dependencies=_viewer)
def text(services: Services, name: Name, version: Annotated[int, Path(ge=1, lt=2**31)]) -> Response:
    """The YAML of a version, as a file."""
    found = services.playbooks.library.version(name, version)
    headers = {"content-disposition": f'attachment; filename="{name}.v{version}.yaml"'}
    return Response(found.text, media_type=_YAML, headers=headers)


@router.post("/v1/playbooks/{name}/enable")
def enable(request: Request, services: Services, token: Admin, name: Name, wanted: Which | None = None) -> Response:
    """Rules and people may start this version from now on; 422 with `problems` when it does not fit here any more."""
    version = wanted.version if wanted else 0
    return answer(request, playbook_record(services.playbooks.library.enable(name, version, by=token.name)))


@router.post("/v1/playbooks/{name}/disable")
def disable(request: Request, services: Services, token: Admin, name: Name) -> Response:
    """Nobody can start it; runs under way go on."""
    return answer(request, playbook_record(services.playbooks.library.disable(name, by=token.name)))


@router.post("/v1/playbooks/{name}/promote")
def promote(request: Request, services: Services, token: Admin, name: Name, wanted: Which | None = None) -> Response:
    """From staging, where runs are simulations, to effect."""
    version = wanted.version if wanted else 0
    return answer(request, playbook_record(services.playbooks.library.promote(name, version, by=token.name)))


@router.post("/v1/playbooks/{name}/stage")
def stage(request: Request, services: Services, token: Admin, name: Name) -> Response:
    """Back to staging: runs that start from now on are simulations."""
    return answer(request, playbook_record(services.playbooks.library.stage(name, by=token.name)))
