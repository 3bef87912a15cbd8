"""Puts containment together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gatewatch.config.settings import Settings
from gatewatch.ports.clock import Clock
from gatewatch.ports.gateways import Gateway
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.traffic import TrafficStore
from gatewatch.respond.guarding import Guardrails
from gatewatch.services.containing import ContainmentDesk, Measuring, Reconciling
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["ContainmentParts", "containing", "guarded"]

_LOOPBACK = ("127.0.0.0/8", "::1/128")


def guarded(settings: Settings) -> Guardrails:
    """As configured, and from where everybody's calls come: this machine and the proxies that are believed.

    Stored traffic does not show those, since it names the client behind them, so no blast radius would warn.
    """
    rails = settings.containment
    # Who believes everybody has told nothing about where the proxies are.
    proxies = [one for one in (*settings.observe.trusted_proxies, *settings.asked.gateways) if not one.endswith("/0")]
    return msgspec.structs.replace(rails, protected=tuple(dict.fromkeys((*rails.protected, *_LOOPBACK, *proxies))))


@dataclass(frozen=True, slots=True)
class ContainmentParts:
    """The parts."""

    desk: ContainmentDesk
    reconciling: Reconciling
    measuring: Measuring

    def start(self) -> None:
        """Begin; with what was in force before."""
        self.reconciling.start()
        self.measuring.thread.start()

    def stop(self) -> None:
        """End; nothing is taken away."""
        self.measuring.thread.stop()
        self.reconciling.stop()


def containing(
    *,
    control: SqlControlStore,
    traffic: TrafficStore,
    gateways: Mapping[str, Gateway],
    guardrails: Guardrails,
    clock: Clock,
    log: Log,
    turn: Turn = ALWAYS,
) -> ContainmentParts:
    """`gateways` by name; who made them closes them."""
    reconciling = Reconciling(gateways, control.containments, clock, log)
    desk = ContainmentDesk(
        store=control.containments,
        cases=control.cases,
        traffic=traffic,
        gateways=gateways,
        guardrails=guardrails,
        clock=clock,
        wake=reconciling.wake,
        confirm=reconciling.confirm,
    )
    return ContainmentParts(
        desk=desk,
        reconciling=reconciling,
        measuring=Measuring(
            desk,
            control.containments,
            traffic,
            clock,
            log,
            turn,
            settles={name: gateway.meta.settles_s for name, gateway in gateways.items()},
        ),
    )
