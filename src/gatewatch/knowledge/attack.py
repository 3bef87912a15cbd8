"""MITRE ATT&CK (enterprise, v17): ids of tactics, names of the techniques that detectors of API traffic refer to."""

from __future__ import annotations

__all__ = ["ATTACK_VERSION", "TACTIC_IDS", "TECHNIQUE_NAMES", "technique_url"]

ATTACK_VERSION = "17"

TACTIC_IDS = {
    "PreAttack": ("TA0043", "Reconnaissance"),
    "InitialAccess": ("TA0001", "Initial Access"),
    "Execution": ("TA0002", "Execution"),
    "Persistence": ("TA0003", "Persistence"),
    "PrivilegeEscalation": ("TA0004", "Privilege Escalation"),
    "DefenseEvasion": ("TA0005", "Defense Evasion"),
    "CredentialAccess": ("TA0006", "Credential Access"),
    "Discovery": ("TA0007", "Discovery"),
    "LateralMovement": ("TA0008", "Lateral Movement"),
    "Collection": ("TA0009", "Collection"),
    "Exfiltration": ("TA0010", "Exfiltration"),
    "CommandAndControl": ("TA0011", "Command and Control"),
    "Impact": ("TA0040", "Impact"),
}
"""Intent of an alert -> (id, name). PreAttack was a matrix of its own once; what is left of it is Reconnaissance."""

TECHNIQUE_NAMES = {
    "T1059": "Command and Scripting Interpreter",
    "T1071": "Application Layer Protocol",
    "T1078": "Valid Accounts",
    "T1087": "Account Discovery",
    "T1110": "Brute Force",
    "T1110.001": "Password Guessing",
    "T1110.002": "Password Cracking",
    "T1110.003": "Password Spraying",
    "T1110.004": "Credential Stuffing",
    "T1190": "Exploit Public-Facing Application",
    "T1203": "Exploitation for Client Execution",
    "T1212": "Exploitation for Credential Access",
    "T1498": "Network Denial of Service",
    "T1499": "Endpoint Denial of Service",
    "T1499.003": "Application Exhaustion Flood",
    "T1526": "Cloud Service Discovery",
    "T1530": "Data from Cloud Storage",
    "T1539": "Steal Web Session Cookie",
    "T1567": "Exfiltration Over Web Service",
    "T1580": "Cloud Infrastructure Discovery",
    "T1589": "Gather Victim Identity Information",
    "T1595": "Active Scanning",
    "T1595.001": "Scanning IP Blocks",
    "T1595.002": "Vulnerability Scanning",
    "T1595.003": "Wordlist Scanning",
}


def technique_url(technique: str) -> str:
    """Its page at attack.mitre.org."""
    return f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}/"
