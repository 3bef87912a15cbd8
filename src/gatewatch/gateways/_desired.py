"""What adapters share: which of the wanted can be had, and entries that are compared one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gatewatch.model.enforcement import Agreement, Enforcement
from gatewatch.ports.gateways import ChangedMeanwhileError, Gateway, PartlyAppliedError, RefusedError, Site

__all__ = ["ATTEMPTS", "EntryGateway", "Wanted", "again", "sorted_out"]

ATTEMPTS = 5
"""Times that a read, change and conditional write is begun anew when somebody else was faster."""
T = TypeVar("T")


class Wanted:
    """The live ones that a gateway can enforce, and why it can't enforce the others."""

    def __init__(self, able: dict[str, Enforcement], refused: dict[str, str]) -> None:
        """Both by id."""
        self.able, self.refused = able, refused

    def settled(self, agreement: Agreement) -> Agreement:
        """The agreement. Raises PartlyAppliedError when something had to be left out, RefusedError when everything."""
        if self.refused and not self.able and not agreement.in_force:
            raise RefusedError("; ".join(sorted(set(self.refused.values()))))
        if self.refused:
            raise PartlyAppliedError(agreement, self.refused)
        return agreement


def sorted_out(gateway: Gateway, wanted: Sequence[Enforcement], site: Site) -> Wanted:
    """Leave out what has expired and what can't be."""
    now = site.clock.now()
    able: dict[str, Enforcement] = {}
    refused: dict[str, str] = {}
    for one in sorted(wanted, key=lambda entry: entry.id):
        if one.expires_at <= now:
            continue
        if reason := gateway.refusal(one):
            refused[one.id] = reason
        else:
            able[one.id] = one
    return Wanted(able, refused)


def again(attempt: Callable[[], T]) -> T:
    """Do it until nobody else was faster. Raises ChangedMeanwhileError after ATTEMPTS."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except ChangedMeanwhileError:
            continue
    return attempt()


class EntryGateway(Gateway):
    """A gateway on which every enforcement is an entry of its own."""

    _site: Site

    @abstractmethod
    def _render(self, wanted: Enforcement) -> Any:
        """The entry as the gateway would show it."""

    @abstractmethod
    def _read(self) -> dict[str, Any]:
        """Our entries by id, as `_render` makes them where they are as they have to be."""

    @abstractmethod
    def _put(self, wanted: Enforcement, entry: Any, *, known: bool) -> None:
        """Make or replace one. Raises RefusedError for this one alone."""

    @abstractmethod
    def _drop(self, entry_id: str) -> None:
        """Remove one; nothing happens when it is gone."""

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """New and changed ones first, so that nothing is uncovered in between."""
        sorted_ = sorted_out(self, wanted, self._site)
        entries = {one.id: self._render(one) for one in sorted_.able.values()}
        found = self._read()
        differing = [one for one, entry in entries.items() if found.get(one) != entry]
        refused = self._put_all(sorted_, differing, entries, found)
        for one in found.keys() - entries.keys():
            self._drop(one)
        # Where there is room for one only, that may have been taken by one that is gone now.
        sorted_.refused |= self._put_all(sorted_, list(refused), entries, found)
        left = {one: entry for one, entry in entries.items() if one not in sorted_.refused}
        return sorted_.settled(Agreement.between(left, self._read()))

    def _put_all(
        self, sorted_: Wanted, chosen: Sequence[str], entries: dict[str, Any], found: dict[str, Any]
    ) -> dict[str, str]:
        """Why some could not be put."""
        refused = {}
        for one in chosen:
            try:
                self._put(sorted_.able[one], entries[one], known=one in found)
            except RefusedError as error:
                refused[one] = error.message
        return refused

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Compare."""
        sorted_ = sorted_out(self, wanted, self._site)
        return Agreement.between({one.id: self._render(one) for one in sorted_.able.values()}, self._read())
