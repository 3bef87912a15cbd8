"""Collections, endpoints, findings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from gatewatch.api.context import Cursor, Limit, Part, Services, answer, page, requires, whole
from gatewatch.formats.records import collection_record, endpoint_record, field_record, finding_record
from gatewatch.model.alert import Severity
from gatewatch.model.finding import FindingStatus
from gatewatch.model.inventory import Activity, Authentication
from gatewatch.ports.control import FindingFilter, Role
from gatewatch.services.catalogue import EndpointFilter

__all__ = ["router"]

router = APIRouter(tags=["inventory"], dependencies=[Depends(requires(Role.VIEWER))])


@router.get("/v1/collections")
def collections(request: Request, services: Services, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """API collections by name."""
    items, following = services.catalogue.collections(after=cursor, limit=limit)
    return page(request, [collection_record(item) for item in items], following)


@router.get("/v1/collections/{collection_id}")
def collection(request: Request, services: Services, collection_id: str) -> Response:
    """One collection."""
    return answer(request, collection_record(services.catalogue.collection(collection_id)))


@router.get("/v1/endpoints")
def endpoints(
    request: Request,
    services: Services,
    method: str = "",
    host: str = "",
    collection_id: str = "",
    activity: Activity | None = None,
    authentication: Authentication | None = None,
    information_type: str = "",
    q: Annotated[str, Query(description="Part of host, path or operation.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Endpoints by host, path and method."""
    where = EndpointFilter(
        method=method,
        host=host,
        collection_id=collection_id,
        activity=activity.value if activity else "",
        authentication=authentication.value if authentication else "",
        information_type=information_type,
        text=q,
    )
    items, following = services.catalogue.endpoints(where, after=cursor, limit=limit)
    return page(request, [endpoint_record(item) for item in items], following)


@router.get("/v1/endpoints/{endpoint_id}")
def endpoint(request: Request, services: Services, endpoint_id: str) -> Response:
    """One endpoint."""
    return answer(request, endpoint_record(services.catalogue.endpoint(endpoint_id)))


@router.get("/v1/endpoints/{endpoint_id}/fields")
def fields(request: Request, services: Services, endpoint_id: str, part: Part) -> Response:
    """Its parameters and the fields that hold information types."""
    return whole(request, [field_record(item) for item in services.catalogue.fields(endpoint_id)], part)


@router.get("/v1/findings")
def findings(
    request: Request,
    services: Services,
    status: Annotated[list[FindingStatus] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    recommendation: Annotated[list[str] | None, Query()] = None,
    endpoint_id: str = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Findings, most severe first."""
    where = FindingFilter(
        status=tuple(status or ()),
        severity=tuple(severity or ()),
        recommendation=tuple(recommendation or ()),
        endpoint_id=endpoint_id,
    )
    items, following = services.control.findings(where, cursor=cursor, limit=limit)
    return page(request, [finding_record(item) for item in items], following)


@router.get("/v1/findings/{finding_id}")
def finding(request: Request, services: Services, finding_id: str) -> Response:
    """One finding."""
    return answer(request, finding_record(services.control.finding(finding_id)))
