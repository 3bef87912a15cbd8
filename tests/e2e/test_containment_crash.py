"""Kill -9 with blocks in force on a real Envoy: it goes on refusing, and after the restart both sides agree."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway_rigs.envoy import EnvoyRig
from tests.gateway_rigs.rig import eventually
from tests.server_process import ServerProcess

pytestmark = pytest.mark.slow
SHORT, LONG, OTHER = "203.0.113.7", "203.0.113.21", "198.51.100.9"
SHORT_S, LONG_S = 30.0, 3600.0
"""The shorter one has to last from its order over its confirmation and the kill to our look at Envoy."""


@pytest.fixture
def envoy(tmp_path: Path) -> Iterator[EnvoyRig]:
    directory = tmp_path / "gateway"
    directory.mkdir()
    with EnvoyRig(directory) as rig:
        yield rig


@pytest.fixture
def server(server_at: Any, envoy: EnvoyRig) -> ServerProcess:
    admin = f"http://127.0.0.1:{envoy.admin}"
    made: ServerProcess = server_at(
        '[[gateways]]\nname = "edge"\nkind = "envoy"\n'
        f'[gateways.settings]\ndirectory = "{envoy.files}"\nadmin_url = "{admin}"\n'
    )
    made.start()
    return made


def ordered(server: ServerProcess, address: str, duration_s: float) -> dict[str, Any]:
    """A block as somebody orders it: judged first, then under the digest of what was judged."""
    plan = {
        "gateway": "edge",
        "scope": {"kind": "address", "value": address},
        "effect": "block",
        "duration_s": duration_s,
        "reason": "enumerates orders",
    }
    with server.client() as client:
        judged = client.post("/v1/containments/judgement", json=plan).raise_for_status().json()
    assert judged["obstacles"] == []
    return {"plan": plan, "digest": judged["digest"], "key": f"order-{address}"}


def contained(server: ServerProcess, order: dict[str, Any]) -> dict[str, Any]:
    with server.client() as client:
        found: dict[str, Any] = client.post("/v1/containments", json=order).raise_for_status().json()
    return found


def states(server: ServerProcess) -> dict[str, tuple[str, bool]]:
    """Address -> (state, whether its removal was confirmed)."""
    with server.client() as client:
        items = client.get("/v1/containments").raise_for_status().json()["items"]
    return {one["plan"]["scope"]["value"]: (one["state"], one["removed_at"] is not None) for one in items}


def health(server: ServerProcess) -> tuple[int, int, int]:
    """(in force, queued, failures) of the gateway."""
    with server.client() as client:
        (found,) = client.get("/v1/gateways").raise_for_status().json()["items"]
    return found["in_force"], found["queued"], found["failures"]


def seen(envoy: EnvoyRig) -> dict[str, int]:
    return {address: envoy.status(address) for address in (SHORT, LONG, OTHER)}


def test_blocks_outlive_a_kill_and_expire_after_it(server: ServerProcess, envoy: EnvoyRig) -> None:
    contained(server, ordered(server, LONG, LONG_S))
    first = contained(server, ordered(server, SHORT, SHORT_S))
    # The answer comes after ten seconds at the latest, and says `queued` when Envoy has not confirmed by then.
    eventually(lambda: states(server), {SHORT: ("in_force", False), LONG: ("in_force", False)})
    server.kill()
    assert seen(envoy) == {SHORT: 403, LONG: 403, OTHER: 200}, "Envoy enforces on without us"
    due = datetime.fromisoformat(first["expires_at"]).timestamp()
    eventually(lambda: time.time() > due, True)
    assert seen(envoy)[SHORT] == 403, "nobody is there to take it away; this is what the restart has to mend"
    server.start()
    eventually(lambda: states(server), {SHORT: ("expired", True), LONG: ("in_force", False)})
    # Health is told after the states are kept, and Envoy's workers hear of a change after its main thread.
    eventually(lambda: health(server), (1, 0, 0))
    eventually(lambda: seen(envoy), {SHORT: 200, LONG: 403, OTHER: 200})


def test_killed_between_the_request_and_its_confirmation(server: ServerProcess, envoy: EnvoyRig) -> None:
    order = ordered(server, LONG, LONG_S)
    # Envoy stands still, so that nobody can confirm: the order is stored and the caller waits for its answer.
    os.kill(envoy.process.pid, signal.SIGSTOP)
    unanswered: list[Exception] = []

    def ask() -> None:
        try:
            contained(server, order)
        except httpx.HTTPError as error:
            unanswered.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        eventually(lambda: states(server), {LONG: ("queued", False)})
        server.kill()
    finally:
        os.kill(envoy.process.pid, signal.SIGCONT)
        asking.join()
    assert len(unanswered) == 1, "the caller was told nothing"
    server.start()
    eventually(lambda: states(server), {LONG: ("in_force", False)})
    eventually(lambda: seen(envoy), {SHORT: 200, LONG: 403, OTHER: 200})
    again = contained(server, order)
    assert again["state"] == "in_force", "whoever got no answer asks again and gets the same containment"
    eventually(lambda: health(server), (1, 0, 0))
    with server.client() as client:
        client.post(f"/v1/containments/{again['id']}/rollback", json={"reason": "a mistake"}).raise_for_status()
    eventually(lambda: seen(envoy)[LONG], 200)
