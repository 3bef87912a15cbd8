"""Puts remediation and recovery together."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from gatewatch.model.activity import Origin
from gatewatch.ports.clock import Clock
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.traffic import TrafficStore
from gatewatch.respond.guarding import Guardrails
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.containing import Recovering
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.remediating import Excepting, Following, RemediationDesk, Requesting
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["RemediationParts", "remediating"]


@dataclass(frozen=True, slots=True)
class RemediationParts:
    """The parts."""

    desk: RemediationDesk
    following: Following
    recovering: Recovering

    @property
    def failing(self) -> str:
        """Why the last turn failed."""
        return self.following.thread.failing or self.recovering.thread.failing

    def start(self) -> None:
        """Begin."""
        self.following.thread.start()
        self.recovering.thread.start()

    def stop(self) -> None:
        """End after the turns under way."""
        self.following.thread.stop()
        self.recovering.thread.stop()


def remediating(
    *,
    control: SqlControlStore,
    catalogue: Catalogue,
    traffic: TrafficStore,
    summing: Summing,
    guardrails: Guardrails,
    clock: Clock,
    log: Log,
    turn: Turn = ALWAYS,
) -> RemediationParts:
    """Nothing runs yet."""
    store = control.remediations

    def new_id() -> str:
        return str(uuid.uuid4())

    excepting = Excepting(store=store, catalogue=catalogue, clock=clock, new_id=new_id)
    requesting = Requesting(store=store, cases=control.cases, catalogue=catalogue, clock=clock, new_id=new_id)
    return RemediationParts(
        desk=RemediationDesk(store=store, requesting=requesting, excepting=excepting),
        following=Following(store=store, catalogue=catalogue, excepting=excepting, clock=clock, log=log, turn=turn),
        recovering=Recovering(
            store=control.containments,
            control=control,
            cases=control.cases,
            casework=Casework(control.cases, summing, clock.now, Origin.SYSTEM),
            traffic=traffic,
            watch_s=guardrails.recovery_s,
            clock=clock,
            log=log,
            turn=turn,
        ),
    )
