"""What we say of Traefik that no other gateway does."""

from __future__ import annotations

from pathlib import Path

from tests.gateway_rigs.rig import GOOD
from tests.gateway_rigs.traefik import TraefikRig


def test_it_refuses_calls_while_gatewatch_is_away(tmp_path: Path) -> None:
    with TraefikRig(tmp_path) as rig:
        assert rig.status(GOOD) == 200
        rig.leave()
        assert rig.status(GOOD) == 500
