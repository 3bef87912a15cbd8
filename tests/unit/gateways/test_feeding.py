"""What pullers are told: everything once, and never that something ended which another enforcement still covers."""

from __future__ import annotations

from tests.gateway_rigs.rig import BAD, HOUR, NOW, one

from gatewatch.model.containment import ScopeKind
from gatewatch.model.enforcement import Enforcement
from gatewatch.services.feeding import DecisionFeed, PulledDecision
from gatewatch.testing.gateways import SetClock


class Board:
    def __init__(self) -> None:
        self.now: list[Enforcement] = []
        self.ended: list[tuple[float, Enforcement]] = []

    def current(self) -> list[Enforcement]:
        return self.now

    def ended_since(self, moment: float) -> list[Enforcement]:
        return [made for at, made in self.ended if at >= moment]


def values(decisions: list[PulledDecision]) -> list[str]:
    return sorted(decision.value for decision in decisions)


def feed() -> tuple[DecisionFeed, Board, SetClock]:
    board, clock = Board(), SetClock(NOW)
    return DecisionFeed(board, board, clock), board, clock


def test_everything_at_start_and_then_only_what_changed() -> None:
    made, board, clock = feed()
    board.now = [one(1), one(2, "198.51.100.1")]
    new, deleted = made.stream("k", startup=True)
    assert (values([*new]), deleted) == (["198.51.100.1", BAD], [])
    assert made.stream("k", startup=False) == ([], [])
    clock.at += 10
    board.ended.append((clock.at, board.now.pop()))
    board.now.append(one(3, "198.51.100.2"))
    clock.at += 10
    new, deleted = made.stream("k", startup=False)
    assert (values([*new]), values([*deleted])) == (["198.51.100.2"], ["198.51.100.1"])


def test_a_key_that_is_not_known_is_told_everything_and_all_that_ended() -> None:
    made, board, clock = feed()
    board.now, board.ended = [one(1)], [(NOW - 3600, one(2, "198.51.100.1"))]
    new, deleted = made.stream("after our restart", startup=False)
    assert (values([*new]), values([*deleted])) == ([BAD], ["198.51.100.1"])
    assert clock.at == NOW


def test_of_two_for_one_address_the_longer_is_told_and_the_end_of_one_is_no_end() -> None:
    made, board, clock = feed()
    board.now = [one(1), one(2)]
    new, _ = made.stream("k", startup=True)
    assert [decision.duration for decision in new] == [f"{2 * HOUR:.0f}s"]
    clock.at += 10
    board.ended.append((clock.at, board.now.pop()))
    new, deleted = made.stream("k", startup=False)
    assert [decision.scenario for decision in new] == ["gatewatch/c1"] and deleted == []


def test_scopes_are_asked_for_in_any_case() -> None:
    made, board, _ = feed()
    board.now = [one(1), one(2, "198.51.100.0/24", kind=ScopeKind.RANGE)]
    assert values([*made.stream("k", startup=True, scopes=["IP"])[0]]) == [BAD]
    assert [decision.scope for decision in made.decisions(ip="198.51.100.9")] == ["Range"]
    assert made.decisions(network="198.51.0.0/16") == []


def test_an_end_is_told_though_the_clock_was_set_back() -> None:
    made, board, clock = feed()
    board.now = [one(1), one(2, "198.51.100.1")]
    made.stream("k", startup=True)
    clock.at -= HOUR
    board.ended.append((clock.at, board.now.pop()))
    clock.at += 10
    new, deleted = made.stream("k", startup=False)
    assert (new, values([*deleted])) == ([], ["198.51.100.1"])
    assert deleted[0].duration.startswith("-")
    assert values([*made.stream("k", startup=False)[1]]) == []
