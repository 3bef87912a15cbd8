"""One contract for every gateway: the real programs, and servers written from vendors' references."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway_rigs.all import RIGS
from tests.gateway_rigs.rig import BAD, GOOD, HOUR, NOW, Rig, eventually, one

from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement
from gatewatch.ports.gateways import GatewayAwayError, PartlyAppliedError, RefusedError

_PLAIN = "10.9.8.7"


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with RIGS[request.param](tmp_path) as made:
        yield made


def only(trait: str) -> pytest.MarkDecorator:
    """For rigs that have the trait; the others have nothing that the test could be about."""
    return pytest.mark.parametrize("rig", [name for name in sorted(RIGS) if getattr(RIGS[name], trait)], indirect=True)


def ids(rig: Rig) -> tuple[str, ...]:
    return tuple(sorted(one.id for one in rig.samples))


def refuses(rig: Rig) -> bool:
    return rig.status(BAD) != 200


def test_applied_twice_is_applied_once(rig: Rig) -> None:
    gateway = rig.gateway()
    first = gateway.apply(rig.samples)
    assert first.complete and first.in_force == ids(rig)
    state = rig.state()
    assert gateway.apply(tuple(reversed(rig.samples))) == first
    assert rig.gateway().apply(rig.samples) == first, "another process comes to the same"
    assert rig.state() == state


def test_reading_back_changes_nothing_and_tells_the_truth(rig: Rig) -> None:
    gateway = rig.gateway()
    assert gateway.actual(rig.samples).missing == ids(rig)
    gateway.apply(rig.samples[:2])
    found = rig.gateway().actual(rig.samples[1:])
    assert found.in_force == (rig.samples[1].id,) and found.surplus == (rig.samples[0].id,)
    assert found.missing == tuple(sorted(one.id for one in rig.samples[2:]))


def test_what_is_not_wanted_any_more_goes(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples)
    if rig.real:
        eventually(lambda: refuses(rig), True)
        assert rig.status(_PLAIN) == 200
    agreement = gateway.apply(rig.samples[1:])
    assert agreement.complete and agreement.in_force == tuple(sorted(one.id for one in rig.samples[1:]))
    if rig.real:
        eventually(lambda: refuses(rig), False)
    assert gateway.apply([]).complete
    assert gateway.actual(rig.samples).missing == ids(rig)


def test_expired_ones_are_not_wanted(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples)
    rig.clock.at = NOW + HOUR
    left = tuple(sorted(one.id for one in rig.samples[1:]))
    assert gateway.apply(rig.samples).in_force == left
    if rig.real:
        eventually(lambda: refuses(rig), False)
    rig.clock.at = NOW + 1000 * HOUR
    assert gateway.apply(rig.samples).in_force == ()
    assert gateway.actual([]).complete


def test_a_changed_entry_is_changed(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples)
    first = rig.samples[0]
    moved = msgspec.structs.replace(first, scope=msgspec.structs.replace(first.scope, value=rig.other))
    wanted = (moved, *rig.samples[1:])
    assert gateway.actual(wanted).altered == (moved.id,)
    assert gateway.apply(wanted).complete
    if rig.real:
        eventually(lambda: rig.status(rig.other) != 200 and not refuses(rig), True)


def test_what_others_have_stays(rig: Rig) -> None:
    rig.plant()
    gateway = rig.gateway()
    assert gateway.apply(rig.samples).complete
    assert rig.planted()
    assert gateway.apply([]).complete
    assert rig.planted()


@only("races")
def test_a_change_by_others_at_the_same_time_stays(rig: Rig) -> None:
    gateway = rig.gateway()
    rig.race()
    assert gateway.apply(rig.samples).complete
    assert rig.raced()
    rig.race()
    assert gateway.apply([]).complete
    assert rig.raced()


@only("tampers")
def test_a_spoilt_entry_is_seen_and_mended(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples)
    rig.tamper()
    found = gateway.actual(rig.samples)
    assert rig.samples[0].id in (*found.altered, *found.missing)
    assert gateway.apply(rig.samples).complete
    if rig.real:
        eventually(lambda: refuses(rig), True)


def test_after_a_restart_it_is_made_to_agree_again(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples)
    rig.restart()
    found = gateway.actual(rig.samples)
    assert found.complete is rig.survives, "the truth after a restart"
    agreement = gateway.apply(rig.samples)
    assert agreement.complete and agreement.in_force == ids(rig)
    if rig.real:
        eventually(lambda: refuses(rig), True)


def test_while_it_is_away_that_is_said_and_afterwards_it_catches_up(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples[:1])
    rig.cut()
    with pytest.raises(GatewayAwayError) as away:
        gateway.apply(rig.samples)
    assert away.value.message
    with pytest.raises(GatewayAwayError):
        gateway.actual(rig.samples)
    rig.mend()
    assert gateway.apply(rig.samples).in_force == ids(rig)


def test_what_can_t_be_is_refused_and_the_rest_is_done(rig: Rig) -> None:
    gateway = rig.gateway()
    assert gateway.refusal(rig.impossible)
    with pytest.raises(PartlyAppliedError) as partly:
        gateway.apply((*rig.samples, rig.impossible))
    assert set(partly.value.refused) == {rig.impossible.id}
    assert partly.value.agreement.in_force == ids(rig)
    gateway.apply([])
    with pytest.raises(RefusedError):
        gateway.apply((rig.impossible,))


def test_every_ability_that_is_declared_is_had(rig: Rig) -> None:
    """Whatever the meta says that it can, it takes; nothing of it stays afterwards."""
    gateway, number = rig.gateway(), itertools.count(100)
    for ability in gateway.meta.abilities:
        wanted = [made for made in rig.examples(ability, number) if not gateway.refusal(made)]
        assert wanted, ability
        agreement = gateway.apply(wanted)
        assert agreement.complete and len(agreement.in_force) == len(wanted)
    assert gateway.apply([]).complete


def test_a_host_that_is_an_ipv6_address_is_taken_or_refused_by_itself(rig: Rig) -> None:
    """Callers choose the Host header, so it may be the host of an endpoint that is to be contained."""
    gateway = rig.gateway()
    odd = one(7, "GET [2001:db8::1]:8443 /users/{int}", kind=ScopeKind.ENDPOINT, effect=Effect.DISABLE_ENDPOINT)
    with suppress(PartlyAppliedError):
        gateway.apply((*rig.samples, odd))
    assert set(ids(rig)) <= set(gateway.actual((*rig.samples, odd)).in_force)
    assert gateway.apply(rig.samples).in_force == ids(rig)


@only("real")
def test_calls_are_treated_as_planned(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply(rig.samples)
    kinds = {one.id for one in rig.samples}
    eventually(lambda: refuses(rig), True)
    assert {rig.status(address) for address in ("2001:db8:7::1", "192.0.2.200", BAD)} == {rig.blocked}
    assert [rig.status(_PLAIN, path=path) for path in ("/", "/api/users/me", "/api/users")] == [200] * 3
    if "c4" in kinds:
        for path in ("/api/users/7", "/api/users/7?x=1", "/api//users/7/", "/api/%75sers/7"):
            assert rig.status(_PLAIN, path=path) == 503, path
        assert rig.status(_PLAIN, "POST", "/api/users/7") == 200
        assert rig.status(_PLAIN, path="/api/users/7", host="other.example") == 200
    if "c5" in kinds:
        gateway.apply([one for one in rig.samples if one.id != "c4"])
        eventually(lambda: rig.status(_PLAIN, path="/api/users/7"), 200)
        assert rig.status(GOOD, path="/api/users/7") == rig.blocked
        assert rig.status(GOOD, path="/api/users") == 200
    if "c6" in kinds:
        seen = [rig.status("198.51.100.77") for _ in range(12)]
        assert seen[0] == 200 and seen[-1] == 429 and seen.count(200) <= 6, seen
        assert rig.status(_PLAIN) == 200
    if "c7" in kinds:
        assert rig.status(_PLAIN, **{"x-api-key": "k-123"}) == 403
        assert rig.status(_PLAIN, **{"x-api-key": "k-124"}) == 200


@pytest.mark.parametrize("rig", ["azure-apim"], indirect=True)
def test_a_suspension_is_taken_over_from_one_that_has_ended(rig: Rig) -> None:
    def suspended(number: int) -> Enforcement:
        return one(number, "partner", kind=ScopeKind.CONSUMER, effect=Effect.SUSPEND_KEY)

    gateway = rig.gateway()
    gateway.apply([suspended(7)])
    assert gateway.apply([suspended(8)]).in_force == ("c8",), "in one turn: the end of one, the begin of the other"
    with pytest.raises(PartlyAppliedError, match="by containment c8"):
        gateway.apply([suspended(8), suspended(9)])
    assert gateway.apply([suspended(9)]).in_force == ("c9",)
    assert gateway.apply([]).complete and gateway.actual([suspended(9)]).missing == ("c9",)


@only("real")
def test_ipv4_seen_through_a_socket_of_both_is_the_same_caller(rig: Rig) -> None:
    gateway = rig.gateway()
    gateway.apply([one for one in rig.samples if one.id != "c4"])
    eventually(lambda: rig.status(f"::ffff:{BAD}"), rig.blocked)
    if "c5" in {one.id for one in rig.samples}:
        assert rig.status(f"::ffff:{GOOD}", path="/api/users/7") == rig.blocked
        assert rig.status(f"::ffff:{GOOD}", path="/api/users") == 200


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(st.tuples(st.sets(st.integers(0, 5)), st.sampled_from(["", "forget", "away"])), max_size=8))
def test_any_way_of_wishes_ends_in_agreement(tmp_path: Path, steps: list[tuple[set[int], str]]) -> None:
    with RIGS["memory"](tmp_path) as rig:
        gateway = rig.gateway()
        for wishes, trouble in steps:
            wanted = [rig.samples[index] for index in wishes]
            if trouble == "forget":
                rig.restart()
            if trouble == "away":
                rig.cut()
                with pytest.raises(GatewayAwayError):
                    gateway.apply(wanted)
                rig.mend()
            agreement = gateway.apply(wanted)
            assert agreement.complete and set(agreement.in_force) == {one.id for one in wanted}
