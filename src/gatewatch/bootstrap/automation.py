"""Puts automation rules together."""

from __future__ import annotations

from dataclasses import dataclass

from gatewatch.model.activity import Origin
from gatewatch.ports.clock import Clock
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.playbooks import PlaybookStarter
from gatewatch.services.automation import AutomationDesk, Dispatching, Rulebook, Simulating
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["Automation", "automation"]


@dataclass(frozen=True, slots=True)
class Automation:
    """The parts."""

    dispatching: Dispatching
    desk: AutomationDesk
    """What people do with rules."""


def automation(
    control: SqlControlStore, summing: Summing, starter: PlaybookStarter, clock: Clock, log: Log, turn: Turn = ALWAYS
) -> Automation:
    """`summing` as for people's work on incidents; `starter` starts playbooks."""
    dispatching = Dispatching(
        store=control.automation,
        changes=control.changes,
        casework=Casework(control.cases, summing, clock.now, Origin.SYSTEM),
        starter=starter,
        clock=clock,
        log=log,
        turn=turn,
    )
    desk = AutomationDesk(
        store=control.automation,
        rulebook=Rulebook(control.automation, clock, control.runs.playbooks),
        simulating=Simulating(control, control.cases, control.changes, clock.now),
        run_by_hand=dispatching.run_by_hand,
        counts=dispatching.counts,
    )
    return Automation(dispatching=dispatching, desk=desk)
