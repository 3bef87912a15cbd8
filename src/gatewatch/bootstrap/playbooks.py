"""Puts playbooks together: library, runs, questions, simulation."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Collection
from hashlib import blake2b
from importlib.resources import files

from gatewatch.bootstrap.connections import simulated_connections
from gatewatch.bootstrap.installation import Installation
from gatewatch.config.settings import Settings
from gatewatch.errors import ConfigurationError
from gatewatch.model.action import ActionCall, ActionResult
from gatewatch.model.activity import Origin
from gatewatch.model.run import Run
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import Connectors
from gatewatch.ports.containing import Containing
from gatewatch.ports.runs import Durable, RunStore
from gatewatch.ports.signing import Signer
from gatewatch.respond.playbooks.checking import Surroundings
from gatewatch.respond.playbooks.world import World
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.playbooks import (
    Answering,
    AnswerLinks,
    Changing,
    Library,
    PlaybookDesk,
    RealWorld,
    Runs,
    Signing,
    Simulating,
    Surrounding,
)
from gatewatch.services.playbooks.simulated import SimulatedWorld
from gatewatch.services.throttling import Throttle
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["built_in_playbooks", "durable_runs", "executor_name", "journal_url", "playbook_desk", "server_playbooks"]


Done = Callable[[Run, ActionCall, ActionResult], None]


def nothing_more(run: Run, call: ActionCall, result: ActionResult) -> None:
    """Nobody wants to hear of actions."""
    del run, call, result


def built_in_playbooks() -> list[str]:
    """Texts of the playbooks that come with Gatewatch, by name."""
    folder = files("gatewatch.respond.playbooks").joinpath("built_in")
    if not folder.is_dir():
        return []
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    return [one.read_text(encoding="utf-8") for one in found]


def durable_runs(url: str, executor: str = "gatewatch") -> Durable:
    """The engine with its journal at a SQLAlchemy URL. DBOS takes 0.7 s to import: only here."""
    from gatewatch.durable.dbos_runs import DbosRuns
    from gatewatch.store.engine import open_journal

    return DbosRuns(open_journal(url), executor=executor)


def journal_url(settings: Settings, installation: Installation) -> str:
    """Where the engine remembers: beside the control store's tables on PostgreSQL, else a file of its own.

    Two writers of one SQLite file would wait for each other.
    """
    if _shared(settings):
        return settings.store.url
    return f"sqlite:///{installation.path('runs.sqlite')}"


def _shared(settings: Settings) -> bool:
    """Whether several servers may keep their runs in one place."""
    return settings.store.url.startswith("postgresql")


def executor_name(settings: Settings, installation: Installation) -> str:
    """Who goes on with which runs: one name for every start on one data directory, another for every other.

    A journal in the data directory is nobody else's, so its runs go on wherever it was moved or restored to.
    It is kept there, since the name of the host is another one in every new container. A copy of the directory, which
    another server may work with, is told by the inode of the file, and gets a name of its own.
    """
    if not _shared(settings):
        return "gatewatch"
    file = installation.path("executor.id")
    try:
        file.touch(mode=0o600)
        inode = str(file.stat().st_ino)
        name, _, known = file.read_text(encoding="ascii").partition(" ")
        if known != inode:
            place = f"{socket.gethostname()} {installation.directory}" + (f" {inode}" if known else "")
            name = blake2b(place.encode(), digest_size=8).hexdigest()
            file.write_text(f"{name} {inode}", encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"can't keep the name of this server in {file}: {type(error).__name__}") from error
    return name


def server_playbooks(
    settings: Settings,
    *,
    control: SqlControlStore,
    summing: Summing,
    connectors: Connectors,
    containing: Containing,
    gateways: Collection[str],
    done: Done,
    durable: Durable,
    signer: Signer,
    clock: Clock,
    log: Log,
) -> PlaybookDesk:
    """The desk of a server, with the playbooks that come with Gatewatch."""
    made = playbook_desk(
        control=control,
        casework=Casework(control.cases, summing, clock.now, Origin.SYSTEM),
        connectors=connectors,
        simulated=simulated_connections(settings),
        containing=containing,
        gateways=gateways,
        durable=durable,
        signer=signer,
        done=done,
        url=settings.export.url or f"http://{settings.api.host}:{settings.api.port}",
        clock=clock,
        log=log,
    )
    made.library.keep_built_in(built_in_playbooks())
    return made


class _Worlds:
    """Implements `services.playbooks.running.Worlds`."""

    def __init__(
        self,
        store: RunStore,
        changing: Changing,
        simulated: Connectors,
        containing: Containing | None,
        clock: Clock,
    ) -> None:
        self._store, self._changing, self._simulated = store, changing, simulated
        self._containing, self._clock = containing, clock
        self.surrounding: Surrounding | None = None
        """Given when there are runs, which start sub-playbooks."""

    def __call__(self, run: Run, address: str) -> World:
        if not run.staged:
            assert self.surrounding is not None
            return RealWorld(self.surrounding, run, address)
        return SimulatedWorld(
            run,
            context=self._changing.context,
            connectors=self._simulated,
            containing=self._containing,
            now=self._clock.now(),
            keep=self._store.put_step,
        )


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
    done: Done = nothing_more,
) -> PlaybookDesk:
    """`simulated` can't reach anything; `url` is this Gatewatch as people reach it."""
    store, cases = control.runs, control.cases
    signing = Signing(signer)
    changing = Changing(cases, control, casework, clock)
    library = Library(store, cases, clock, lambda: Surroundings(connections=connectors.metas(), gateways=gateways))
    worlds = _Worlds(store, changing, simulated, containing, clock)
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
    worlds.surrounding = Surrounding(
        store=store,
        clock=clock,
        connectors=connectors,
        containing=containing,
        changing=changing,
        signing=signing,
        links=AnswerLinks(store, clock, random_bytes, url),
        start=runs.start_inside,
        done=done,
    )
    answering = Answering(store, cases, durable, signing, clock)
    runs.sweeps.append(answering.sweep)
    simulating = Simulating(
        cases=cases, control=control, changing=changing, connectors=simulated, containing=containing, clock=clock
    )
    return PlaybookDesk(
        library=library,
        runs=runs,
        answering=answering,
        simulating=simulating,
        changing=changing,
        link_throttle=Throttle(clock),
        new_id=lambda: random_bytes(16).hex(),
    )
