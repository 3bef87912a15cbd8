"""Everything about playbooks in one hand: what REST and the server work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatewatch.services.playbooks.answering import Answering
from gatewatch.services.playbooks.changing import Changing
from gatewatch.services.playbooks.library import Library
from gatewatch.services.playbooks.running import Runs
from gatewatch.services.playbooks.simulating import Simulating
from gatewatch.services.throttling import Throttle

__all__ = ["PlaybookDesk"]


@dataclass(frozen=True, slots=True)
class PlaybookDesk:
    """The parts."""

    library: Library
    runs: Runs
    answering: Answering
    simulating: Simulating
    changing: Changing
    link_throttle: Throttle
    """Of those who answer by link: they need no token, so they are counted by address."""
    new_id: Callable[[], str]
    """Of a request that a person makes; 32 hexadecimal digits."""
