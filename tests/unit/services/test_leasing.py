"""Leases as this server sees them: fresh answers from memory, renewal through long steps, terms."""

from __future__ import annotations

from functools import partial

import structlog

from gatewatch.errors import StoreError
from gatewatch.ports.leases import ALWAYS, Lease
from gatewatch.services.leasing import LeasedTurn, Leasing
from gatewatch.services.repeating import Repeating

TTL = 15.0


class Table:
    """One lease table whose time the test sets; counts what it is asked."""

    def __init__(self) -> None:
        self.time, self.asked, self.away = 0.0, 0, False
        self.rows: dict[str, tuple[str, float]] = {}

    def take(self, name: str, holder: str, ttl_s: float) -> bool:
        if self.away:
            raise StoreError("the store is away")
        self.asked += 1
        other, until = self.rows.get(name, (holder, 0.0))
        if other == holder or until <= self.time:
            self.rows[name] = (holder, self.time + ttl_s)
            return True
        return False

    def release(self, name: str, holder: str) -> None:
        if self.away:
            raise StoreError("the store is away")
        if self.rows.get(name, ("", 0.0))[0] == holder:
            del self.rows[name]

    def leases(self) -> list[Lease]:
        return [
            Lease(name=name, holder=holder, left_s=until - self.time)
            for name, (holder, until) in sorted(self.rows.items())
        ]


def server(table: Table, name: str) -> Leasing:
    return Leasing(table, name, lambda: table.time, structlog.get_logger(), ttl_s=TTL)


def turn(leasing: Leasing) -> LeasedTurn:
    made = leasing.turn("job")
    assert isinstance(made, LeasedTurn)
    return made


def test_a_fresh_answer_comes_from_memory() -> None:
    table = Table()
    one, two = turn(server(table, "one")), turn(server(table, "two"))
    assert [one.mine() for _ in range(100)] == [True] * 100
    assert [two.mine() for _ in range(100)] == [False] * 100
    assert table.asked == 2
    table.time += 6
    assert (one.mine(), two.mine()) == (True, False)
    assert table.asked == 4
    assert (one.term, two.term) == (1, 0)


def test_one_that_vanished_is_followed_when_its_lease_has_ended() -> None:
    table = Table()
    one, two = turn(server(table, "one")), turn(server(table, "two"))
    assert one.mine()
    table.time += TTL - 0.5
    assert not two.mine()
    table.time += 1.5
    assert not one.held
    assert two.mine()
    assert two.term == 1
    assert not one.mine(), "it came back too late"
    table.time += 2 * TTL
    assert one.mine()
    assert one.term == 2, "what it remembers of its first term is out of date"


def test_one_that_stops_gives_its_turn_up_at_once() -> None:
    table = Table()
    first, second = server(table, "one"), server(table, "two")
    assert turn(first).mine()
    assert not turn(second).mine()
    first.stop()
    table.time += 1.0
    assert turn(second).mine()
    assert first.held() == {"job": False}
    assert second.held() == {"job": True}
    assert [(one.name, one.holder) for one in first.leases()] == [("job", "two")]


def test_a_long_step_keeps_its_lease_but_not_for_ever() -> None:
    table = Table()
    first, second = server(table, "one"), server(table, "two")
    assert turn(first).mine()
    for _ in range(20):
        table.time += 5.0
        first.renew()
        assert not turn(second).mine()
    for _ in range(60):
        table.time += 5.0
        first.renew()
    assert turn(second).mine(), "a job that asks no more has died"


def test_nobody_works_while_nobody_can_tell() -> None:
    table = Table()
    leasing = server(table, "one")
    steps: list[int] = []
    runs = Repeating("job", lambda: steps.append(1), 1.0, structlog.get_logger(), turn=turn(leasing))
    runs.attempt()
    table.away, table.time = True, 6.0
    runs.attempt()
    assert (len(steps), runs.failing) == (1, "the store is away")
    leasing.stop()
    table.away = False
    runs.attempt()
    assert (len(steps), runs.failing) == (2, "")


def test_steps_outside_the_turn_are_left_out() -> None:
    table = Table()
    steps: list[str] = []
    one, two = (
        Repeating("job", partial(steps.append, name), 1.0, structlog.get_logger(), turn=turn(server(table, name)))
        for name in ("one", "two")
    )
    one.attempt()
    two.attempt()
    assert steps == ["one"]


def test_a_database_of_one_process_needs_no_lease() -> None:
    alone = Leasing(None, "one", lambda: 0.0, structlog.get_logger())
    assert alone.turn("job") is ALWAYS
    assert ALWAYS.mine()
    alone.start()
    alone.stop()
    assert (alone.held(), alone.leases(), alone.failing) == ({}, [], "")
