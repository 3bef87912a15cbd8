"""From journal or files through worker processes into the stores, every transaction counted."""

from __future__ import annotations

from gatewatch.services.observing.blocks import BlockResult, BlockTask, Place
from gatewatch.services.observing.committing import BlockCommitter, Ledger
from gatewatch.services.observing.offline import OfflineObserving
from gatewatch.services.observing.pool import WorkerPool
from gatewatch.services.observing.service import Observing
from gatewatch.services.observing.worker import BlockObserver

__all__ = [
    "BlockCommitter",
    "BlockObserver",
    "BlockResult",
    "BlockTask",
    "Ledger",
    "Observing",
    "OfflineObserving",
    "Place",
    "WorkerPool",
]
