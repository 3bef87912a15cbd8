"""A connector as one YAML file: what it takes, the requests it makes and what their answers mean.

Texts of requests are templates: `${expression}` is CEL over `inputs` (those not given are null), `lines` (text inputs
as lists of their lines that are not empty), `options`, `key` and `site`. A value that is null is left out, and with it
a mapping of which nothing else is left. A mapping `{$secret: name}` stands for a secret, which no expression ever sees.
Results are CEL over the same and `status`, `headers` (lower case) and `body` (parsed JSON, else null).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from gatewatch.ports.connectors import ActionInput, ActionMeta, ConnectorMeta

__all__ = [
    "AMBIENT",
    "ANSWERED",
    "Action",
    "Authentication",
    "Definition",
    "Idempotency",
    "OptionField",
    "ReadBack",
    "Request",
    "Result",
    "SecretField",
    "TokenRequest",
    "meta_of",
]

AMBIENT = ("inputs", "lines", "options", "key", "site")
"""What expressions of requests may name."""
ANSWERED = (*AMBIENT, "status", "headers", "body")
"""What expressions of results may name."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class SecretField(_Part, frozen=True, kw_only=True):
    """A secret that a connection names by reference."""

    name: Name
    description: str
    required: bool = True


class OptionField(_Part, frozen=True, kw_only=True):
    """A setting of a connection that is no secret."""

    name: Name
    description: str
    default: str = ""
    required: bool = False
    pattern: str = ""
    """Regular expression of the whole value."""


class Request(_Part, frozen=True, kw_only=True):
    """One request."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str = ""
    """Template of another address than the connection's; its host has to be allowed."""
    path: str = ""
    """Appended to the address; what expressions give is percent-encoded."""
    query: dict[str, Any] | str = {}
    headers: dict[str, Any] | str = {}
    body: Any = None
    body_kind: Literal["json", "form"] = "json"


class TokenRequest(_Part, frozen=True, kw_only=True):
    """Signing in: a request that gives a token for the others."""

    request: Request
    token: str
    """Expression over the answer."""
    lifetime_s: str = ""
    """Expression over the answer; '' when it does not tell, then a token is used until it is refused."""


class Authentication(_Part, frozen=True, kw_only=True):
    """How requests prove who sends them."""

    kind: Literal["none", "basic", "bearer", "header", "token"] = "none"
    user: str = ""
    """Template, for basic."""
    secret: str = ""
    """Name of the secret: password, token or key."""
    header: str = "authorization"
    prefix: str = ""
    """Before the secret or token: `Bearer `, `GenieKey `, ..."""
    token: TokenRequest | None = None


class Idempotency(_Part, frozen=True, kw_only=True):
    """How the other side knows a repeat."""

    by: Annotated[str, msgspec.Meta(min_length=1)]
    """Where the key goes, or why a repeat is harmless; a request that is not repeatable has to use `key`."""
    repeatable: bool = False
    """The other side drops repeats by it, so that performing again is harmless."""


class Result(_Part, frozen=True, kw_only=True):
    """What an answer brings."""

    values: dict[str, str] = {}
    """Output -> expression."""
    link: str = ""
    """Expression."""


class ReadBack(_Part, frozen=True, kw_only=True):
    """How to find out what became of a call."""

    request: Request
    found: str
    """Expression: whether the effect is there."""
    absent: tuple[int, ...] = ()
    """Statuses that say it is not."""
    result: Result = Result()
    settles_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long a search may lag behind."""


class Action(_Part, frozen=True, kw_only=True):
    """One thing that a connector does."""

    id: Name
    title: str
    description: str
    inputs: tuple[ActionInput, ...] = ()
    outputs: tuple[ActionInput, ...] = ()
    changes: bool = True
    request: Request
    success: tuple[int, ...] = (200, 201, 202, 204)
    accepted: str = ""
    """Expression that has to hold too, for systems that answer 200 to everything."""
    error: str = ""
    """Expression: why it failed, a word or a sentence."""
    result: Result = Result()
    idempotency: Idempotency | None = None
    read_back: ReadBack | None = None


class Definition(_Part, frozen=True, kw_only=True):
    """One connector."""

    id: Name
    title: str
    description: str
    references: tuple[str, ...] = ()
    """The vendor's pages."""
    url: str = ""
    """Address of connections that give none."""
    secret_url: bool = False
    """The address is a secret: it has to be given by reference."""
    hosts: tuple[str, ...] = ()
    """Allowed besides the host of the address."""
    secrets: tuple[SecretField, ...] = ()
    options: tuple[OptionField, ...] = ()
    headers: dict[str, str] = {}
    """Of every request."""
    authentication: Authentication = Authentication()
    actions: Annotated[tuple[Action, ...], msgspec.Meta(min_length=1)]


def meta_of(definition: Definition) -> ConnectorMeta:
    """What people and playbooks see of it."""
    return ConnectorMeta(
        id=definition.id,
        title=definition.title,
        description=definition.description,
        references=definition.references,
        actions=tuple(map(_action_meta, definition.actions)),
    )


def _action_meta(action: Action) -> ActionMeta:
    read_back = action.read_back
    return ActionMeta(
        id=action.id,
        title=action.title,
        description=action.description,
        inputs=action.inputs,
        outputs=action.outputs,
        changes=action.changes,
        reads_back=read_back is not None,
        settles_s=read_back.settles_s if read_back else 0.0,
        repeatable=not action.changes or (action.idempotency is not None and action.idempotency.repeatable),
    )
