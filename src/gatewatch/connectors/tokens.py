"""Tokens that are fetched by signing in, kept in memory until shortly before they end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from gatewatch.connectors.definition import TokenRequest
from gatewatch.connectors.judging import said_of
from gatewatch.connectors.reach import Reach
from gatewatch.connectors.rendering import render
from gatewatch.egress.errors import EgressError
from gatewatch.errors import InputError
from gatewatch.respond.conditions import evaluate

__all__ = ["Tokens"]

_EARLY_S = 120.0
"""A token is renewed so long before it ends."""
_UNTOLD_S = 600.0
"""How long one is used whose end was not told."""


class Tokens:
    """Of one connection. Thread-safe."""

    def __init__(self, request: TokenRequest, reach: Reach, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._request, self._reach, self._clock = request, reach, clock
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def current(self, context: dict[str, Any], headers: dict[str, str]) -> str:
        """Raises EgressError, with `sent` false: signing in has no effect that counts."""
        with self._lock:
            if self._clock() >= self._until:
                self._sign_in(context, headers)
            return self._token

    def forget(self, token: str) -> None:
        """It was refused."""
        with self._lock:
            if token == self._token:
                self._until = 0.0

    def last(self) -> list[str]:
        """For redaction."""
        return [self._token] if self._token else []

    def _sign_in(self, context: dict[str, Any], headers: dict[str, str]) -> None:
        wanted = self._request
        request = render(
            wanted.request, context, address=self._reach.address(), secret=self._reach.secret, headers=headers
        )
        try:
            answer = self._reach.send(request)
        except EgressError as error:
            error.sent = False
            raise
        if answer.status not in (200, 201):
            raise EgressError(f"signing in at {answer.host} failed: status {answer.status}", sent=False)
        said = said_of(answer, context)
        try:
            token = evaluate(wanted.token, said)
            lifetime = float(evaluate(wanted.lifetime_s, said)) if wanted.lifetime_s else _UNTOLD_S + _EARLY_S
        except (InputError, TypeError, ValueError):
            token, lifetime = None, 0.0
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise EgressError(f"signing in at {answer.host} gave no token", sent=False)
        self._token, self._until = token, self._clock() + lifetime - _EARLY_S
