"""Entries of the audit log about remediation."""

from __future__ import annotations

from gatewatch.model.activity import Activity, Origin, Subject

__all__ = ["SYSTEM", "entry"]

SYSTEM = "remediation"
"""The part of Gatewatch that follows activities."""


def entry(
    subject_id: str, action: str, text: str, *, by: str, at: float, incident: int = 0, **details: str
) -> Activity:
    """`by` SYSTEM or a person."""
    return Activity(
        at=at,
        origin=Origin.SYSTEM if by == SYSTEM else Origin.PERSON,
        by=by,
        subject=Subject.REMEDIATION,
        subject_id=subject_id,
        incident=incident,
        action=action,
        text=text,
        details=details,
    )
