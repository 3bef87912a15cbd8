"""What one target does next: changes, letters that are wanted again, a pass over everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TypeVar

import msgspec

from gatewatch.model.export import Exported, ExportItem, ExportKind, export_item
from gatewatch.ports.changes import Change, ChangeLog
from gatewatch.ports.clock import Clock
from gatewatch.ports.export import Delivery, DeliveryError, ExportStore, Letter, Progress, UnsayableError, Walk
from gatewatch.services.exporting.delivering import Parcel, cut, deliver
from gatewatch.services.exporting.targets import Target

__all__ = ["Follower", "FullError", "iso_week"]

_PAGE = 500
M = TypeVar("M")


class FullError(DeliveryError):
    """The target has as many dead letters as it may have."""

    code = "dead-letters-full"


def iso_week(ts: float) -> str:
    """`2026-W47`, UTC."""
    year, week, _ = datetime.fromtimestamp(ts, UTC).isocalendar()
    return f"{year}-W{week:02d}"


class Follower:
    """One target's work, a step at a time. Not thread-safe; its thread is elsewhere."""

    def __init__(self, target: Target, store: ExportStore, log: ChangeLog, clock: Clock) -> None:
        """A target that was never seen begins with what changes from now on."""
        self.target, self._store, self._log, self._clock = target, store, log, clock
        self.progress = store.begin(Progress(target=target.name, position=log.head()))
        self.took_at = 0.0
        """Unix seconds of the last delivery."""
        self._letters = store.letter_count(target.name)

    def step(self) -> bool:
        """Settle the next things; whether there were any. Raises DeliveryError after settling what could be."""
        self.progress = self._store.progress(self.target.name) or self.progress
        if self.progress.paused:
            return False
        if self._full():
            if not self._send_letters():
                told = f"{self._letters} dead letters, as many as there may be"
                raise FullError(told, cure="Send them again, or drop them.")
            return True
        self._plan()
        worked = self._follow() if self.target.streams else False
        worked = self._send_letters() or worked
        return self._walk() or worked

    def count_letters(self) -> None:
        """Anew: another server served the target meanwhile."""
        self._letters = self._store.letter_count(self.target.name)

    def send_test(self, item: ExportItem) -> None:
        """One made-up item, which counts for nothing. Raises DeliveryError."""
        outcome = deliver(self.target.exporter, [self.target.render(item)])
        if outcome.error is not None:
            raise outcome.error
        if outcome.refused:
            raise DeliveryError(f"the test message was refused: {outcome.refused[0]}")

    def _full(self) -> bool:
        most = self.target.settings.max_dead_letters
        if self._letters >= most:
            self.count_letters()
        return self._letters >= most

    def _plan(self) -> None:
        """Take up a pass that was asked for, that is due, or that a gap in the change log makes necessary."""
        now, known = self._clock.now(), self.progress
        if known.asked is not None:
            self._store.accept_walk(self.target.name, known.asked)
            self.progress = known = msgspec.structs.replace(known, walk=known.asked, asked=None)
        oldest = self._store.oldest_change()
        if self.target.streams and known.position + 1 < oldest:
            walk = Walk(kinds=self._walked(), started_at=now)
            self._settle(msgspec.structs.replace(known, position=oldest - 1, walk=walk))
        elif self.target.snapshots and known.walk is None and known.week != (week := iso_week(now)):
            self._settle(msgspec.structs.replace(known, walk=Walk(snapshot=week, kinds=self._walked(), started_at=now)))

    def _walked(self) -> tuple[ExportKind, ...]:
        return tuple(kind for kind in ExportKind if kind in self.target.settings.kinds)

    def _follow(self) -> bool:
        found = self._log.changes(self.progress.position, _PAGE)
        if not found:
            return False

        def settled(mark: int, sent: int, letters: Sequence[Letter]) -> None:
            known = self.progress
            self._settle(
                msgspec.structs.replace(known, position=mark, delivered=known.delivered + sent), letters=letters
            )

        self._run(self._changed(found), settled)
        return True

    def _changed(self, found: Sequence[Change]) -> list[Parcel[int]]:
        """Several changes of one thing are one delivery of what it is now, where the last of them stands."""
        last = {(change.kind.value, change.subject): change.seq for change in found}
        values: dict[tuple[str, str], Exported] = {}
        for kind in self._walked():
            subjects = [subject for name, subject in last if name == kind.value]
            if subjects:
                values |= {(kind.value, key): value for key, value in self._store.read(kind, subjects).items()}
        parcels = []
        for change in found:
            place = (change.kind.value, change.subject)
            value = values.get(place) if last[place] == change.seq else None
            parcels.append(self._parcel(change.seq, value, ""))
        return parcels

    def _parcel(self, mark: M, value: Exported | None, snapshot: str, known: str = "") -> Parcel[M]:
        """`known`: id of the letter that is sent again."""
        item = export_item(value, snapshot=snapshot) if value is not None else None
        if item is None or not self.target.wants(item):
            return Parcel(mark, None)
        try:
            return Parcel(mark, self.target.render(item))
        except UnsayableError as error:
            return Parcel(mark, None, self._letter(item, error.message, known))

    def _send_letters(self) -> bool:
        wanted = self._store.wanted_letters(self.target.name, _PAGE)
        if not wanted:
            return False
        parcels: list[Parcel[str]] = []
        for letter in wanted:
            value = self._store.read(letter.kind, [letter.subject]).get(letter.subject)
            parcel = self._parcel(letter.id, value, letter.snapshot, letter.id)
            if parcel.delivery is not None:
                parcels.append(parcel)
            elif parcel.letter is not None:
                self._settle(self.progress, letters=[parcel.letter])
            else:
                self._store.forget_letters([letter.id])
        for batch in cut(parcels, items=self.target.meta.max_items, octets=self.target.meta.max_bytes):
            self._send_again(batch)
        self.count_letters()
        return True

    def _send_again(self, batch: Sequence[Parcel[str]]) -> None:
        deliveries = [parcel.delivery for parcel in batch if parcel.delivery is not None]
        outcome = deliver(self.target.exporter, deliveries)
        refused = [self._letter(deliveries[index], why, batch[index].mark) for index, why in outcome.refused.items()]
        taken = [batch[index].mark for index in range(outcome.settled) if index not in outcome.refused]
        self._store.forget_letters(taken)
        known = self.progress
        self._settle(msgspec.structs.replace(known, delivered=known.delivered + len(taken)), letters=refused)
        if outcome.error is not None:
            raise outcome.error

    def _walk(self) -> bool:
        walk = self.progress.walk
        if walk is None:
            return False
        if not walk.kinds:
            week = walk.snapshot or self.progress.week
            self._settle(msgspec.structs.replace(self.progress, walk=None, week=week))
            return True
        page = self._store.walk(walk.kinds[0], walk.cursor, _PAGE)
        if not page:
            following = msgspec.structs.replace(walk, kinds=walk.kinds[1:], cursor=(0.0, ""))
            self._settle(msgspec.structs.replace(self.progress, walk=following))
            return True

        def settled(mark: tuple[float, str], sent: int, letters: Sequence[Letter]) -> None:
            known = self.progress
            assert known.walk is not None
            new = msgspec.structs.replace(known.walk, cursor=mark, sent=known.walk.sent + sent)
            counted = msgspec.structs.replace(known, walk=new, delivered=known.delivered + sent)
            self._settle(counted, letters=letters)

        self._run([self._parcel(mark, value, walk.snapshot) for mark, value in page], settled)
        return True

    def _run(self, parcels: Sequence[Parcel[M]], settled: Callable[[M, int, Sequence[Letter]], None]) -> None:
        """Batch after batch; what was settled is remembered before an error goes on."""
        for batch in cut(parcels, items=self.target.meta.max_items, octets=self.target.meta.max_bytes):
            places = [place for place, parcel in enumerate(batch) if parcel.delivery is not None]
            deliveries = [parcel.delivery for parcel in batch if parcel.delivery is not None]
            outcome = deliver(self.target.exporter, deliveries)
            end = places[outcome.settled] if outcome.error is not None else len(batch)
            if end:
                refused = [self._letter(deliveries[index], why) for index, why in outcome.refused.items()]
                unsaid = [parcel.letter for parcel in batch[:end] if parcel.letter is not None]
                settled(batch[end - 1].mark, outcome.settled - len(refused), [*refused, *unsaid])
            if outcome.error is not None:
                raise outcome.error

    def _settle(self, progress: Progress, *, letters: Sequence[Letter] = ()) -> None:
        if progress.delivered > self.progress.delivered:
            self.took_at = self._clock.now()
        self._store.settle(progress, letters)
        self.progress = progress
        self._letters += len(letters)

    def _letter(self, delivery: Delivery | ExportItem, reason: str, known: str = "") -> Letter:
        name = f"{self.target.name} {delivery.event_id}"
        return Letter(
            id=known or blake2b(name.encode(), digest_size=16).hexdigest(),
            target=self.target.name,
            event_id=delivery.event_id,
            kind=delivery.kind,
            subject=delivery.subject,
            snapshot=delivery.snapshot,
            reason=reason,
            refused_at=self._clock.now(),
        )
