"""What one change made different, kept with it in the log of changes: what rules call an event."""

from __future__ import annotations

import msgspec

from gatewatch.model.finding import Finding
from gatewatch.model.incident import Incident

__all__ = ["Difference", "finding_difference", "incident_difference"]

_SCALARS = ("status", "severity", "assigned_to", "classification", "determination")
_JUDGED = ("status", "severity")
_MOST_TEXT = 256
"""Characters of a value that are kept."""


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one incident, alert or finding, by one change. An alert says only that it was created."""

    created: bool = False
    by: str = ""
    """Token name, `correlation`, `rule NAME`, `playbook …`."""
    chain: tuple[str, ...] = ()
    """Automation rules that led to it; the last of them made it."""
    fields: dict[str, tuple[str, str]] = {}
    """Property -> (before, after)."""
    alerts_added: int = 0
    comments_added: int = 0
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    tactics_added: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing that anybody asks for; counts and times change all the while."""
        told = (self.fields, self.alerts_added, self.comments_added)
        return not (self.created or any(told) or self.tags_added or self.tags_removed or self.tactics_added)


def incident_difference(
    old: Incident | None, new: Incident, *, by: str, chain: tuple[str, ...], comments: int
) -> Difference:
    """`old` is None for one that was opened."""
    if old is None:
        return Difference(created=True, by=by, chain=chain)
    before, after = {*old.tags, *old.system_tags}, {*new.tags, *new.system_tags}
    return Difference(
        by=by,
        chain=chain,
        fields=_changed(old, new, _SCALARS),
        alerts_added=max(0, new.alerts - old.alerts),
        comments_added=comments,
        tags_added=tuple(sorted(after - before)),
        tags_removed=tuple(sorted(before - after)),
        tactics_added=tuple(tactic.value for tactic in new.tactics if tactic not in old.tactics),
    )


def finding_difference(old: Finding | None, new: Finding) -> Difference:
    """`old` is None for one that was not known."""
    fields = _changed(old, new, _JUDGED) if old is not None else {}
    return Difference(created=old is None, by="posture", fields=fields)


def _changed(old: object, new: object, names: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    pairs = {name: (str(getattr(old, name))[:_MOST_TEXT], str(getattr(new, name))[:_MOST_TEXT]) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
