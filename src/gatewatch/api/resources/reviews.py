"""What follows an incident: its review, its document, its evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Analyst, IfMatch, Services, answer, requires, revision_of, seconds
from gatewatch.api.resources.suppressions import SuppressionChange
from gatewatch.formats.evidence import fingerprint, public_pem
from gatewatch.formats.review_records import review_record
from gatewatch.model.review import Decision, FollowUp, ProposalKind, Review, content_digest
from gatewatch.model.suppression import Condition, Suppression
from gatewatch.ports.control import Role, Token
from gatewatch.services.reviewing import ProposalChange, ReviewChange
from gatewatch.services.reviewing.papers import PaperFormat

__all__ = ["router"]

router = APIRouter(tags=["reviews"])
Viewer = Annotated[Token, Depends(requires(Role.VIEWER))]
Responder = Annotated[Token, Depends(requires(Role.RESPONDER))]
Zone = Annotated[str, Query(max_length=64, description="IANA time zone shown beside UTC, `Europe/Berlin`.")]
Line = Annotated[str, Field(max_length=2000)]
_MEDIA = {
    PaperFormat.MARKDOWN: "text/markdown; charset=utf-8",
    PaperFormat.HTML: "text/html; charset=utf-8",
    PaperFormat.PDF: "application/pdf",
}


class FollowUpChange(BaseModel):
    """Something to be done afterwards."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=64)
    title: str = Field(min_length=1, max_length=500)
    owner: str = Field(default="", max_length=256)
    due_at: datetime | None = None
    done: bool = False


class ProposalWish(BaseModel):
    """A change that somebody proposes or decides on; its evidence is measured by the server."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=64)
    kind: ProposalKind
    subject: str = Field(min_length=1, max_length=128, description="Detector, rule or recommendation.")
    text: str = Field(min_length=1, max_length=2000)
    settings: dict[str, float | int | bool | str] = Field(default_factory=dict, max_length=20)
    suppression: SuppressionChange | None = None
    decision: Decision = Decision.OPEN


class ReviewText(BaseModel):
    """What a person says; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    root_cause: str | None = Field(default=None, max_length=30_000)
    impact: str | None = Field(default=None, max_length=30_000)
    contributing_factors: list[Line] | None = Field(default=None, max_length=100)
    worked: list[Line] | None = Field(default=None, max_length=100)
    failed: list[Line] | None = Field(default=None, max_length=100)
    follow_ups: list[FollowUpChange] | None = Field(default=None, max_length=100)
    proposals: list[ProposalWish] | None = Field(default=None, max_length=20)


def _shown(review: Review) -> Response:
    """With its revision as ETag, and never 304: facts are computed anew while the revision stands."""
    data = msgspec.json.encode(review_record(review, content_digest(review)))
    headers = {"etag": f'"{review.revision}"', "cache-control": "no-store, private"}
    return Response(data, media_type="application/json", headers=headers)


def _file(data: bytes, media: str, name: str) -> Response:
    return Response(data, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/v1/incidents/{incident_id}/review", dependencies=[Depends(requires(Role.VIEWER))])
def review(services: Services, incident_id: int) -> Response:
    """The review; revision 0 is one that nobody has kept. `facts` are computed now, or when it was signed."""
    return _shown(services.review_desk.reviews.get(incident_id))


@router.put("/v1/incidents/{incident_id}/review")
def put_review(
    services: Services,
    token: Analyst,
    incident_id: int,
    wanted: ReviewText,
    if_match: IfMatch = None,
) -> Response:
    """Write it. A signature falls off; proposals that are new or different are measured, which takes seconds."""
    now = services.clock.now()
    change = ReviewChange(
        root_cause=wanted.root_cause,
        impact=wanted.impact,
        contributing_factors=_lines(wanted.contributing_factors),
        worked=_lines(wanted.worked),
        failed=_lines(wanted.failed),
        follow_ups=None if wanted.follow_ups is None else tuple(_follow_up(one, now) for one in wanted.follow_ups),
        proposals=None
        if wanted.proposals is None
        else tuple(_proposal(one, token.name, now) for one in wanted.proposals),
    )
    return _shown(services.review_desk.reviews.put(incident_id, change, by=token.name, revision=revision_of(if_match)))


@router.post("/v1/incidents/{incident_id}/review/draft")
def draft(services: Services, token: Analyst, incident_id: int) -> Response:
    """Proposals by rule with their evidence, follow-ups from tasks and findings; what people wrote stays."""
    return _shown(services.review_desk.reviews.draft(incident_id, by=token.name))


@router.post("/v1/incidents/{incident_id}/review/sign-off")
def sign_off(services: Services, token: Responder, incident_id: int, if_match: IfMatch = None) -> Response:
    """Take responsibility for it as it is; refused while questions are open."""
    return _shown(services.review_desk.reviews.sign_off(incident_id, by=token.name, revision=revision_of(if_match)))


@router.get("/v1/incidents/{incident_id}/review/document")
def document(
    services: Services,
    token: Viewer,
    incident_id: int,
    kind: Annotated[PaperFormat, Query(alias="format")] = PaperFormat.PDF,
    timezone: Zone = "UTC",
) -> Response:
    """The review as a document."""
    data = services.review_desk.papers.document(incident_id, kind, zone=timezone, by=token.name)
    return _file(data, _MEDIA[kind], f"incident-{incident_id}-review.{kind.value}")


@router.get("/v1/incidents/{incident_id}/evidence")
def evidence(services: Services, token: Analyst, incident_id: int, timezone: Zone = "UTC") -> Response:
    """The signed evidence bundle, a zip; who takes it is in the audit log with its SHA-256."""
    data = services.review_desk.evidence.bundle(incident_id, zone=timezone, by=token.name)
    return _file(data, "application/zip", f"incident-{incident_id}-evidence.zip")


@router.get("/v1/signing-key", dependencies=[Depends(requires(Role.VIEWER))])
def signing_key(request: Request, services: Services) -> Response:
    """The public key that evidence bundles of this installation are signed with."""
    public = services.review_desk.signer.public_key
    return answer(
        request,
        {"algorithm": "Ed25519", "fingerprint": fingerprint(public), "public_key": public_pem(public).decode()},
    )


def _lines(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


def _follow_up(one: FollowUpChange, now: float) -> FollowUp:
    return FollowUp(
        id=one.id,
        title=one.title.strip(),
        owner=one.owner.strip(),
        due_at=seconds(one.due_at),
        done=one.done,
        done_at=now if one.done else None,
    )


def _proposal(one: ProposalWish, by: str, now: float) -> ProposalChange:
    rule = one.suppression
    return ProposalChange(
        id=one.id,
        kind=one.kind,
        subject=one.subject,
        text=one.text.strip(),
        settings=one.settings,
        suppression=None
        if rule is None
        else Suppression(
            name=one.subject[:50],
            alert_type=rule.alert_type,
            conditions=tuple(Condition(field=each.field, values=tuple(each.values)) for each in rule.conditions),
            reason=rule.reason,
            comment=rule.comment,
            enabled=rule.enabled,
            expires_at=seconds(rule.expires_at),
            created_at=now,
            created_by=by,
        ),
        decision=one.decision,
    )
