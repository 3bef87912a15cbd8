"""A batch is handed over until each item is taken, refused for good or waits; the order holds whatever happens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.model.alert import Severity
from gatewatch.model.export import ExportKind
from gatewatch.ports.export import BatchRefusedError, Content, Delivery, DeliveryError, Exporter, ExporterMeta
from gatewatch.services.exporting.delivering import Parcel, cut, deliver
from gatewatch.services.exporting.following import iso_week
from gatewatch.services.exporting.running import pause_s


def item(number: int, size: int = 1) -> Delivery:
    return Delivery(
        event_id=str(number),
        kind=ExportKind.ALERT,
        subject=str(number),
        at=0.0,
        severity=Severity.LOW,
        body=b"x" * size,
    )


class Moody(Exporter):
    """Takes what it likes: some items never, some calls not at all, sometimes only a part."""

    meta = ExporterMeta(id="moody", title="", description="", confirmation="")
    settings = msgspec.Struct

    def __init__(self, settings: Any, content: Content | None = None) -> None:
        self.poison: set[str] = settings["poison"]
        self.chance, self.named = random.Random(settings["seed"]), settings["named"]
        self.outages = settings["outages"]
        self.taken: list[str] = []

    def send(self, batch: Sequence[Delivery]) -> None:
        bad = [place for place, one in enumerate(batch) if one.event_id in self.poison]
        if self.outages and self.chance.random() < 0.3:
            self.outages -= 1
            part = self.chance.randrange(len(batch) + 1)
            part = min([part, *bad])
            self.taken += [one.event_id for one in batch[:part]]
            raise DeliveryError("away", settled=part if self.chance.random() < 0.5 else 0)
        if not bad:
            self.taken += [one.event_id for one in batch]
            return
        if self.named:
            self.taken += [one.event_id for place, one in enumerate(batch) if place not in bad]
            raise DeliveryError("some refused", settled=len(batch), refused=dict.fromkeys(bad, "poison"))
        raise BatchRefusedError("refused")

    def close(self) -> None:
        pass


@given(
    count=st.integers(1, 80),
    poison=st.sets(st.integers(0, 79), max_size=10),
    named=st.booleans(),
    seed=st.integers(0, 1 << 30),
    outages=st.integers(0, 5),
)
def test_nothing_is_lost_whatever_the_target_does(
    *, count: int, poison: set[int], named: bool, seed: int, outages: int
) -> None:
    bad = {str(number) for number in poison if number < count}
    target = Moody({"poison": bad, "seed": seed, "named": named, "outages": outages})
    batch = [item(number) for number in range(count)]
    done, letters = 0, list[str]()
    for _ in range(200):
        outcome = deliver(target, batch[done:])
        letters += [batch[done + index].event_id for index in outcome.refused]
        done += outcome.settled
        if outcome.error is None or len(bad) == count - done > 1:
            break
    if outcome.error is not None:
        return  # everything that is left is refused: the target is to blame, and nothing becomes a dead letter
    assert letters == sorted(bad, key=int)
    wanted = [one.event_id for one in batch if one.event_id not in bad]
    assert list(dict.fromkeys(target.taken)) == wanted, "first arrivals are in order"
    assert set(target.taken).isdisjoint(bad)
    if not outages:
        assert target.taken == wanted, "no repeats without a reason"


def test_a_target_that_refuses_everything_is_to_blame_itself() -> None:
    target = Moody({"poison": {"0", "1", "2"}, "seed": 1, "named": False, "outages": 0})
    outcome = deliver(target, [item(0), item(1), item(2)])
    assert outcome.error is not None
    assert (outcome.settled, outcome.refused) == (0, {})
    alone = deliver(target, [item(0)])
    assert (alone.settled, alone.refused, alone.error) == (1, {0: "refused"}, None)


@given(
    sizes=st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=40),
    items=st.integers(1, 5),
    octets=st.integers(1, 40),
)
def test_batches_are_cut_by_number_and_size(sizes: list[int | None], items: int, octets: int) -> None:
    parcels = [Parcel(mark, None if size is None else item(mark, size)) for mark, size in enumerate(sizes)]
    batches = list(cut(parcels, items=items, octets=octets))
    assert [parcel for batch in batches for parcel in batch] == parcels
    for batch in batches:
        bodies = [len(one.delivery.body) for one in batch if one.delivery is not None]
        assert len(bodies) <= items
        assert len(bodies) <= 1 or sum(bodies) <= octets


def test_pauses_double_with_jitter_and_have_an_end() -> None:
    assert [pause_s(n, 1.0, 300.0, None, 1.0) for n in (1, 2, 3, 9, 10, 5000)] == [1, 2, 4, 256, 300, 300]
    assert [pause_s(n, 1.0, 300.0, None, 0.0) for n in (1, 2, 10)] == [0.5, 1, 150]
    assert pause_s(1, 1.0, 300.0, 42.0, 0.5) == 42.0
    assert pause_s(1, 1.0, 300.0, 1e9, 0.5) == 3600.0


def test_weeks_are_iso_weeks() -> None:
    assert iso_week(1_767_268_800.0) == "2026-W01"
    assert iso_week(1_609_459_200.0) == "2020-W53"
