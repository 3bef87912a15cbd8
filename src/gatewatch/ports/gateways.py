"""Gateways as the containment service sees them: desired state in, agreement out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.containment import Effect, Scope, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, actor_of, network_of, place_of
from gatewatch.ports.clock import Clock

__all__ = [
    "Ability",
    "ChangedMeanwhileError",
    "Decisions",
    "Gateway",
    "GatewayAwayError",
    "GatewayError",
    "GatewayMeta",
    "PartlyAppliedError",
    "RefusedError",
    "Site",
]

_SEES_CREDENTIALS = "ext_authz, forward_auth and the decisions gateway see credentials and can tell this caller"


class GatewayError(GatewatchError):
    """A gateway does not do what it was told; its text never holds a secret."""

    code = "gateway"


class GatewayAwayError(GatewayError):
    """No answer, or one that says later: try again, nothing is known to be wrong with what is wanted."""

    code = "gateway-away"

    def __init__(self, message: str, *, retry_after_s: float | None = None, cure: str = "") -> None:
        """`retry_after_s`: what the gateway asked for."""
        super().__init__(message, cure=cure)
        self.retry_after_s = retry_after_s


class RefusedError(GatewayError):
    """The gateway will never take this as it is."""

    code = "gateway-refused"


class ChangedMeanwhileError(GatewayError):
    """Somebody else kept changing the same thing; nothing of theirs was overwritten. Try again."""

    code = "gateway-changed"


class PartlyAppliedError(GatewayError):
    """Some entries can't be enforced; all the others are."""

    code = "gateway-partly"

    def __init__(self, agreement: Agreement, refused: Mapping[str, str]) -> None:
        """`refused`: id to reason."""
        first = next(iter(sorted(refused)))
        super().__init__(f"{len(refused)} could not be enforced; {first}: {refused[first]}")
        self.agreement, self.refused = agreement, dict(refused)


class Ability(msgspec.Struct, frozen=True, kw_only=True):
    """One effect, and whom a gateway can do it to."""

    effect: Effect
    scopes: tuple[ScopeKind, ...]
    narrowed: tuple[ScopeKind, ...] = ()
    """Those that may be narrowed to an endpoint."""
    actors: tuple[str, ...] = ()
    """Kinds of actors for scope ACTOR (`subject`, `key` …); `address` goes with scope ADDRESS."""
    note: str = ""


class GatewayMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a kind of gateway."""

    id: str
    title: str
    description: str
    abilities: tuple[Ability, ...]
    enforces: str
    """How: which of the gateway's own means."""
    delay: str
    """How fast, from `apply` to the first refused call."""
    settles_s: float = 1.0
    """So long after `apply` calls may still pass: what is seen meanwhile says nothing about the effect."""
    after_restart: str
    """What a restart of the gateway leaves in force."""
    expires_itself: bool = False
    """Entries end on the gateway even when Gatewatch is away."""
    limits: str = ""
    """What it can't see or tell apart; '' when nothing is known."""
    setup: str = ""
    """What the user adds to the gateway, once: the name of a snippet, or a sentence."""
    references: tuple[str, ...] = ()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where an adapter works."""

    name: str
    """Of the configured gateway."""
    directory: Path
    """Its own, made by who makes the adapter; for what has to be remembered."""
    clock: Clock


class Gateway(ABC):
    """One kind of gateway; one file. Used by one thread at a time.

    Only entries that carry our ids are ever touched; what other people have on the gateway, and change there
    meanwhile, stays.
    """

    meta: ClassVar[GatewayMeta]
    settings: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, settings: Any, site: Site) -> None:
        """`settings` is of the class's own type. Opens nothing. Raises ConfigurationError for what can't work."""

    def refusal(self, wanted: Enforcement) -> str:
        """Why this gateway can't enforce it, with what could instead; '' when it can."""
        return refusal_by(self.meta, wanted)

    def prepare(self) -> None:
        """Make what the user's configuration of the gateway names, where it is missing. Raises GatewayAwayError."""
        return  # most need nothing

    @abstractmethod
    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Make the gateway agree with the whole set, and read back. Doing it again changes nothing.

        Expired ones are not wanted. Raises GatewayAwayError, RefusedError (nothing was done), PartlyAppliedError
        (all but some were done), ChangedMeanwhileError.
        """

    @abstractmethod
    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Read back, change nothing. Raises GatewayAwayError, RefusedError."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""


class Decisions(Protocol):
    """What services that gateways ask (ext_authz, forward auth, bouncers, middleware) answer from. Thread-safe."""

    def current(self) -> Sequence[Enforcement]:
        """All that are in force now, by id."""
        ...

    def ended_since(self, moment: float) -> Sequence[Enforcement]:
        """Those that expired or were rolled back at or after a moment (Unix seconds), as far as is remembered."""
        ...


def refusal_by(meta: GatewayMeta, wanted: Enforcement) -> str:
    """What a gateway's abilities say about an enforcement; '' when they cover it."""
    try:
        network, place = network_of(wanted.scope), place_of(wanted.scope)
    except ValueError as error:
        return f"{wanted.scope.kind.value} `{wanted.scope.value}` can't be read: {error}"
    if wanted.effect is Effect.THROTTLE and wanted.calls is None:
        return "a throttle needs a number of calls"
    kind = ScopeKind.ADDRESS if wanted.scope.kind is ScopeKind.ACTOR and network else wanted.scope.kind
    able = [one for one in meta.abilities if one.effect is wanted.effect]
    if not able:
        known = ", ".join(sorted({one.effect.value for one in meta.abilities}))
        return f"{meta.title} has no means to {wanted.effect.value}; it can {known}"
    fitting = [one for one in able if kind in one.scopes]
    if not fitting:
        others = ", ".join(sorted({scope.value for one in able for scope in one.scopes}))
        return f"{meta.title} can't {wanted.effect.value} by {kind.value}; it can by {others}"
    actor, _ = actor_of(wanted.scope)
    if kind is ScopeKind.ACTOR and not any(actor in one.actors for one in fitting):
        return f"{meta.title} can't tell a caller by {actor or 'this'}; {_SEES_CREDENTIALS}"
    if place and wanted.scope.endpoint and not any(kind in one.narrowed for one in fitting):
        return f"{meta.title} can't narrow {kind.value} to one endpoint; plan it for everywhere, or for the endpoint"
    return ""


def anywhere(scope: Scope) -> bool:
    """Whether a scope is about every place behind the gateway."""
    return scope.kind not in {ScopeKind.ENDPOINT, ScopeKind.COLLECTION} and not scope.endpoint
