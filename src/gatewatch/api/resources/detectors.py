"""Detectors and their settings; what they can't see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Admin, Analyst, IfMatch, Part, Services, answer, requires, seconds, unchanged, whole
from gatewatch.api.services import ApiServices
from gatewatch.detect.detector import Detector, all_detectors
from gatewatch.detect.settings import fields
from gatewatch.errors import InputError, NotFoundError
from gatewatch.formats.review_records import backtest_record
from gatewatch.ports.control import Role
from gatewatch.services.detector_settings import change_settings

__all__ = ["router"]

router = APIRouter(tags=["detectors"])
SettingValue = float | int | bool | str


class BacktestWish(BaseModel):
    """Settings to try, and on which stretch of stored traffic."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, SettingValue] = Field(max_length=20, description="What is left out stays as it is.")
    since: datetime
    until: datetime


def _record(detector: Detector, stored: Mapping[str, SettingValue]) -> dict[str, Any]:
    meta = detector.meta
    import msgspec  # noqa: PLC0415 - keeps the module's imports to what routes need

    values = msgspec.structs.asdict(detector.values)
    return {
        "id": meta.id,
        "title": meta.title,
        "alert_type": meta.alert_type,
        "owasp": meta.owasp.value,
        "tactic": meta.tactic.value,
        "severity": meta.severity.value,
        "description": meta.description,
        "known_misses": meta.known_misses,
        "remediation": list(meta.remediation),
        "references": list(meta.references),
        "needs": [bit.name.lower() for bit in meta.needs if bit.name],
        "enabled": stored.get("enabled", True) is not False,
        "settings": [
            msgspec.structs.asdict(field) | {"value": values.get(field.name)} for field in fields(detector.settings)
        ],
        "changed": dict(stored),
    }


def _one(services: ApiServices, detector_id: str) -> tuple[Detector, Mapping[str, SettingValue]]:
    stored = services.control.detector_settings()
    for detector in all_detectors(_overrides(stored)):
        if detector.meta.id == detector_id:
            return detector, stored.get(detector_id, {})
    raise NotFoundError(f"no detector {detector_id}")


def _overrides(stored: Mapping[str, Mapping[str, SettingValue]]) -> dict[str, dict[str, SettingValue]]:
    return {name: {k: v for k, v in values.items() if k != "enabled"} for name, values in stored.items()}


@router.get("/v1/detectors", dependencies=[Depends(requires(Role.VIEWER))])
def detectors(request: Request, services: Services, part: Part) -> Response:
    """All detectors with their settings, units and ranges."""
    stored = services.control.detector_settings()
    found = all_detectors(_overrides(stored))
    return whole(request, [_record(item, stored.get(item.meta.id, {})) for item in found], part)


@router.get("/v1/detectors/{detector_id}", dependencies=[Depends(requires(Role.VIEWER))])
def detector(request: Request, services: Services, detector_id: str) -> Response:
    """One detector."""
    return answer(request, _record(*_one(services, detector_id)))


@router.put("/v1/detectors/{detector_id}/settings")
def change(
    request: Request,
    services: Services,
    token: Admin,
    detector_id: str,
    values: dict[str, SettingValue],
    if_match: IfMatch = None,
) -> Response:
    """Replace the changed settings, with If-Match only when nobody changed them meanwhile.

    Wrong ones are refused, all at once, with their ranges.
    """
    found, stored = _one(services, detector_id)
    unchanged(_record(found, stored), if_match)
    if not isinstance(values.get("enabled", True), bool):
        raise InputError("enabled is not true or false", cure="Send a JSON boolean.")
    type(found)({name: value for name, value in values.items() if name != "enabled"})
    change_settings(services.control, services.cases, detector_id, values, by=token.name, at=services.clock.now())
    return answer(request, _record(*_one(services, detector_id)))


@router.post("/v1/detectors/{detector_id}/backtest")
def backtest(request: Request, services: Services, _token: Analyst, detector_id: str, wanted: BacktestWish) -> Response:
    """What the detector would have said with other settings, beside what it said; nothing is changed."""
    since, until = seconds(wanted.since), seconds(wanted.until)
    assert since is not None
    assert until is not None
    found = services.review_desk.backtesting.run(detector_id, wanted.settings, since=since, until=until)
    return answer(request, backtest_record(found))


@router.get("/v1/coverage", dependencies=[Depends(requires(Role.VIEWER))])
def coverage(request: Request, services: Services, part: Part) -> Response:
    """Detectors that are blind for a source, and the evidence that is missing."""
    items = [
        {"detector": item.detector, "source": item.subject, "missing": list(item.missing)}
        for item in services.detecting.blindness()
    ]
    return whole(request, items, part)
