"""Writes a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from gatewatch.formats.evidence.contents import ABOUT, README, contents
from gatewatch.formats.evidence.keys import public_pem
from gatewatch.formats.evidence.manifest import KEY, MANIFEST, SIGNATURE, Entry, Manifest
from gatewatch.formats.records import rfc3339
from gatewatch.formats.review.moments import Moments
from gatewatch.model.evidence import CaseFile

__all__ = ["bundle", "packed"]

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that zip knows: when a file was packed says nothing, the manifest has the time."""
_MODE, _UNIX = 0o644 << 16, 3


def bundle(
    case: CaseFile,
    observations: bytes,
    missing: Iterable[str],
    *,
    moments: Moments,
    public_key: bytes,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """The zip. `observations` as NDJSON, `missing` the ids that are named and not among them.

    Same input, same octets: order, times and modes are fixed.
    """
    files = contents(case, observations, moments) | {KEY: public_pem(public_key), "README.txt": README.encode()}
    manifest = Manifest(
        incident=case.dossier.incident.id,
        incident_revision=case.dossier.incident.revision,
        review_revision=case.review.revision,
        review_digest=case.review_digest,
        made_at=rfc3339(case.made_at),
        made_by=case.made_by,
        software=f"gatewatch {case.software}",
        key=case.fingerprint,
        audit_log_number=case.log_number,
        audit_log_digest=case.log_digest,
        alerts_left_out=case.alerts_left_out,
        observations_missing=tuple(sorted(missing)),
        files=tuple(
            Entry(name=name, size=len(data), sha256=sha256(data).hexdigest(), about=ABOUT[name])
            for name, data in sorted(files.items())
        ),
    )
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    return packed({MANIFEST: text, SIGNATURE: sign(text), **dict(sorted(files.items()))})


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files in this order."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in files.items():
            info = ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr, info.create_system = ZIP_DEFLATED, _MODE, _UNIX
            archive.writestr(info, data)
    return out.getvalue()
