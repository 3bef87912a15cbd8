"""How steps and runs end before their end."""

from __future__ import annotations

from gatewatch.errors import GatewatchError
from gatewatch.model.run import RunState

__all__ = ["RunStoppedError", "StepFailedError"]


class StepFailedError(GatewatchError):
    """A step did not do what it should."""

    code = "step"

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        """`unknown`: nobody knows whether it had its effect."""
        super().__init__(message)
        self.unknown = unknown


class RunStoppedError(GatewatchError):
    """The run ends here."""

    code = "run"

    def __init__(self, state: RunState, message: str) -> None:
        """How it ended and why."""
        super().__init__(message)
        self.state = state
