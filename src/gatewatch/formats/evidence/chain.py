"""What files of a bundle must say among themselves."""

from __future__ import annotations

import msgspec

from gatewatch.formats.evidence.fault import Fault
from gatewatch.formats.evidence.manifest import Manifest
from gatewatch.formats.records import rfc3339
from gatewatch.model.activity import Activity, chained
from gatewatch.model.review import Review, content_digest

__all__ = ["chain_faults", "review_faults"]


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of activities.ndjson."""

    time: str
    before: str
    entry: Activity


def chain_faults(name: str, data: bytes, manifest: Manifest) -> tuple[list[Fault], int]:
    """Every digest covers its entry and the one before it; neighbours agree; nothing is newer than the log's head."""
    faults: list[Fault] = []
    last: Activity | None = None
    count = 0
    for count, line in enumerate(data.splitlines(), start=1):
        try:
            one = msgspec.json.decode(line, type=_Line)
        except msgspec.DecodeError as error:
            faults.append(Fault(code="chain", file=name, text=f"line {count} can't be read: {error}"))
            continue
        faults += [Fault(code="chain", file=name, text=text) for text in _wrong(one, last, manifest)]
        last = one.entry
    return faults, count


def _wrong(one: _Line, last: Activity | None, manifest: Manifest) -> list[str]:
    entry, number = one.entry, one.entry.number
    found = []
    if chained(one.before, entry) != entry.digest:
        found.append(f"entry {number} does not have the digest of what it says")
    if rfc3339(entry.at) != one.time:
        found.append(f"entry {number} is shown with another time than it has")
    if last is not None and number <= last.number:
        found.append(f"entry {number} follows entry {last.number}")
    if last is not None and number == last.number + 1 and one.before != last.digest:
        found.append(f"entry {number} does not continue entry {last.number}")
    if number > manifest.audit_log_number:
        found.append(f"entry {number} is newer than the log, which ends at {manifest.audit_log_number}")
    if number == manifest.audit_log_number and entry.digest != manifest.audit_log_digest:
        found.append(f"entry {number} is the newest of the log, but has another digest")
    return found


def review_faults(name: str, data: bytes, manifest: Manifest) -> tuple[list[Fault], int]:
    """The review has the digest that the manifest names and that was signed off."""
    try:
        review = msgspec.json.decode(data, type=Review)
    except msgspec.DecodeError as error:
        return [Fault(code="review", file=name, text=f"can't be read: {error}")], 0
    digest, faults = content_digest(review), list[Fault]()
    if digest != manifest.review_digest:
        faults.append(Fault(code="review", file=name, text=f"has digest {digest}, the manifest names another"))
    if review.sign_off is not None and review.sign_off.digest != digest:
        text = f"{review.sign_off.by} signed off {review.sign_off.digest}, this is {digest}"
        faults.append(Fault(code="review", file=name, text=text))
    return faults, 0
