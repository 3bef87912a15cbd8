"""The remediation activities of Defender Vulnerability Management: `/api/remediationTasks` (read only)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from gatewatch.api.context import Services
from gatewatch.api.resources.defender.envelopes import LegacyRoute
from gatewatch.api.resources.defender.permitting import LEGACY_GET, LEGACY_LIST, permits
from gatewatch.api.resources.defender.queries import MOST_SKIPPED, sent
from gatewatch.formats.defender.filters import REMEDIATION_FIELDS, condition
from gatewatch.formats.defender.remediation import machine_reference, remediation_task
from gatewatch.ports.control import Role

__all__ = ["router"]

router = APIRouter(tags=["defender"], route_class=LegacyRoute)
_METADATA = "https://api.security.microsoft.com/api/$metadata#"
_MOST_TOP = 10_000


@router.get("/api/remediationTasks", dependencies=[Depends(permits(Role.VIEWER, LEGACY_LIST))])
def tasks(
    services: Services,
    where: Annotated[str, Query(alias="$filter")] = "",
    top: Annotated[int, Query(alias="$top", ge=1, le=_MOST_TOP)] = _MOST_TOP,
    skip: Annotated[int, Query(alias="$skip", ge=0, le=MOST_SKIPPED)] = 0,
) -> Response:
    """Remediation activities, newest first; filtered by createdOn and status."""
    asked = condition(where, REMEDIATION_FIELDS) if where.strip() else None
    found = services.remediation.store.select(asked, skip=skip, limit=top)
    return sent({"@odata.context": f"{_METADATA}RemediationTasks", "value": [remediation_task(one) for one in found]})


@router.get("/api/remediationTasks/{task_id}", dependencies=[Depends(permits(Role.VIEWER, LEGACY_GET))])
def task(services: Services, task_id: str) -> Response:
    """One of them."""
    found = services.remediation.store.activity(task_id)
    return sent({"@odata.context": f"{_METADATA}RemediationTasks/$entity"} | remediation_task(found))


@router.get(
    "/api/remediationTasks/{task_id}/machineReferences", dependencies=[Depends(permits(Role.VIEWER, LEGACY_GET))]
)
def machine_references(
    services: Services,
    task_id: str,
    top: Annotated[int, Query(alias="$top", ge=1, le=_MOST_TOP)] = _MOST_TOP,
) -> Response:
    """The endpoints that it was asked for and that are still exposed."""
    found = services.remediation.store.activity(task_id)
    exposed, _ = services.remediation.store.targets(task_id, fixed=False, limit=top)
    known = {one.id: one.name for one in services.catalogue.collections(limit=_MOST_TOP)[0]}
    names = ", ".join(known.get(one, one) for one in found.collections)
    shown = [machine_reference(one, names) for one in exposed]
    return sent({"@odata.context": f"{_METADATA}MachineReferences", "value": shown})
