"""The application: every resource, problems, security headers."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from gatewatch import __version__
from gatewatch.api.hardening import BodyLimit, SecurityHeaders
from gatewatch.api.parameters import known_parameters
from gatewatch.api.problems import install_problems
from gatewatch.api.resources import (
    alerts,
    answers,
    automation,
    cloud_apps,
    connections,
    containments,
    decisions,
    detectors,
    exceptions,
    exports,
    health,
    incidents,
    ingest,
    inventory,
    playbooks,
    questions,
    remediations,
    reviews,
    runs,
    score,
    simulations,
    subscriptions,
    suppressions,
    tokens,
)
from gatewatch.api.resources.defender import ROUTERS as DEFENDER
from gatewatch.api.services import ApiServices

__all__ = ["ROUTERS", "create_app"]

_PLAYBOOKS = (automation, playbooks, simulations, runs, questions, answers)
_PARTS = (
    *(health, ingest, inventory, score, alerts, incidents, reviews, suppressions, detectors, exports),
    *_PLAYBOOKS,
    connections,
    *(containments, decisions, remediations, exceptions, subscriptions, cloud_apps),
    tokens,
)
_FOREIGN = (answers, cloud_apps, decisions, health)
"""Mail scanners, bouncers, flows, probes and scrapers add parameters of their own."""
ROUTERS = (*(part.router for part in _PARTS), *DEFENDER)


def create_app(services: ApiServices) -> FastAPI:
    """The REST API over these services. Its own documentation pages are off: they load scripts from elsewhere."""
    app = FastAPI(
        title="Gatewatch",
        version=__version__,
        summary="API security for any gateway.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.services = services
    for part in _PARTS:
        app.include_router(part.router, dependencies=[] if part in _FOREIGN else [Depends(known_parameters)])
    for router in DEFENDER:
        app.include_router(router)
    install_problems(app, services.log)

    app.add_middleware(BodyLimit, streaming=frozenset({"/v1/ingest"}))
    app.add_middleware(SecurityHeaders)
    return app
