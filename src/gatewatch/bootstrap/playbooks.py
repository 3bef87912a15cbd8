"""Puts playbooks together: library, runs, questions, simulation."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.resources import files

from gatewatch.model.run import Run
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import Connectors
from gatewatch.ports.containing import Containing
from gatewatch.ports.runs import Durable
from gatewatch.ports.signing import Signer
from gatewatch.respond.playbooks.checking import Surroundings
from gatewatch.respond.playbooks.world import World
from gatewatch.services.incidents import Casework
from gatewatch.services.playbooks import (
    Answering,
    AnswerLinks,
    Changing,
    Library,
    RealWorld,
    Runs,
    Signing,
    Simulating,
    Surrounding,
)
from gatewatch.services.playbooks.simulated import SimulatedWorld
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["PlaybookDesk", "built_in_playbooks", "durable_runs", "playbook_desk"]


@dataclass(frozen=True, slots=True)
class PlaybookDesk:
    """The parts."""

    library: Library
    runs: Runs
    answering: Answering
    simulating: Simulating
    changing: Changing


def built_in_playbooks() -> list[str]:
    """Texts of the playbooks that come with Gatewatch, by name."""
    folder = files("gatewatch.respond.playbooks").joinpath("built_in")
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    return [one.read_text(encoding="utf-8") for one in found]


def durable_runs(url: str) -> Durable:
    """The engine with its journal at a SQLAlchemy URL. DBOS takes 0.7 s to import: only here."""
    from gatewatch.durable.dbos_runs import DbosRuns
    from gatewatch.store.engine import open_journal

    return DbosRuns(open_journal(url))


def playbook_desk(
    *,
    control: SqlControlStore,
    casework: Casework,
    connectors: Connectors,
    simulated: Connectors,
    containing: Containing | None,
    gateways: Collection[str],
    durable: Durable,
    signer: Signer,
    url: str,
    clock: Clock,
    log: Log,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> PlaybookDesk:
    """`simulated` can't reach anything; `url` is this Gatewatch as people reach it."""
    store, cases = control.runs, control.cases
    signing = Signing(signer)
    changing = Changing(cases, control, casework, clock)

    def around() -> Surroundings:
        return Surroundings(connections=connectors.metas(), gateways=gateways)

    library = Library(store, cases, clock, around)

    def worlds(run: Run, address: str) -> World:
        if run.staged:
            return SimulatedWorld(
                run,
                context=changing.context,
                connectors=simulated,
                containing=containing,
                now=clock.now(),
                keep=store.put_step,
            )
        return RealWorld(surrounding, run, address)

    runs = Runs(
        store=store,
        library=library,
        cases=cases,
        changing=changing,
        durable=durable,
        worlds=worlds,
        clock=clock,
        log=log,
    )
    surrounding = Surrounding(
        store=store,
        clock=clock,
        connectors=connectors,
        containing=containing,
        changing=changing,
        signing=signing,
        links=AnswerLinks(store, clock, random_bytes, url),
        start=runs.start_inside,
    )
    answering = Answering(store, cases, durable, signing, clock)
    runs.sweeps.append(answering.sweep)
    simulating = Simulating(
        cases=cases, control=control, changing=changing, connectors=simulated, containing=containing, clock=clock
    )
    return PlaybookDesk(library=library, runs=runs, answering=answering, simulating=simulating, changing=changing)
