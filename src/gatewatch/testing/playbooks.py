"""A whole playbook desk for tests: real stores, real durable engine, connectors that only remember."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from gatewatch.bootstrap.playbooks import durable_runs, playbook_desk
from gatewatch.bootstrap.signing import FileSigner
from gatewatch.errors import GatewatchError
from gatewatch.model.action import ActionCall, ActionInput, ActionMeta, ActionResult, ConnectorMeta, Outcome
from gatewatch.model.activity import Origin
from gatewatch.ports.clock import Clock
from gatewatch.ports.playbooks import RunRequest
from gatewatch.ports.runs import Durable, Execute
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.playbooks import PlaybookDesk
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["Recorder", "RememberingConnectors", "RestingRuns", "WallClock", "desk_for_tests"]

_META = ConnectorMeta(
    id="memory",
    title="Memory",
    description="Remembers what it was asked.",
    actions=(
        ActionMeta(
            id="send",
            title="Send",
            description="Remembers a text.",
            inputs=(ActionInput(name="text", description="What.", required=True, example="hello"),),
            outputs=(ActionInput(name="ticket", description="Its number.", example="T1"),),
            reads_back=True,
        ),
    ),
)


class Recorder:
    """Implements `ports.playbooks.PlaybookStarter`: what was asked for is kept, and the same key is one run."""

    def __init__(self, refusing: Mapping[str, GatewatchError] | None = None) -> None:
        """Playbooks of these names are refused with their error."""
        self.refusing = dict(refusing or {})
        self.asked: list[RunRequest] = []
        """Every request, also repeated ones."""
        self.runs: dict[str, str] = {}
        """Key -> id of the run."""

    def start(self, request: RunRequest) -> str:
        """One run per key."""
        self.asked.append(request)
        if request.playbook in self.refusing:
            raise self.refusing[request.playbook]
        return self.runs.setdefault(request.key, f"run{len(self.runs) + 1}")


class WallClock:
    """Real time: the engine waits in it."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()


class RememberingConnectors:
    """Implements `ports.connectors.Connectors`; an effect is what is in `effects`, once per key."""

    def __init__(self, *, once: bool = True) -> None:
        """`once`: a key that comes again is an error; a simulation may come again."""
        self.effects: dict[str, ActionCall] = {}
        self._once = once
        self.calls: list[ActionCall] = []
        self.answer: Callable[[ActionCall], ActionResult | None] = _nothing_else
        self._lock = threading.Lock()

    def metas(self) -> dict[str, ConnectorMeta]:
        """One connection."""
        return {"memory": _META}

    def perform(self, call: ActionCall) -> ActionResult:
        """Remember, unless `answer` says otherwise."""
        with self._lock:
            self.calls.append(call)
            found = self.answer(call)
            if found is not None:
                return found
            assert not self._once or call.key not in self.effects, f"{call.key} again"
            self.effects[call.key] = call
        return _done(call)

    def read_back(self, call: ActionCall) -> ActionResult:
        """By key."""
        with self._lock:
            known = call.key in self.effects
        return _done(call) if known else ActionResult(outcome=Outcome.FAILED, error="nothing there", again=True)

    def texts(self) -> list[Any]:
        """What had an effect, in order."""
        with self._lock:
            return [call.inputs["text"] for call in self.effects.values()]


class RestingRuns:
    """Implements `ports.runs.Durable` by executing nothing: for tests of what surrounds runs."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        """(address, topic)."""

    def launch(self, execute: Execute) -> None:
        """Nothing goes on."""

    def start(self, run_id: str) -> None:
        """Nothing begins."""

    def tell(self, address: str, topic: str, key: str) -> None:
        """Remembered."""
        del key  # news is not counted here
        self.told.append((address, topic))

    def states(self, run_ids: Collection[str]) -> Mapping[str, str]:
        """None was started."""
        del run_ids
        return {}

    def cancel(self, run_id: str) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing is open."""


def _nothing_else(call: ActionCall) -> ActionResult | None:
    del call
    return None


def _done(call: ActionCall) -> ActionResult:
    values = {"ticket": f"T-{call.inputs['text']}"}
    return ActionResult(outcome=Outcome.SUCCEEDED, values=values, link="https://t.example/1")


def desk_for_tests(
    directory: Path,
    control: SqlControlStore,
    connectors: RememberingConnectors,
    clock: Clock,
    log: Log,
    *,
    durable: Durable | None = None,
) -> PlaybookDesk:
    """Not launched yet. One at a time in a process with the real engine: it is one per process."""
    return playbook_desk(
        control=control,
        casework=Casework(control.cases, Summing(lambda _: {}, dict), clock.now, Origin.SYSTEM),
        connectors=connectors,
        simulated=RememberingConnectors(once=False),
        containing=None,
        gateways=(),
        durable=durable or durable_runs(f"sqlite:///{directory / 'runs.sqlite'}"),
        signer=FileSigner(directory / "signing.key"),
        url="http://127.0.0.1:8420",
        clock=clock,
        log=log,
    )
