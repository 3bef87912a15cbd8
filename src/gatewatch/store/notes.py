"""What a transaction made different in each incident, kept apart by the rules that led to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gatewatch.model.activity import Activity
from gatewatch.model.difference import Difference, incident_difference
from gatewatch.model.incident import Incident

__all__ = ["ChangeNotes"]

_COMMENT = "comment"
_BY = "correlation"


class ChangeNotes:
    """Many changes of an incident by the same are one note; changes by another rule begin a new one."""

    def __init__(self) -> None:
        """Nothing changed yet, and nobody is the cause."""
        self._chain: tuple[str, ...] = ()
        self._open: dict[int, Incident | None] = {}
        self._written: list[tuple[int, Difference]] = []
        self._by: dict[int, str] = {}
        self._comments: Counter[int] = Counter()

    def put(self, number: int, before: Incident | None) -> None:
        """An incident is about to be replaced."""
        self._open.setdefault(number, before)

    def hear(self, activities: Sequence[Activity]) -> None:
        """Entries of the audit log say who does it, and that it is a comment."""
        for entry in activities:
            if entry.incident:
                self._by[entry.incident] = entry.by
                self._comments[entry.incident] += entry.action == _COMMENT

    def because_of(self, chain: tuple[str, ...], known: Mapping[int, Incident]) -> None:
        """What was noted until now had another cause; `known` are the incidents as they are."""
        if chain != self._chain:
            self._close(known)
            self._chain = chain

    def finish(self, known: Mapping[int, Incident]) -> list[tuple[int, Difference]]:
        """(incident, what is different), in order."""
        self._close(known)
        return self._written

    def _close(self, known: Mapping[int, Incident]) -> None:
        for number, before in self._open.items():
            by = self._by.get(number, _BY)
            told = incident_difference(before, known[number], by=by, chain=self._chain, comments=self._comments[number])
            self._written.append((number, told))
        self._open, self._by = {}, {}
        self._comments.clear()
