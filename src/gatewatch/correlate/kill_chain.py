"""The order in which attacks usually go on."""

from __future__ import annotations

from gatewatch.model.alert import Tactic

__all__ = ["stage", "title"]

_ORDER = (
    Tactic.PRE_ATTACK,
    Tactic.DISCOVERY,
    Tactic.INITIAL_ACCESS,
    Tactic.CREDENTIAL_ACCESS,
    Tactic.EXECUTION,
    Tactic.PERSISTENCE,
    Tactic.PRIVILEGE_ESCALATION,
    Tactic.DEFENSE_EVASION,
    Tactic.LATERAL_MOVEMENT,
    Tactic.COMMAND_AND_CONTROL,
    Tactic.COLLECTION,
    Tactic.EXFILTRATION,
    Tactic.IMPACT,
)
"""On an API discovery comes before access: the surface is found out first. Otherwise ATT&CK's order."""
_TITLES = {
    Tactic.PRE_ATTACK: "Reconnaissance",
    Tactic.DISCOVERY: "Discovery",
    Tactic.INITIAL_ACCESS: "Initial access",
    Tactic.CREDENTIAL_ACCESS: "Credential access",
    Tactic.EXECUTION: "Execution",
    Tactic.PERSISTENCE: "Persistence",
    Tactic.PRIVILEGE_ESCALATION: "Privilege escalation",
    Tactic.DEFENSE_EVASION: "Defence evasion",
    Tactic.LATERAL_MOVEMENT: "Lateral movement",
    Tactic.COMMAND_AND_CONTROL: "Command and control",
    Tactic.COLLECTION: "Collection",
    Tactic.EXFILTRATION: "Exfiltration",
    Tactic.IMPACT: "Impact",
}


def stage(tactic: Tactic) -> int:
    """0 for the earliest."""
    return _ORDER.index(tactic)


def title(tactic: Tactic) -> str:
    """As people write it."""
    return _TITLES[tactic]
