"""Security controls: recommendations that share one sum of points, named and weighed as Microsoft does.

A recommendation names its control in its metadata. The points are those of reference/microsoft.md 11.3; controls that
say nothing about APIs (management ports, endpoint protection, encryption at rest …) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["BEST_PRACTICES", "CONTROLS", "Control"]


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One control."""

    id: str
    title: str
    points: float
    """What it adds to the score when everything is healthy."""


BEST_PRACTICES = "best_practices"
"""Adds nothing to the score: where recommendations are that name no other control."""

CONTROLS: Mapping[str, Control] = {
    control.id: control
    for control in (
        Control(id="vulnerabilities", title="Remediate vulnerabilities", points=6),
        Control(id="access_and_permissions", title="Manage access and permissions", points=4),
        Control(id="security_configurations", title="Remediate security configurations", points=4),
        Control(id="encryption_in_transit", title="Encrypt data in transit", points=4),
        Control(id="network_access", title="Restrict unauthorized network access", points=4),
        Control(id="ddos", title="Protect against DDoS attacks", points=2),
        Control(id="auditing_and_logging", title="Enable auditing and logging", points=1),
        Control(id=BEST_PRACTICES, title="Implement security best practices", points=0),
    )
}
