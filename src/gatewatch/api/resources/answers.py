"""Answers by link: a page that decides nothing by being opened, and the two calls that it makes.

Whoever holds the one-time token may answer, so these routes ask for no API token. The token is behind the `#` of the
link, which no proxy, log or mail scanner sees, and comes in the body of a POST.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from gatewatch.api.context import Services, answer
from gatewatch.formats.run_records import question_record
from gatewatch.services.throttling import Allowance

__all__ = ["PAGE_POLICY", "router"]

router = APIRouter(tags=["answers"])
_ALLOWED = (Allowance(30, 60.0), Allowance(300, 3600.0))
"""Per address: a person with a handful of questions needs two requests each. Tokens have 256 random bits, so this
protects the control store, not the tokens.
"""
_PAGE = files("gatewatch.api").joinpath("pages", "answer.html").read_text(encoding="utf-8")


def _hashes(tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", _PAGE, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in found)


PAGE_POLICY = (
    f"default-src 'none'; script-src {_hashes('script')}; style-src {_hashes('style')}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Exactly the page's own script and style, and calls to nobody but this server."""


class LinkToken(BaseModel):
    """What a link carries."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=256)


class LinkAnswer(LinkToken):
    """The answer is the option that the link was made for."""

    note: str = Field(default="", max_length=2000)


def _guarded(request: Request, services: Services) -> None:
    """JSON only, which no form of another site can send; and not too often."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send application/json")
    services.playbooks.link_throttle.take(request.client.host if request.client else "", _ALLOWED)


Guarded = Annotated[None, Depends(_guarded)]


@router.get("/v1/answers", summary="The page behind answer links")
def page() -> Response:
    """The same for everybody: it reads the token from the address and asks. Opening it decides nothing."""
    return Response(_PAGE, media_type="text/html", headers={"content-security-policy": PAGE_POLICY})


@router.post("/v1/answers/seen", summary="What a link would answer")
def seen(request: Request, services: Services, guarded: Guarded, wanted: LinkToken) -> Response:
    """Question, plan and option. 404 for whatever answers nothing, used or never made."""
    del guarded
    question, link = services.playbooks.answering.seen(wanted.token)
    body = {"question": question_record(question), "option": link.option, "recipient": link.recipient}
    return answer(request, body)


@router.post("/v1/answers", summary="Answer by link, once")
def reply(request: Request, services: Services, guarded: Guarded, wanted: LinkAnswer) -> Response:
    """409 for a question that is closed; 404 as `seen`."""
    del guarded
    _, link = services.playbooks.answering.seen(wanted.token)
    found = services.playbooks.answering.answer_by_link(wanted.token, note=wanted.note)
    return answer(request, {"choice": link.option, "question": question_record(found)})
