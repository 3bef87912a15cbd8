"""All rigs by name."""

from __future__ import annotations

from tests.gateway_rigs.envoy import EnvoyRig
from tests.gateway_rigs.memory import MemoryRig
from tests.gateway_rigs.rig import Rig

RIGS: dict[str, type[Rig]] = {"memory": MemoryRig, "envoy": EnvoyRig}
