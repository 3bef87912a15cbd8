"""Connections that can't reach anything: nothing in here, or given to it, could send a request."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from gatewatch.connectors.inputs import check_call
from gatewatch.ports.connectors import ActionCall, ActionResult, ConnectorError, ConnectorMeta, Outcome

__all__ = ["SimulatedConnectors"]

_MOST_CALLS = 100_000


class SimulatedConnectors:
    """Implements ports.connectors.Connectors: checks calls as the real ones do, answers with examples, remembers."""

    def __init__(self, metas: Mapping[str, ConnectorMeta]) -> None:
        """`metas`: connection -> what it can do."""
        self._metas = dict(metas)
        self._calls: list[ActionCall] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[ActionCall]:
        """What would have been performed, in order; at most 100,000."""
        with self._lock:
            return list(self._calls)

    def metas(self) -> dict[str, ConnectorMeta]:
        """See Connectors.metas."""
        return dict(self._metas)

    def perform(self, call: ActionCall) -> ActionResult:
        """Always succeeds with the examples of the outputs."""
        if call.connection not in self._metas:
            known = ", ".join(sorted(self._metas)) or "none"
            raise ConnectorError(f"there is no connection {call.connection}", cure=f"Configured are: {known}.")
        action = check_call(self._metas[call.connection], call)
        with self._lock:
            if len(self._calls) < _MOST_CALLS:
                self._calls.append(call)
        return ActionResult(outcome=Outcome.SUCCEEDED, values={one.name: one.example for one in action.outputs})

    def read_back(self, call: ActionCall) -> ActionResult:
        """What `perform` said, without counting as a call."""
        if call.connection not in self._metas:
            raise ConnectorError(f"there is no connection {call.connection}")
        action = check_call(self._metas[call.connection], call)
        return ActionResult(outcome=Outcome.SUCCEEDED, values={one.name: one.example for one in action.outputs})
