"""Flows that are called back: as triggers of Power Automate and Logic Apps subscribe, and in our own words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Analyst, Part, Services, answer, requires, tokened, whole
from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.activity import Subject
from gatewatch.ports.control import Role, Token
from gatewatch.ports.subscriptions import Subscription, SubscriptionKind

__all__ = ["router"]

router = APIRouter(tags=["subscriptions"])
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Flow = Annotated[Token, Depends(tokened(Role.ANALYST))]
_CLOUD_APPS = "/cas/api/v1/ms_flow/"
_TRIGGERS = {
    "Alert": SubscriptionKind.SECURITY_ALERT,
    "Assessment": SubscriptionKind.ASSESSMENT,
}


class Callback(BaseModel):
    """What triggers send; what else they send is left aside."""

    callback_url: str = Field(min_length=1, max_length=4000)


class NewSubscription(Callback):
    """In our own words."""

    model_config = ConfigDict(extra="forbid")

    kind: SubscriptionKind = SubscriptionKind.ALERT


def _record(one: Subscription) -> Record:
    """Never the address, which is a secret."""
    return {
        "id": one.id,
        "kind": one.kind.value,
        "host": one.host,
        "created_at": rfc3339(one.created_at),
        "created_by": one.created_by,
        "told": one.told,
        "failures": one.failures,
        "last_error": one.last_error or None,
        "next_attempt_at": rfc3339(one.next_attempt_at) if one.next_attempt_at else None,
    }


def _made(request: Request, services: Services, token: Token, url: str, kind: SubscriptionKind, base: str) -> Response:
    """With the address at which the flow unsubscribes as `Location`."""
    one = services.subscribing.subscribe(url, kind=kind, by=token.name)
    told = f"{one.host} is called back for each new {kind.value.replace('_', ' ')}."
    services.casework.note(Subject.SUBSCRIPTION, one.id, "subscribed", told, by=token.name)
    found = answer(request, _record(one), status=201)
    found.headers["location"] = f"{base}{one.id}"
    return found


def _ended(services: Services, token: Token, subscription_id: str) -> Response:
    services.subscribing.unsubscribe(subscription_id)
    services.casework.note(Subject.SUBSCRIPTION, subscription_id, "unsubscribed", "Not called any more.", by=token.name)
    return Response(status_code=204)


@router.get("/v1/subscriptions", dependencies=[Depends(requires(Role.VIEWER))])
def subscriptions(request: Request, services: Services, part: Part, kind: SubscriptionKind | None = None) -> Response:
    """All of them, at most eighty; their addresses are never shown."""
    found = [one for one in services.subscribing.subscriptions() if kind is None or one.kind is kind]
    return whole(request, [_record(one) for one in found], part)


@router.post("/v1/subscriptions", status_code=201)
def subscribe(request: Request, services: Services, token: Analyst, wanted: NewSubscription) -> Response:
    """Call an address back; the same address and kind again is the same subscription."""
    return _made(request, services, token, wanted.callback_url, wanted.kind, "/v1/subscriptions/")


@router.delete("/v1/subscriptions/{subscription_id}", status_code=204)
def unsubscribe(services: Services, token: Analyst, subscription_id: Id) -> Response:
    """Not any more."""
    return _ended(services, token, subscription_id)


@router.post(_CLOUD_APPS, status_code=201)
def subscribe_flow(request: Request, services: Services, token: Flow, wanted: Callback) -> Response:
    """Trigger "When an alert is generated" of Defender for Cloud Apps."""
    return _made(request, services, token, wanted.callback_url, SubscriptionKind.ALERT, _CLOUD_APPS)


@router.delete(f"{_CLOUD_APPS}{{subscription_id}}", status_code=204)
def unsubscribe_flow(services: Services, token: Flow, subscription_id: Id) -> Response:
    """Not any more."""
    return _ended(services, token, subscription_id)


@router.post("/Microsoft.Security/{what}/subscribe", status_code=201)
def subscribe_app(
    request: Request,
    services: Services,
    token: Flow,
    what: Annotated[str, Path(pattern="^(Alert|Assessment)$")],
    wanted: Callback,
) -> Response:
    """Triggers of Defender for Cloud: an alert was created, a recommendation became unhealthy."""
    base = f"/Microsoft.Security/{what}/subscribe/"
    return _made(request, services, token, wanted.callback_url, _TRIGGERS[what], base)


@router.delete("/Microsoft.Security/{what}/subscribe/{subscription_id}", status_code=204)
def unsubscribe_app(
    services: Services,
    token: Flow,
    what: Annotated[str, Path(pattern="^(Alert|Assessment)$")],
    subscription_id: Id,
) -> Response:
    """Not any more."""
    del what
    return _ended(services, token, subscription_id)
