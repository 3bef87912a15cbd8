"""Runs a definition: one call, at most one request that changes something, one outcome."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from gatewatch.connectors.definition import Action, Definition, Request, meta_of
from gatewatch.connectors.judging import Answer, answered, found, no_answer
from gatewatch.connectors.reach import Reach, Requirements
from gatewatch.connectors.rendering import Rendered, context_of, render
from gatewatch.connectors.tokens import Tokens
from gatewatch.egress.errors import EgressError, SecretError
from gatewatch.egress.redaction import Redaction
from gatewatch.errors import ConfigurationError, InputError
from gatewatch.ports.connectors import ActionCall, ActionResult, Connector, ConnectorError, Outcome
from gatewatch.respond.conditions import fill

__all__ = ["DeclarativeConnector", "requirements_of"]


def requirements_of(definition: Definition) -> Requirements:
    """What its connections have to give."""
    return Requirements(
        url=definition.url,
        secret_url=definition.secret_url,
        hosts=definition.hosts,
        secrets=definition.secrets,
        options=definition.options,
    )


class DeclarativeConnector(Connector):
    """A definition with a connection."""

    def __init__(self, definition: Definition, reach: Reach, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Opens nothing."""
        self._definition, self._reach = definition, reach
        self._meta = meta_of(definition)
        self._actions = {action.id: action for action in definition.actions}
        token = definition.authentication.token
        self._tokens = Tokens(token, reach, clock) if token is not None else None

    def perform(self, call: ActionCall) -> ActionResult:
        """See Connector.perform."""
        action = self._action(call)
        repeatable = not action.changes or (action.idempotency is not None and action.idempotency.repeatable)
        try:
            context = self._context(action, call)
            answer, redaction = self._exchange(action.request, context)
        except SecretError as error:
            return ActionResult(outcome=Outcome.FAILED, error=error.message, again=True)
        except EgressError as error:
            return no_answer(error, changes=action.changes, repeatable=repeatable)
        except ConfigurationError as error:
            raise ConnectorError(f"{call.connection}: {error.message}", cure=error.cure) from error
        return answered(action, answer, context, redaction)

    def read_back(self, call: ActionCall) -> ActionResult:
        """See Connector.read_back."""
        action = self._action(call)
        if action.read_back is None:
            return ActionResult(outcome=Outcome.UNKNOWN, error=f"{action.id} can't be read back")
        try:
            context = self._context(action, call)
            answer, redaction = self._exchange(action.read_back.request, context)
        except EgressError as error:
            return ActionResult(outcome=Outcome.UNKNOWN, error=error.message)
        except ConfigurationError as error:
            raise ConnectorError(f"{call.connection}: {error.message}", cure=error.cure) from error
        return found(action.read_back, answer, context, redaction)

    def close(self) -> None:
        """Let go of connections."""
        self._reach.close()

    def _action(self, call: ActionCall) -> Action:
        if call.action not in self._actions:
            raise ConnectorError(f"{call.connection} has no action {call.action}")
        return self._actions[call.action]

    def _context(self, action: Action, call: ActionCall) -> dict[str, Any]:
        known = tuple(field.name for field in action.inputs)
        return context_of(call.inputs, known, self._reach.options, call.key, self._reach.site())

    def _exchange(self, request: Request, context: dict[str, Any]) -> tuple[Answer, Redaction]:
        rendered = render(
            request,
            context,
            address=self._reach.address(),
            secret=self._reach.secret,
            headers=self._definition.headers,
        )
        secrets = self._reach.secret_values()
        signed = self._signed(rendered, context)
        # User and password together are encoded to other text than the password alone.
        secrets.append(signed.headers.get(self._definition.authentication.header.lower(), "").rpartition(" ")[2])
        answer = self._reach.send(signed)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._tokens is not None:
            # A token that is refused had no effect; it may have been withdrawn before its end.
            for token in self._tokens.last():
                self._tokens.forget(token)
            answer = self._reach.send(self._signed(rendered, context))
        return answer, Redaction([*secrets, *(self._tokens.last() if self._tokens is not None else [])])

    def _signed(self, request: Rendered, context: dict[str, Any]) -> Rendered:
        proof = self._definition.authentication
        if proof.kind == "none" or (proof.secret and proof.secret not in self._reach.settings.secrets):
            return request
        if proof.kind == "basic":
            user = _user(proof.user, context)
            pair = f"{user}:{self._reach.secret(proof.secret)}".encode()
            value = "Basic " + base64.b64encode(pair).decode()
        elif self._tokens is not None:
            value = (proof.prefix or "Bearer ") + self._tokens.current(context, self._definition.headers)
        else:
            value = ("Bearer " if proof.kind == "bearer" else proof.prefix) + self._reach.secret(proof.secret)
        if not value.isascii() or not value.isprintable():
            raise SecretError(f"the secret {proof.secret} has characters that can't be sent in a header")
        return request._replace(headers={**request.headers, proof.header.lower(): value})


def _user(template: str, context: dict[str, Any]) -> str:
    try:
        user = str(fill(template, context))
    except InputError as error:
        raise ConfigurationError(error.message) from error
    if not user or ":" in user:
        raise ConfigurationError("the user is empty or has a colon")
    return user
