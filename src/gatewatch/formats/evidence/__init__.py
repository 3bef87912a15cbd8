"""Evidence bundles: a zip of everything on record about an incident, with a signed manifest, checked offline."""

from __future__ import annotations

from gatewatch.formats.evidence.bundle import bundle
from gatewatch.formats.evidence.keys import fingerprint, public_pem, read_public
from gatewatch.formats.evidence.verifying import Fault, Verdict, verify

__all__ = ["Fault", "Verdict", "bundle", "fingerprint", "public_pem", "read_public", "verify"]
