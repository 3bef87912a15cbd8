"""Programs of gateways: run with a time limit, without a shell; processes told by signal."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from gatewatch.ports.gateways import GatewayAwayError

__all__ = ["hang_up", "run", "running"]

_SHOWN = 400
_TIME_S = 30.0


def run(command: Sequence[str]) -> tuple[bool, str]:
    """(whether it ended well, the end of what it said). Raises GatewayAwayError when it can't be run."""
    return asyncio.run(_run(command))


async def _run(command: Sequence[str]) -> tuple[bool, str]:
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        raise GatewayAwayError(f"can't run {command[0]}: {error.strerror}") from error
    try:
        said, _ = await asyncio.wait_for(child.communicate(), _TIME_S)
    except TimeoutError as error:
        child.kill()
        await child.wait()
        raise GatewayAwayError(f"{command[0]} did not end within {_TIME_S:.0f} s") from error
    return child.returncode == 0, said.decode("utf-8", "replace").strip()[-_SHOWN:]


def running(pid_file: Path) -> int:
    """The process that a file names. Raises GatewayAwayError when it does not run."""
    try:
        pid = int(pid_file.read_text(encoding="ascii").strip())
        os.kill(pid, 0)
    except (OSError, ValueError) as error:
        raise GatewayAwayError(f"no process runs that {pid_file} names: {type(error).__name__}") from error
    return pid


def hang_up(pid: int) -> None:
    """SIGHUP. Raises GatewayAwayError."""
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise GatewayAwayError(
            f"can't signal process {pid}: {error.strerror}", cure="Let Gatewatch's user signal it, or run as its user."
        ) from error
