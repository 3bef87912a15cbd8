"""How connections stand: what each can do, whether its secrets can be read, whether its host answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.reach import Reach
from gatewatch.connectors.registry import Kind
from gatewatch.egress.errors import SecretError
from gatewatch.egress.guard import Resolver, looked_up
from gatewatch.egress.secrets import is_reference, resolve
from gatewatch.errors import GatewatchError, NotFoundError
from gatewatch.ports.connectors import ConnectionState, ConnectionTest

__all__ = ["Standing"]

_PORTS = {"http": 80, "smtp": 587, "smtps": 465}
_HTTPS = 443
_PATIENCE_S = 10.0
_ADDRESS = "address"


class Standing:
    """Implements ports.connectors.ConnectionReader. Thread-safe."""

    def __init__(
        self, settings: Sequence[ConnectionSettings], known: Mapping[str, Kind], *, resolver: Resolver = looked_up
    ) -> None:
        """Settings that were checked. Opens nothing."""
        self._settings = {one.name: one for one in settings}
        self._known, self._resolver = known, resolver

    def connections(self) -> list[ConnectionState]:
        """See ConnectionReader."""
        return [self._state(one) for _, one in sorted(self._settings.items())]

    def connection(self, name: str) -> ConnectionState:
        """See ConnectionReader."""
        return self._state(self._one(name))

    def test(self, name: str) -> ConnectionTest:
        """See ConnectionReader."""
        settings = self._one(name)
        problems = [f"the secret {secret} can't be read" for secret, good in _secrets(settings).items() if not good]
        return ConnectionTest(name=name, problems=tuple(problems or self._unreached(settings)))

    def _one(self, name: str) -> ConnectionSettings:
        if name not in self._settings:
            known = ", ".join(sorted(self._settings)) or "none"
            raise NotFoundError(f"there is no connection {name}", cure=f"Configured are: {known}.")
        return self._settings[name]

    def _state(self, settings: ConnectionSettings) -> ConnectionState:
        kind = self._known[settings.connector]
        address = settings.url or kind.requirements.url
        secret = kind.requirements.secret_url or is_reference(address)
        return ConnectionState(
            name=settings.name,
            connector=kind.meta.id,
            title=kind.meta.title,
            enabled=settings.enabled,
            host="" if secret else urlsplit(address).hostname or "",
            actions=kind.meta.actions,
            secrets=_secrets(settings),
        )

    def _unreached(self, settings: ConnectionSettings) -> Iterator[str]:
        """Nothing is sent. Behind a proxy it is the proxy that would look the host up, so nothing is tried."""
        requirements = self._known[settings.connector].requirements
        reach = Reach(settings, requirements, resolver=self._resolver)
        address = reach.address()
        if not address or settings.proxy:
            return
        parts = urlsplit(address)
        hosts = [parts.hostname or ""] if requirements.hosts_of is None else [*requirements.hosts_of(address)]
        guard, port = reach.guard(address), parts.port or _PORTS.get(parts.scheme, _HTTPS)
        for host in hosts:
            try:
                guard.connect(host, port, min(settings.timeout_s, _PATIENCE_S)).close()
            except GatewatchError as error:
                # Of an address that is a secret not even the host is told.
                yield "its address can't be reached" if is_reference(settings.url) else error.message


def _secrets(settings: ConnectionSettings) -> dict[str, bool]:
    named = dict(settings.secrets)
    if is_reference(settings.url):
        named[_ADDRESS] = settings.url
    return {name: _readable(reference) for name, reference in sorted(named.items())}


def _readable(reference: str) -> bool:
    try:
        resolve(reference)
    except SecretError:
        return False
    return True
