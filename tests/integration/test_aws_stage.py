"""What a stage had before comes back, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.gateway_rigs.aws_stage import AwsStageRig
from tests.gateway_rigs.rig import one

from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import GatewayAwayError, PartlyAppliedError, RefusedError

USER, ME = "~1users~1{userId}/GET", "~1users~1me/GET"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[AwsStageRig]:
    with AwsStageRig(tmp_path) as made:
        yield made


def closed(text: str, number: int = 1) -> Any:
    return one(number, text, kind=ScopeKind.ENDPOINT, effect=Effect.DISABLE_ENDPOINT)


def limits(rig: AwsStageRig, key: str) -> tuple[float, int]:
    return rig.kept[key]["throttlingRateLimit"], rig.kept[key]["throttlingBurstLimit"]


def test_all_is_as_it_was_afterwards(rig: AwsStageRig) -> None:
    before = rig.state()
    gateway = rig.gateway()
    gateway.apply(rig.samples)
    assert limits(rig, USER) == (0, 0), "of two that want something of one method, the stricter"
    assert limits(rig, "~1users/POST") == (0.003, 10)
    gateway.apply(rig.samples[1:])
    assert limits(rig, USER) == (0.5, 30)
    gateway.apply([])
    assert rig.state() == before


def test_what_somebody_else_gave_a_method_meanwhile_stays(rig: AwsStageRig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples[:1])
    rig.kept[USER] = rig.kept[USER] | {"loggingLevel": "ERROR"}
    gateway.apply([])
    assert rig.kept[USER]["loggingLevel"] == "ERROR"
    assert limits(rig, USER) == (-1, -1), "no limit of its own"


def test_cut_off_after_it_was_remembered(rig: AwsStageRig) -> None:
    before, gateway = rig.state(), rig.gateway()
    http = vars(gateway)["_aws"]
    call = http.call

    def dying(method: str, *given: Any, **more: Any) -> Any:
        if method == "PATCH":
            raise GatewayAwayError("cut off")
        return call(method, *given, **more)

    http.call = dying
    with pytest.raises(GatewayAwayError):
        gateway.apply(rig.samples[:1])
    assert rig.state() == before
    assert rig.gateway().actual(rig.samples[:1]).missing == ("c1",)
    assert rig.gateway().apply([]).complete and rig.state() == before
    assert rig.gateway().apply(rig.samples).complete


def test_a_method_that_was_deleted_stops_nothing(rig: AwsStageRig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples[:1])
    del rig.kept[USER]
    assert gateway.apply([]).complete


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("GET shop.example /api/users/me", ME),
        ("GET shop.example /api/users/{uuid}", USER),
        ("GET shop.example /api/users/7", USER),
    ],
)
def test_the_method_that_api_gateway_would_choose(rig: AwsStageRig, text: str, key: str) -> None:
    rig.gateway().apply([closed(text)])
    assert limits(rig, key) == (0, 0)
    assert rig.kept.keys() - {key} == rig.beginning().keys()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GET shop.example /api/legacy/a/b", "has method ANY"),
        ("PUT shop.example /api/users", "the API has no PUT /users"),
        ("GET shop.example /api/legacy", "the API has no GET /legacy"),
        ("GET other.example /api/users", "answers for shop.example"),
        ("GET shop.example /apis", "is below /api"),
    ],
)
def test_what_can_t_be_is_said(rig: AwsStageRig, text: str, why: str) -> None:
    before = rig.state()
    with pytest.raises((RefusedError, PartlyAppliedError)) as refused:
        rig.gateway().apply([closed(text)])
    assert why in refused.value.message
    assert rig.state() == before
