"""A real Envoy that asks our ext_authz service about every call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from gatewatch.gateways._board import Board
from gatewatch.gateways.asked import Asked
from gatewatch.gateways.bouncers import Bouncers
from gatewatch.gateways.ext_authz import ExtAuthz
from gatewatch.gateways.middleware import Middleware
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.observe.fingerprint import Fingerprinter
from gatewatch.observe.identity import Identities
from gatewatch.ports.gateways import Gateway, Site
from gatewatch.services.deciding import Deciding
from gatewatch.testing.processes import ChildProcess, answers, free_port
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, THROTTLED, Rig, one

FINGERPRINT = Fingerprinter(b"k" * 32)
_TYPE = "type.googleapis.com/envoy.extensions.filters"


class BoardRig(Rig):
    """Nobody asks: what is put up, and for how long."""

    real, survives, tampers = False, True, False
    kind: type[Board] = Bouncers
    board: Board | None = None
    silent = False

    def start(self) -> None:
        pass

    def make(self, site: Site) -> Gateway:
        board = self.board = self.kind(self.kind.settings(silent_after_s=60.0), site)
        heard = board._heard

        def asking() -> None:
            if not self.silent:
                board.current()
            heard()

        vars(board)["_heard"] = asking
        return board

    def current(self) -> Sequence[Enforcement]:
        return self.board.current() if self.board else ()

    def ended_since(self, moment: float) -> Sequence[Enforcement]:
        return self.board.ended_since(moment) if self.board else ()

    def plant(self) -> None:
        pass

    def planted(self) -> bool:
        return True

    def restart(self) -> None:
        pass

    def cut(self) -> None:
        self.silent = True
        self.clock.at += 61

    def mend(self) -> None:
        self.silent = False

    def tamper(self) -> None:
        pass

    def state(self) -> object:
        return (self.directory / "site" / "board.json").read_bytes()


class MiddlewareRig(BoardRig):
    kind = Middleware
    samples = (*ADDRESSES, DISABLED, NARROWED, THROTTLED)
    impossible = one(9, "key:00ff", kind=ScopeKind.ACTOR)


class AskedRig(BoardRig):
    kind, real = Asked, True
    samples = (
        *ADDRESSES,
        DISABLED,
        NARROWED,
        THROTTLED,
        one(7, f"key:{FINGERPRINT('k-123'):016x}", kind=ScopeKind.ACTOR, effect=Effect.SUSPEND_KEY),
    )
    impossible = one(9, "192.0.2.0/99", kind=ScopeKind.RANGE)

    def start(self) -> None:
        checks = Deciding(self, Identities(ObserveSettings(), FINGERPRINT), self.clock)
        service = ExtAuthz(checks, "127.0.0.1:0", ("127.0.0.0/8",))
        service.start()
        self.stack.callback(service.stop)
        port, admin = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = self.directory / "envoy.yaml"
        config.write_text(yaml.safe_dump(_envoy(port, admin, service.port)))
        command = (str(Path(sys.executable).parent / "envoy"), "-c", str(config), "--concurrency", "1")
        ready = answers(f"http://127.0.0.1:{admin}/ready")
        more = ("--use-dynamic-base-id", "--log-level", "warning")
        self.stack.enter_context(ChildProcess((*command, *more), log=self.directory / "envoy.log", ready=ready))


def _envoy(port: int, admin: int, service: int) -> dict[str, Any]:
    shipped = files("gatewatch.gateways").joinpath("snippets/ext_authz.yaml").read_text()
    # Calls pass when there is no answer in time; what is tested is the answer, not how soon this machine gives it.
    shipped = shipped.replace("timeout: 0.2s", "timeout: 60s")
    parts = yaml.safe_load(shipped.replace("port_value: 8422", f"port_value: {service}"))
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    manager = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "use_remote_address": True,
        "xff_num_trusted_hops": 1,
        # Envoy would add its own address for a peer on loopback, and that address is nobody's that it could name.
        "skip_xff_append": True,
        "http_filters": [*parts["http_filters"], router],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "static_resources": {
            "listeners": [{"name": "edge", "address": address, "filter_chains": [chain]}],
            "clusters": parts["clusters"],
        },
    }
