"""Puts configured gateways together, and the services that gateways ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gatewatch.bootstrap.installation import Installation
from gatewatch.config.settings import AskedSettings, GatewaySettings, Settings
from gatewatch.errors import ConfigurationError
from gatewatch.gateways._board import Board
from gatewatch.model.enforcement import Enforcement
from gatewatch.observe.fingerprint import Fingerprinter
from gatewatch.observe.identity import Identities
from gatewatch.plugins import discover
from gatewatch.ports.clock import Clock
from gatewatch.ports.gateways import Decisions, Gateway, GatewayAwayError, Site
from gatewatch.services.deciding import Deciding
from gatewatch.services.feeding import DecisionFeed
from gatewatch.telemetry.logs import Log

__all__ = ["Gateways", "gateway_kinds"]

_OWNER_ONLY = 0o700


class _Part(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


def gateway_kinds() -> dict[str, type[Gateway]]:
    """Built-in gateways and those of entry-point group `gatewatch.gateways`, by id."""
    return {kind.meta.id: kind for kind in discover("gatewatch.gateways", Gateway, group="gatewatch.gateways")}


class _Together:
    """Decisions of several boards."""

    def __init__(self, boards: Sequence[Decisions]) -> None:
        self._boards = boards

    def current(self) -> Sequence[Enforcement]:
        if len(self._boards) == 1:
            return self._boards[0].current()
        return tuple(one for board in self._boards for one in board.current())

    def ended_since(self, moment: float) -> Sequence[Enforcement]:
        return tuple(one for board in self._boards for one in board.ended_since(moment))


class Gateways:
    """All configured ones by name."""

    def __init__(self, settings: Settings, installation: Installation, clock: Clock, log: Log) -> None:
        """Raises ConfigurationError naming the gateway. Opens nothing but what boards remember."""
        self.by_name: dict[str, Gateway] = {}
        self._log = log
        kinds = gateway_kinds() if settings.gateways else {}
        boards: dict[str, list[Decisions]] = {"asked": [], "bouncers": [], "middleware": []}
        for one in settings.gateways:
            if one.name in self.by_name:
                raise ConfigurationError(f"two gateways have the name {one.name}")
            directory = installation.path("gateways", one.name)
            directory.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
            made = _made(one, kinds, Site(name=one.name, directory=directory, clock=clock))
            self.by_name[one.name] = made
            if made.meta.id in boards and isinstance(made, Board):
                boards[made.meta.id].append(made)
        self.feed = DecisionFeed(_Together(boards["bouncers"]), _Together(boards["middleware"]), clock)
        self._parts: list[_Part] = []
        if boards["asked"]:
            fingerprint = Fingerprinter(installation.derived_key("fingerprints"))
            checks = Deciding(_Together(boards["asked"]), Identities(settings.observe, fingerprint), clock)
            self._parts = _services(settings.asked, checks, settings.observe.trusted_proxies)

    def start(self) -> None:
        """Answer those that ask; make the files that gateways need to start."""
        for name, gateway in self.by_name.items():
            try:
                gateway.prepare()
            except GatewayAwayError as error:
                self._log.warning("gateway_not_prepared", gateway=name, why=error.message)
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """Answer nobody any more; let go of connections."""
        for part in self._parts:
            part.stop()
        for gateway in self.by_name.values():
            gateway.close()


def _made(settings: GatewaySettings, kinds: dict[str, type[Gateway]], site: Site) -> Gateway:
    kind = kinds.get(settings.kind)
    if kind is None:
        raise ConfigurationError(
            f"gateway {settings.name}: there is no kind `{settings.kind}`", cure=f"Known: {', '.join(sorted(kinds))}."
        )
    try:
        return kind(msgspec.convert(settings.settings, kind.settings), site)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"gateway {settings.name}: {error}", cure="docs/reference/gateways.md lists what it takes."
        ) from error
    except ConfigurationError as error:
        raise ConfigurationError(f"gateway {settings.name}: {error.message}", cure=error.cure) from error


def _services(settings: AskedSettings, checks: Deciding, proxies: Sequence[str]) -> list[_Part]:
    from gatewatch.gateways.ext_authz import ExtAuthz
    from gatewatch.gateways.forward_auth import ForwardAuth

    trusted = (*settings.gateways, *proxies)
    found: list[_Part] = []
    if settings.grpc:
        found.append(ExtAuthz(checks, settings.grpc, trusted))
    if settings.http:
        found.append(ForwardAuth(checks, settings.http, trusted))
    return found
