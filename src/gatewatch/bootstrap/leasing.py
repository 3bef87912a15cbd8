"""Puts leases together: none for a database that belongs to one process."""

from __future__ import annotations

import os
import secrets
import socket
import time

from gatewatch.services.leasing import Leasing
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["leasing"]


def leasing(control: SqlControlStore, log: Log) -> Leasing:
    """This process's leases, under a name that says where it runs."""
    holder = f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(4)}"
    return Leasing(None if control.embedded else control.leases, holder, time.monotonic, log)
