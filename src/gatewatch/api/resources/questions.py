"""Questions that runs put to people, and their answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Analyst, Cursor, Limit, Services, answer, page, requires
from gatewatch.formats.run_records import answer_record, question_record
from gatewatch.ports.control import Role
from gatewatch.ports.runs import QuestionFilter

__all__ = ["router"]

router = APIRouter(tags=["questions"])
_viewer = [Depends(requires(Role.VIEWER))]


class Choice(BaseModel):
    """An answer; it can't be taken back."""

    model_config = ConfigDict(extra="forbid")

    choice: str = Field(min_length=1, max_length=60)
    digest: str = Field(max_length=64, description="Of the question as it was read: another plan is refused.")
    note: str = Field(default="", max_length=2000)


@router.get("/v1/questions", dependencies=_viewer)
def questions(
    request: Request,
    services: Services,
    is_open: Annotated[bool | None, Query(alias="open", description="Left out: all.")] = None,
    incident: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    run: str = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Newest first."""
    where = QuestionFilter(open=is_open, incident=incident, run=run)
    items, following = services.playbooks.answering.questions(where, cursor=cursor, limit=limit)
    return page(request, [question_record(one) for one in items], following)


@router.get("/v1/questions/{question_id}", dependencies=_viewer)
def question(request: Request, services: Services, question_id: str) -> Response:
    """One question with its plan, its answers and their signatures."""
    found, answers = services.playbooks.answering.question(question_id)
    return answer(request, {**question_record(found), "answers": [answer_record(one) for one in answers]})


@router.post("/v1/questions/{question_id}/answers", status_code=201)
def reply(request: Request, services: Services, token: Analyst, question_id: str, wanted: Choice) -> Response:
    """Answer; a question may need more than analyst. 409 for another plan, a closed question or a second answer."""
    found = services.playbooks.answering.answer(
        question_id, wanted.choice, token=token, digest=wanted.digest, note=wanted.note
    )
    return answer(request, question_record(found), status=201)
