"""Durable runs on DBOS: its system database is a journal of what every run has done.

DBOS is one per process. Runs are workflows with the run's id; branches are workflows of their own, named after their
path. The journal holds JSON text only, so that a newer Gatewatch can read what an older one wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import msgspec
from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import Engine as SqlEngine

from gatewatch.errors import ConfigurationError, GatewatchError, StoreError
from gatewatch.ports.runs import Execute
from gatewatch.respond.playbooks.stopping import StepFailedError
from gatewatch.respond.playbooks.world import Branch, BranchEnd

__all__ = ["DbosEngine", "DbosRuns"]

T = TypeVar("T")
_ENGINE_VERSION = "gatewatch-runs-1"
"""Of the journals that the interpreter writes; runs begun under another one are not resumed."""
_QUEUE = "gatewatch-runs"
_RECOVERIES = 100_000
"""A run that waits for a month meets many restarts of the server, which are not its fault."""
_LONGEST_WAIT_S = 7 * 86_400.0
_STORE_FIRST_S, _STORE_LONGEST_S, _STORE_MOST_S = 0.5, 15.0, 900.0
"""Pauses while the control store is away, and for how long it is waited for: a database that is moved or updated."""
_STATES = {
    "SUCCESS": "ended",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}


class _Current:
    """What the workflow functions, which DBOS wants at module level, run."""

    execute: Execute | None = None


class _Remembered(msgspec.Struct):
    """A step's answer in the journal."""

    value: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""


@DBOS.workflow(name="gatewatch.run", max_recovery_attempts=_RECOVERIES)
async def _run(run_id: str) -> str:
    assert _Current.execute is not None
    return await _Current.execute(run_id, "", run_id, DbosEngine(run_id, run_id))


@DBOS.workflow(name="gatewatch.branch", max_recovery_attempts=_RECOVERIES)
async def _branch(run_id: str, address: str, branch: str) -> str:
    assert _Current.execute is not None
    return await _Current.execute(run_id, branch, address, DbosEngine(run_id, address))


class DbosEngine:
    """Implements `respond.playbooks.world.Engine` inside a workflow."""

    def __init__(self, run_id: str, address: str) -> None:
        self._run_id, self._address = run_id, address

    async def once(self, name: str, work: Callable[[], T], kind: type[T], *, timeout_s: float | None = None) -> T:
        """A step; an error of ours is remembered by its text."""

        async def step() -> str:
            try:
                value = await _when_stored(work, timeout_s)
            except TimeoutError:
                return msgspec.json.encode(_Remembered(error="timeout")).decode()
            except GatewatchError as error:
                return msgspec.json.encode(_Remembered(error=f"!{error.message}")).decode()
            return msgspec.json.encode(_Remembered(value=msgspec.Raw(msgspec.json.encode(value)))).decode()

        found = msgspec.json.decode(await DBOS.run_step_async({"name": name}, step), type=_Remembered)
        if found.error == "timeout":
            raise TimeoutError
        if found.error:
            raise StepFailedError(found.error.removeprefix("!"))
        return msgspec.json.decode(found.value, type=kind)

    async def sleep(self, seconds: float) -> None:
        """Also over restarts."""
        if seconds > 0:
            await DBOS.sleep_async(seconds)

    async def hear(self, topic: str, seconds: float) -> bool:
        """Whether there was news."""
        return await DBOS.recv_async(topic, timeout_seconds=max(0.0, min(seconds, _LONGEST_WAIT_S))) is not None

    async def branches(self, branches: Sequence[Branch]) -> list[BranchEnd]:
        """Workflows of their own."""
        handles = []
        for branch in branches:
            address = f"{self._run_id}/{branch.path}"
            with SetWorkflowID(address):
                encoded = msgspec.json.encode(branch).decode()
                handles.append(await DBOS.start_workflow_async(_branch, self._run_id, address, encoded))
        return [msgspec.json.decode(await handle.get_result(), type=BranchEnd) for handle in handles]


async def _when_stored(work: Callable[[], T], timeout_s: float | None) -> T:
    """Again while the control store is away, as after a crash: everything that a run does may be called again."""
    pause, left = _STORE_FIRST_S, _STORE_MOST_S
    while True:
        try:
            return await asyncio.wait_for(asyncio.to_thread(work), timeout_s)
        except StoreError:
            if left <= 0:
                raise
        await asyncio.sleep(pause)
        left -= pause
        pause = min(pause * 2, _STORE_LONGEST_S)


class DbosRuns:
    """Implements `ports.runs.Durable`."""

    def __init__(self, engine: SqlEngine, *, executor: str = "gatewatch", poll_s: float = 0.2) -> None:
        """`engine`: of the database that holds the journal; it may be the control store's own on PostgreSQL.

        `executor`: of several on one database each goes on with its own runs only.
        """
        if _Current.execute is not None:
            raise ConfigurationError("durable runs are at work already in this process")
        self._poll_s = poll_s
        config: DBOSConfig = {
            "name": "gatewatch",
            "system_database_engine": engine,
            "log_level": "ERROR",
            "application_version": _ENGINE_VERSION,
            "executor_id": executor,
            "notification_listener_polling_interval_sec": poll_s,
            "use_listen_notify": False,
        }
        if engine.dialect.name == "sqlite":
            config["system_database_url"] = str(engine.url)
        DBOS(config=config)

    def launch(self, execute: Execute) -> None:
        """Go on with what was under way."""
        _Current.execute = execute
        DBOS.launch()
        # Through a queue runs are tasks of one event loop; started directly each would hold a thread while it waits.
        DBOS.register_queue(_QUEUE, polling_interval_sec=self._poll_s, on_conflict="always_update")

    def start(self, run_id: str) -> None:
        """Once per id."""
        with SetWorkflowID(run_id):
            DBOS.enqueue_workflow(_QUEUE, _run, run_id)

    def tell(self, address: str, topic: str, key: str) -> None:
        """Once per key."""
        DBOS.send(address, "news", topic=topic, idempotency_key=key)

    def states(self, run_ids: Collection[str]) -> Mapping[str, str]:
        """Of those that were started."""
        if not run_ids:
            return {}
        known = DBOS.list_workflows(workflow_ids=list(run_ids), load_input=False, load_output=False)
        return {one.workflow_id: _STATES.get(one.status, "working") for one in known}

    def cancel(self, run_id: str) -> None:
        """The run and its branches."""
        DBOS.cancel_workflow(run_id)
        for one in DBOS.list_workflows(workflow_id_prefix=f"{run_id}/", status=["PENDING", "ENQUEUED"]):
            DBOS.cancel_workflow(one.workflow_id)

    def close(self) -> None:
        """The next launch goes on."""
        DBOS.destroy(workflow_completion_timeout_sec=0)
        _Current.execute = None
