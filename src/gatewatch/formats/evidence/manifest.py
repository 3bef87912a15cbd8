"""What a bundle says of itself; the signature covers exactly these octets."""

from __future__ import annotations

import msgspec

__all__ = ["FORMAT", "KEY", "MANIFEST", "SIGNATURE", "VERSION", "Entry", "Manifest"]

MANIFEST, SIGNATURE, KEY = "manifest.json", "manifest.sig", "signing-key.pem"
FORMAT, VERSION = "gatewatch-evidence", 1


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file."""

    name: str
    size: int
    """Octets, not compressed."""
    sha256: str
    about: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the bundle but the manifest itself and its signature."""

    format: str = FORMAT
    version: int = VERSION
    incident: int
    incident_revision: int
    review_revision: int
    review_digest: str
    made_at: str
    """RFC 3339."""
    made_by: str
    software: str
    key: str
    """Fingerprint of the key that signed."""
    audit_log_number: int
    """Newest entry of the whole audit log, and its digest: what a later bundle's log must continue."""
    audit_log_digest: str
    alerts_left_out: int
    observations_missing: tuple[str, ...]
    """Stored calls that alerts name and the traffic store no longer has."""
    files: tuple[Entry, ...]
    """By name."""
