"""Errors and headers as each of Microsoft's APIs has them; given by the class of its routes.

Graph: OData error object with request ids (reference/microsoft.md 6.3). Legacy: the same with `target` for the ids.
Tokens: OAuth 2.0 (RFC 6749, 5.2).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from gatewatch.api.problems import status_of
from gatewatch.api.services import ApiServices
from gatewatch.errors import GatewatchError
from gatewatch.services.access import UnauthenticatedError
from gatewatch.services.throttling import Standing, ThrottledError

__all__ = ["GraphRoute", "LegacyRoute", "OAuthError", "OAuthRoute"]

_MOST_REQUEST_ID = 128
_CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Forbidden",
    404: "ResourceNotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    429: "TooManyRequests",
    503: "ServiceNotAvailable",
}


class OAuthError(GatewatchError):
    """A token request that can't be answered; `code` is one of RFC 6749, 5.2."""

    def __init__(self, code: str, message: str) -> None:
        """Answered with 400."""
        super().__init__(message)
        self.code = code


class _Failure(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    message: str
    request_id: str
    client_request_id: str
    at: datetime
    code: str = ""

    @property
    def name(self) -> str:
        return _CODES.get(self.status, "InternalServerError")


class _EnvelopedRoute(APIRoute):
    """Puts deliberate errors into the envelope; a fault goes on to where all faults are logged."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route."""
        inner = super().get_route_handler()

        async def enveloped(request: Request) -> Response:
            services: ApiServices = request.app.state.services
            request_id = services.clients.new_id()
            try:
                response = await inner(request)
            except (GatewatchError, RequestValidationError, HTTPException) as error:
                response = self._refused(request, error, request_id)
            response.headers["request-id"] = request_id
            told = request.headers.get("client-request-id", "")
            if told and len(told) <= _MOST_REQUEST_ID and told.isascii() and told.isprintable():
                response.headers["client-request-id"] = told
            standing: Standing | None = getattr(request.state, "standing", None)
            if standing is not None:
                response.headers.update(_throttling(standing))
            return response

        return enveloped

    def _refused(self, request: Request, error: Exception, request_id: str) -> Response:
        services: ApiServices = request.app.state.services
        status, message, code = _said(error)
        failure = _Failure(
            status=status,
            message=message,
            code=code,
            request_id=request_id,
            client_request_id=request.headers.get("client-request-id", request_id)[:_MOST_REQUEST_ID],
            at=datetime.fromtimestamp(services.clock.now(), UTC),
        )
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        if status == HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        if isinstance(error, ThrottledError):
            headers |= {"retry-after": str(error.retry_after_s)} | _throttling(error.standing)
        return JSONResponse(self.envelope(failure), status, headers)

    @staticmethod
    @abstractmethod
    def envelope(failure: _Failure) -> dict[str, object]:
        """The body."""


class GraphRoute(_EnvelopedRoute):
    """`microsoft.graph.*` errors."""

    @staticmethod
    def envelope(failure: _Failure) -> dict[str, object]:
        """`innerError` has the ids by which a request is found."""
        inner = {
            "date": failure.at.strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": failure.request_id,
            "client-request-id": failure.client_request_id,
        }
        return {"error": {"code": failure.name, "message": failure.message, "innerError": inner}}


class LegacyRoute(_EnvelopedRoute):
    """Errors of `api.security.microsoft.com`."""

    @staticmethod
    def envelope(failure: _Failure) -> dict[str, object]:
        """`target` is the id of the request."""
        return {"error": {"code": failure.name, "message": failure.message, "target": failure.request_id}}


class OAuthRoute(_EnvelopedRoute):
    """Errors of the token endpoints."""

    @staticmethod
    def envelope(failure: _Failure) -> dict[str, object]:
        """The ids are what Entra adds."""
        known = {401: "invalid_client", 429: "temporarily_unavailable", 503: "temporarily_unavailable"}
        return {
            "error": failure.code or known.get(failure.status, "invalid_request"),
            "error_description": failure.message,
            "timestamp": failure.at.strftime("%Y-%m-%d %H:%M:%SZ"),
            "trace_id": failure.request_id,
            "correlation_id": failure.client_request_id,
        }


def _said(error: Exception) -> tuple[int, str, str]:
    """(status, message, OAuth's code)."""
    if isinstance(error, OAuthError):
        return 400, error.message, error.code
    if isinstance(error, ThrottledError):
        return 429, f"{error.message}. {error.cure}", ""
    if isinstance(error, GatewatchError):
        status = status_of(error)
        hint = "" if isinstance(error, UnauthenticatedError) else error.cure
        message = f"{error.message}. {hint}" if hint else error.message
        return (400 if status == HTTPStatus.UNPROCESSABLE_ENTITY else status), message, ""
    if isinstance(error, RequestValidationError):
        # The value itself is not repeated: it may be a secret that was put in the wrong place.
        mistakes = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        return 400, "; ".join(mistakes[:5]), ""
    assert isinstance(error, HTTPException)
    return error.status_code, str(error.detail), ""


def _throttling(standing: Standing) -> dict[str, str]:
    return {
        "ratelimit-limit": str(standing.limit),
        "ratelimit-remaining": str(standing.remaining),
        "ratelimit-reset": str(standing.reset_s),
    }
