"""The files of a bundle."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gatewatch.formats.incident_records import graph_record, incident_record, rule_record, story_record
from gatewatch.formats.records import alert_record, rfc3339
from gatewatch.formats.review import render_markdown, render_page, render_pdf, review_blocks
from gatewatch.formats.review.moments import Moments
from gatewatch.model.activity import ChainedActivity
from gatewatch.model.evidence import CaseFile

__all__ = ["ABOUT", "ACTIVITIES", "DETECTOR_CHANGES", "README", "REVIEW", "contents"]

ACTIVITIES, DETECTOR_CHANGES, REVIEW = "activities.ndjson", "detector-changes.ndjson", "review.json"
ABOUT = {
    "README.txt": "what this is, and how to check it with and without Gatewatch",
    "signing-key.pem": "public key that the signature fits; trust in it must come from elsewhere",
    "incident.json": "the incident as it stands",
    "story.json": "the attack story",
    "graph.json": "entities and alerts as a graph",
    "alerts.ndjson": "all its alerts",
    "observations.ndjson": "stored calls that alerts name as evidence, redacted when they were observed",
    ACTIVITIES: "its entries of the audit log and those of incidents merged into it; each digest covers the entry and "
    "the digest before it",
    DETECTOR_CHANGES: "entries of the audit log about settings of its detectors",
    "detectors.json": "texts, settings and queries of its detectors",
    REVIEW: "the review as it is kept; its digest is what was signed off",
    "review.md": "the review as Markdown",
    "review.html": "the review as HTML",
    "review.pdf": "the review as PDF",
}
README = """\
Gatewatch evidence bundle
=========================

manifest.json   what is in this bundle: SHA-256 and size of every file, versions, who made it and when
manifest.sig    Ed25519 signature (64 octets) over the octets of manifest.json
signing-key.pem public key that the signature fits

Check with Gatewatch, offline:

  gatewatch evidence verify BUNDLE.zip --key sha256:FINGERPRINT

Check without Gatewatch, in the unpacked folder (OpenSSL 3, Python 3):

  openssl pkeyutl -verify -pubin -inkey signing-key.pem -rawin -in manifest.json -sigfile manifest.sig
  openssl pkey -pubin -in signing-key.pem -outform DER | tail -c 32 | sha256sum
  python3 - <<'END'
  import hashlib, json
  for file in json.load(open("manifest.json"))["files"]:
      print(hashlib.sha256(open(file["name"], "rb").read()).hexdigest() == file["sha256"], file["name"])
  END

The second line prints the key's fingerprint. A key in a bundle proves nothing by itself: compare the fingerprint with
the one that the installation shows (GET /v1/signing-key), or with one written down before.

What is proved: the installation that holds the key had these files on record when it signed. What is not: that nobody
with access to that machine had changed its stores before. The audit log's digests make such changes visible in
bundles and notes made earlier.
"""


def contents(case: CaseFile, observations: bytes, moments: Moments) -> dict[str, bytes]:
    """Name -> octets."""
    dossier, blocks = case.dossier, review_blocks(case, moments)
    rules = {rule.id: rule_record(rule) for rule in dossier.rules}
    detectors = [msgspec.to_builtins(one) | {"rule": rules.get(one.id)} for one in case.detectors]
    title = f"Post-incident review, incident {dossier.incident.id}"
    return {
        "incident.json": _json(incident_record(dossier.incident)),
        "story.json": _json(story_record(dossier.story)),
        "graph.json": _json(graph_record(dossier.graph)),
        "alerts.ndjson": _lines(map(alert_record, case.alerts)),
        "observations.ndjson": observations,
        ACTIVITIES: _lines(map(_chained, case.activities)),
        DETECTOR_CHANGES: _lines(map(_chained, case.detector_changes)),
        "detectors.json": _json(detectors),
        REVIEW: _json(case.review),
        "review.md": render_markdown(blocks).encode(),
        "review.html": render_page(blocks).encode(),
        "review.pdf": render_pdf(blocks, title=title, author=f"Gatewatch {case.software}"),
    }


def _chained(one: ChainedActivity) -> dict[str, object]:
    return {"time": rfc3339(one.entry.at), "before": one.before, "entry": one.entry}


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _lines(records: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)
