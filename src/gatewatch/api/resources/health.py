"""Health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from gatewatch import __version__
from gatewatch.api.context import Services, answer, requires
from gatewatch.ports.control import Role

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
    response = answer(request, {"version": __version__, "parts": parts, "detector_faults": services.detecting.faults})
    response.status_code = 200 if all(parts.values()) else 503
    return response


@router.get("/v1/metrics", summary="Prometheus metrics", dependencies=[Depends(requires(Role.VIEWER))])
def metrics(services: Services) -> Response:
    """Exposition format 0.0.4."""
    return Response(services.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
