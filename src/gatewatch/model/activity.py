"""Who changed what, when and why: the entries of the append-only audit log."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b

import msgspec

__all__ = ["Activity", "ChainedActivity", "Origin", "Subject", "chained"]


class Origin(StrEnum):
    """Whether a person or a rule of ours did it."""

    PERSON = "person"
    SYSTEM = "system"


class Subject(StrEnum):
    """What was changed."""

    ALERT = "alert"
    INCIDENT = "incident"
    SUPPRESSION = "suppression"
    EXPORT = "export"
    TOKEN = "token"  # noqa: S105 - the name of a kind of thing
    DETECTOR = "detector"
    PLAYBOOK = "playbook"
    RUN = "run"
    CONTAINMENT = "containment"
    RULE = "rule"
    """An automation rule."""
    REMEDIATION = "remediation"
    """A remediation activity, or an exception from a recommendation."""
    SUBSCRIPTION = "subscription"
    """A flow of another system that is called back."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `number` and `digest` are given by the log: each digest covers the entry and the digest before it."""

    number: int = 0
    at: float
    origin: Origin
    by: str
    """Token name, or the part of Gatewatch that did it."""
    subject: Subject
    subject_id: str
    incident: int = 0
    """The incident whose log shows it; 0 for none."""
    action: str
    """`comment`, `assigned`, `status`, `joined`, `merged`, ..."""
    text: str = ""
    """For people: one sentence, or the comment."""
    details: dict[str, str] = {}
    digest: str = ""


class ChainedActivity(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with what its digest covers besides itself."""

    before: str
    """Digest of the entry before it in the whole log; '' for the first."""
    entry: Activity


def chained(before: str, entry: Activity) -> str:
    """The digest of an entry that follows the one with digest `before`; the entry's own digest is left out."""
    plain = msgspec.structs.replace(entry, digest="")
    return blake2b(before.encode() + msgspec.msgpack.encode(plain), digest_size=16).hexdigest()
