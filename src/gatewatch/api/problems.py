"""Errors as RFC 9457 problems with stable codes."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gatewatch.api.hardening import SECURITY_HEADERS
from gatewatch.api.parameters import UnknownParameterError
from gatewatch.errors import (
    ConfigurationError,
    ConflictError,
    DefinitionError,
    GatewatchError,
    InputError,
    JournalFullError,
    NotFoundError,
    StaleError,
    StoreError,
)
from gatewatch.ports.export import DeliveryError
from gatewatch.respond.playbooks.reading import PlaybookError
from gatewatch.respond.problems import ProblemsError
from gatewatch.services.access import ForbiddenError, UnauthenticatedError
from gatewatch.services.throttling import ThrottledError
from gatewatch.telemetry.logs import Log

__all__ = ["TooLargeError", "install_problems", "problem", "status_of"]

MEDIA_TYPE = "application/problem+json"


class TooLargeError(GatewatchError):
    """The request is larger than allowed."""

    code = "too-large"


_STATUS: dict[type[GatewatchError], int] = {
    NotFoundError: 404,
    ConflictError: 409,
    StaleError: 412,
    TooLargeError: 413,
    DefinitionError: 422,
    InputError: 422,
    ConfigurationError: 422,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    JournalFullError: 429,
    ThrottledError: 429,
    DeliveryError: 502,
    StoreError: 503,
}
_CODES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}


def problem(
    status: int, code: str, detail: str, *, cure: str = "", headers: dict[str, str] | None = None, **more: object
) -> JSONResponse:
    """One problem document."""
    body: dict[str, object] = {
        "type": f"urn:gatewatch:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if cure:
        body["cure"] = cure
    # An unforeseen fault is answered outside all middleware, so the headers are given here.
    return JSONResponse(body | more, status, SECURITY_HEADERS | (headers or {}), MEDIA_TYPE)


def status_of(error: GatewatchError) -> int:
    """The HTTP status of a deliberate error."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def install_problems(app: FastAPI, log: Log) -> None:
    """Every error of the app becomes a problem."""

    def deliberate(_request: Request, error: Exception) -> JSONResponse:
        found = error if isinstance(error, GatewatchError) else GatewatchError("internal error")
        status = status_of(found)
        headers: dict[str, str] = {}
        if isinstance(found, JournalFullError | ThrottledError):
            headers["retry-after"] = str(found.retry_after_s)
        if status == HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        more: dict[str, object] = {}
        if isinstance(found, UnknownParameterError):
            more["errors"] = [{"at": f"query.{name}", "message": "is not known here"} for name in found.unknown]
            more["known"] = found.known
        if isinstance(found, PlaybookError):
            more["problems"] = [msgspec.to_builtins(one) for one in found.problems]
        if isinstance(found, ProblemsError):
            more["errors"] = [{"at": one.at, "message": one.message} for one in found.problems]
        return problem(status, found.code, found.message, cure=found.cure, headers=headers, **more)

    def framework(_request: Request, error: Exception) -> JSONResponse:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = str(error.detail) if isinstance(error, HTTPException) else ""
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        return problem(status, _CODES.get(status, f"http-{status}"), detail, headers=headers)

    def validation(_request: Request, error: Exception) -> JSONResponse:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        # The value itself is not repeated: it may be a secret that was put in the wrong place.
        mistakes = [{"at": ".".join(map(str, item["loc"])), "message": item["msg"]} for item in found]
        first = mistakes[0] if mistakes else {"at": "", "message": "wrong request"}
        return problem(422, "input", f"{first['at']}: {first['message']}", errors=mistakes)

    def fault(request: Request, error: Exception) -> JSONResponse:
        log.error("request_fault", method=request.method, route=request.url.path, kind=type(error).__name__)
        return problem(500, "internal", "an internal error; it was logged")

    app.add_exception_handler(GatewatchError, deliberate)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(Exception, fault)
