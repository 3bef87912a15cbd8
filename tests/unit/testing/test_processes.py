"""Ports that tests give to servers."""

from __future__ import annotations

import subprocess
import sys

from gatewatch.testing.processes import free_port

MANY = 40
OTHER = f"""
from gatewatch.testing.processes import free_port
print(*(free_port() for _ in range({MANY})), flush=True)
input()
"""


def test_nobody_else_is_given_a_port_of_ours() -> None:
    ours = {free_port() for _ in range(MANY)}
    with subprocess.Popen(
        [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = {int(port) for port in other.stdout.readline().split()}
        more = {free_port() for _ in range(MANY)}
        other.communicate("\n")
    assert len(ours | theirs | more) == 3 * MANY
    assert max(ours | theirs | more) < 32_768, "where systems begin with ports for outgoing connections"
