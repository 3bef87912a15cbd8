"""Health, readiness, metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from gatewatch import __version__
from gatewatch.api.context import Services, answer, requires
from gatewatch.ports.control import Role
from gatewatch.services.leasing import Leasing

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/v1/health", summary="Whether the process answers; the only open route")
def health() -> dict[str, str]:
    """Says nothing but that it lives."""
    return {"status": "ok"}


@router.get("/v1/ready", summary="Whether every part works", dependencies=[Depends(requires(Role.VIEWER))])
def ready(request: Request, services: Services) -> Response:
    """200 when all parts work, else 503 with the parts that don't."""
    parts = services.readiness()
    body = {
        "version": __version__,
        "parts": parts,
        "detector_faults": services.detecting.faults,
        "leases": _leases(services.leasing),
    }
    response = answer(request, body)
    response.status_code = 200 if all(parts.values()) else 503
    return response


def _leases(leasing: Leasing | None) -> list[dict[str, Any]]:
    """Which server does what only one may do; empty when there is only one."""
    if leasing is None:
        return []
    return [
        {
            "job": lease.name,
            "holder": lease.holder,
            "this_server": lease.holder == leasing.holder,
            "seconds_left": round(max(0.0, lease.left_s), 3),
        }
        for lease in leasing.leases()
    ]


@router.get("/v1/metrics", summary="Prometheus metrics", dependencies=[Depends(requires(Role.VIEWER))])
def metrics(services: Services) -> Response:
    """Exposition format 0.0.4."""
    return Response(services.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
