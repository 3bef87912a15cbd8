"""Playbooks for tests: what was asked for is kept, and the same key is one run."""

from __future__ import annotations

from collections.abc import Mapping

from gatewatch.errors import GatewatchError
from gatewatch.ports.playbooks import RunRequest

__all__ = ["Recorder"]


class Recorder:
    """Implements `ports.playbooks.PlaybookStarter`."""

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
