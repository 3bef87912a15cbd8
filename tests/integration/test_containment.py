"""Containment over real stored traffic: predicted, guarded, kept in force, measured, taken back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gatewatch.bootstrap.containing import ContainmentParts, containing, guarded
from gatewatch.config.settings import Settings
from gatewatch.errors import ConflictError, NotFoundError
from gatewatch.model.action import Outcome
from gatewatch.model.containment import (
    Containment,
    ContainmentPlan,
    ContainmentState,
    Effect,
    Expectation,
    Scope,
    ScopeKind,
    Verdict,
    digest_of,
)
from gatewatch.model.enforcement import Agreement
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.ports.containments import ContainmentFilter
from gatewatch.ports.gateways import Site
from gatewatch.respond.guarding import Guardrails
from gatewatch.services.incidents import Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import configure
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.gateways import MemoryGateway, MemorySettings, SetClock
from gatewatch.testing.traffic import Call, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

ATTACKER, OFFICE = "203.0.113.7", "198.51.100.7"


def kept(traffic: ClickHouseTraffic, calls: list[Call], token: str = "before") -> None:
    store_calls(traffic, numbered(calls), token=token)


class Rig:
    def __init__(self, directory: Path, traffic: ClickHouseTraffic, **rails: object) -> None:
        self.clock = SetClock(NOON)
        self.traffic, self.directory = traffic, directory
        self.control = SqlControlStore(f"sqlite:///{directory / 'control.sqlite'}")
        self.control.migrate()
        self.gateway = MemoryGateway(MemorySettings(), Site(name="edge", directory=directory, clock=self.clock))
        self.rails = msgspec.convert(rails, Guardrails)
        self.parts = self.made()

    def made(self) -> ContainmentParts:
        return containing(
            control=self.control,
            traffic=self.traffic,
            gateways={"edge": self.gateway},
            guardrails=self.rails,
            clock=self.clock,
            log=configure(level="critical"),
        )

    def turn(self) -> None:
        """What the gateway's thread does."""
        for keeper in self.parts.reconciling._keepers.values():
            keeper.wake()
            keeper._turn()

    def apply(self, plan: ContainmentPlan, key: str = "k") -> Containment:
        self.parts.reconciling.start()
        try:
            self.parts.desk.apply(plan, key=key, by="ann", approved_digest=digest_of(plan))
        finally:
            self.parts.reconciling.stop()
        self.parts = self.made()
        found = self.control.containments.by_key(key)
        assert found is not None
        return found

    def one(self) -> Containment:
        return self.control.containments.containments(ContainmentFilter())[0][0]


@pytest.fixture
def rig(tmp_path: Path, traffic: ClickHouseTraffic) -> Rig:
    return Rig(tmp_path, traffic)


def plan(value: str = ATTACKER, kind: ScopeKind = ScopeKind.ADDRESS, **more: object) -> ContainmentPlan:
    scope = Scope(kind=kind, value=value, endpoint=str(more.pop("endpoint", "")))
    given = {"gateway": "edge", "scope": scope, "effect": Effect.BLOCK, "duration_s": 3600.0, "reason": "test", **more}
    return ContainmentPlan(**given)  # type: ignore[arg-type]


def office(users: int, per_user: int, *, begin: float = NOON - 3600, status: int = 200) -> list[Call]:
    return [
        Call(ts=begin + user + 7 * turn, user=f"u{user}", ip=OFFICE, status=status)
        for user in range(users)
        for turn in range(per_user)
    ]


def attack(calls: int, begin: float, *, status: int = 200, ip: str = ATTACKER) -> list[Call]:
    return [Call(ts=begin + turn * 0.5, user="mallory", ip=ip, status=status) for turn in range(calls)]


def incident(rig: Rig) -> int:
    made = alert(1, client_ips=(ATTACKER,), actors=(Actor(ActorKind.SUBJECT, "mallory"),))
    rig.control.upsert_alerts([made], at=NOON)
    Correlation(rig.control.cases, Summing(lambda _: {}, dict), lambda _: {}, lambda: NOON).run()
    return 1


def test_the_blast_radius_says_whom_a_plan_would_have_hit(rig: Rig) -> None:
    number = incident(rig)
    others = [Call(ts=NOON - 100 + n, user=f"x{n}", ip="192.0.2.9", template="/cards/{int}") for n in range(30)]
    kept(rig.traffic, office(6, 5) + attack(20, NOON - 600) + others)
    found = rig.parts.desk.judge(plan(incident=number)).radius
    assert (found.calls, found.calls_hit, found.actors_hit, found.bystanders_count) == (80, 20, 1, 0)
    assert found.endpoints_hit == ("GET api.example.test /orders/{int}",)
    found = rig.parts.desk.judge(plan(OFFICE, incident=number)).radius
    assert (found.calls_hit, found.actors_hit, found.bystanders_count, found.bystander_calls) == (30, 6, 6, 30)
    assert found.bystanders[0].startswith("subject:u")
    found = rig.parts.desk.judge(plan("subject:mallory", ScopeKind.ACTOR, incident=number)).radius
    assert (found.calls_hit, found.bystanders_count) == (20, 0)
    found = rig.parts.desk.judge(plan("203.0.113.0/24", ScopeKind.RANGE, incident=number)).radius
    assert found.calls_hit == 20
    found = rig.parts.desk.judge(plan("GET api.example.test /cards/{int}", ScopeKind.ENDPOINT)).radius
    assert (found.calls_hit, found.bystanders_count) == (30, 30)
    found = rig.parts.desk.judge(plan("api.example.test/orders", ScopeKind.COLLECTION, incident=number)).radius
    assert (found.calls_hit, found.bystanders_count) == (50, 6)
    narrow = plan(OFFICE, endpoint="GET api.example.test /cards/{int}")
    assert rig.parts.desk.judge(narrow).radius.calls_hit == 0


REFUSED = {
    "an office": (plan(OFFICE), "20 callers, none of whom counts as an attacker because no incident is given"),
    "an office that an incident does not name": (plan(OFFICE, incident=9), "callers that incident 9 does not name"),
    "a wide range": (plan("203.0.0.0/8", ScopeKind.RANGE), "wider than /20"),
    "somebody protected": (plan("192.0.2.77"), "192.0.2.0/24 is protected"),
    "for weeks": (plan(duration_s=86400.0 * 20), "longer than 24 hours"),
    "no address": (plan("mallory"), "is no address"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_guardrails_forbid(name: str, tmp_path: Path, traffic: ClickHouseTraffic) -> None:
    rig = Rig(tmp_path, traffic, protected=["192.0.2.0/24"])
    kept(traffic, office(20, 2) + attack(200, NOON - 600))
    wanted, why = REFUSED[name]
    if name == "no address":
        return_ = pytest.raises(Exception, match="no address")
        with return_:
            rig.parts.desk.judge(wanted)
        return
    assert any(why in obstacle for obstacle in rig.parts.desk.judge(wanted).obstacles)
    with pytest.raises(ConflictError, match=why.replace("/", ".")):
        rig.parts.desk.apply(wanted, key="k", by="ann", approved_digest=digest_of(wanted))
    assert rig.gateway.entries == {}


def test_where_everybody_s_calls_come_from_is_protected() -> None:
    settings = Settings(
        data_dir="gatewatch",
        containment=Guardrails(protected=("192.0.2.0/24",)),
        observe=ObserveSettings(trusted_proxies=("10.0.0.5/32", "0.0.0.0/0")),
    )
    assert guarded(settings).protected == ("192.0.2.0/24", "127.0.0.0/8", "::1/128", "10.0.0.5/32")


def test_another_plan_than_the_approved_one_is_refused(rig: Rig) -> None:
    with pytest.raises(ConflictError, match="approved"):
        rig.parts.desk.apply(plan(), key="k", by="ann", approved_digest=digest_of(plan("192.0.2.1")))
    with pytest.raises(NotFoundError, match="gateway"):
        rig.parts.desk.judge(plan(gateway="nowhere"))


def test_a_key_is_of_one_plan(rig: Rig) -> None:
    rig.apply(plan(), key="order-1")
    with pytest.raises(ConflictError, match="another plan"):
        rig.apply(plan("192.0.2.1"), key="order-1")


def test_applied_once_confirmed_rolled_back_and_verified(rig: Rig) -> None:
    wanted = plan()
    first = rig.apply(wanted)
    assert (first.state, first.in_force_at) == (ContainmentState.IN_FORCE, NOON)
    assert rig.apply(wanted).id == first.id, "the same request is the same containment"
    assert list(rig.gateway.entries) == [first.id]
    assert rig.parts.desk.read_back("k").outcome is Outcome.SUCCEEDED
    assert rig.parts.desk.read_back("another").outcome is Outcome.FAILED
    rig.parts.reconciling.start()
    rig.parts.desk.roll_back(first.id, by="ann", reason="enough")
    rig.parts.reconciling.stop()
    ended = rig.one()
    assert (ended.state, ended.removed_at, rig.gateway.entries) == (ContainmentState.ROLLED_BACK, NOON, {})
    with pytest.raises(ConflictError):
        rig.parts.desk.roll_back(first.id, by="ann", reason="again")
    log, _ = rig.control.cases.activities(subject="containment", subject_id=first.id)
    assert [entry.action for entry in log] == ["containment rolled back", "containment"]
    assert log[1].details["plan"] == digest_of(wanted)


def test_a_gateway_that_is_away_is_told_when_it_is_back(rig: Rig) -> None:
    rig.gateway.away = True
    rig.control.containments.request(
        rig.parts.desk._planned(plan(), "k", "ann", radius=rig.parts.desk.judge(plan()).radius)
    )
    rig.turn()
    assert rig.one().state is ContainmentState.QUEUED
    assert "away" in rig.one().why
    assert rig.parts.reconciling.failing == ["edge"]
    rig.gateway.away = False
    rig.turn()
    assert rig.one().state is ContainmentState.IN_FORCE
    assert rig.parts.reconciling.failing == []


def test_what_a_gateway_lost_is_put_back_and_what_expired_meanwhile_is_taken_away(rig: Rig) -> None:
    found = rig.apply(plan())
    rig.turn()
    rig.gateway.entries.clear()
    rig.clock.at += 16
    rig.turn()
    assert list(rig.gateway.entries) == [found.id]
    rig.parts = rig.made()  # Gatewatch ended and begins again after the expiry
    rig.clock.at += 3600
    rig.turn()
    assert rig.gateway.entries == {}
    assert (rig.one().state, rig.one().removed_at) == (ContainmentState.EXPIRED, rig.clock.at)


def test_an_attack_that_ends_is_seen_and_the_block_stays(rig: Rig) -> None:
    wanted = plan(incident=incident(rig))
    kept(rig.traffic, attack(400, NOON - 300) + office(20, 20, begin=NOON - 500))
    rig.apply(wanted)
    rig.clock.at = NOON + 700
    kept(rig.traffic, attack(300, NOON + 1, status=403) + office(20, 20, begin=NOON + 2), "after")
    assert rig.parts.measuring.turn() == 0
    one = rig.one()
    assert one.measured is not None
    assert (one.verdict, one.measured.fell_by, one.measured.refused) == (Verdict.WORKED, 1.0, 0)
    (known,) = rig.parts.measuring.evidence()
    assert (known.actions, known.verdicts, known.mean_fall) == (1, {"worked": 1}, 1.0)
    assert rig.parts.desk.judge(plan("192.0.2.44")).evidence == known, "told to whoever thinks of doing it again"
    assert rig.parts.desk.judge(plan("192.0.2.44", effect=Effect.CHALLENGE)).evidence is None


def test_a_block_without_effect_is_taken_back(rig: Rig) -> None:
    wanted = plan(incident=incident(rig))
    kept(rig.traffic, attack(400, NOON - 300))
    rig.apply(wanted)
    rig.clock.at = NOON + 700
    kept(rig.traffic, attack(400, NOON + 1), "after")
    rig.parts.reconciling.start()
    assert rig.parts.measuring.turn() == 1
    rig.parts.reconciling.stop()
    one = rig.one()
    assert (one.state, one.verdict, one.ended_by) == (ContainmentState.ROLLED_BACK, Verdict.NO_EFFECT, "measurement")
    assert "95% were expected" in one.why


def test_a_wrong_block_of_an_office_is_predicted_and_when_forced_rolls_itself_back(
    tmp_path: Path, traffic: ClickHouseTraffic
) -> None:
    rig = Rig(tmp_path, traffic)
    number = incident(rig)
    kept(rig.traffic, office(200, 3) + attack(60, NOON - 300, ip=OFFICE))
    careful = rig.parts.desk.judge(plan(OFFICE, incident=number))
    assert careful.radius.bystanders_count == 200
    assert careful.obstacles
    forced = plan(OFFICE, incident=number, forced=True)
    assert rig.parts.desk.judge(forced).approvals == careful.approvals + 1
    assert not rig.parts.desk.judge(forced).obstacles
    rig.apply(forced)
    rig.clock.at = NOON + 30
    elsewhere = [Call(ts=NOON + 1 + n / 10, user=f"x{n}", ip="192.0.2.9") for n in range(100)]
    kept(rig.traffic, office(60, 1, begin=NOON + 1, status=403)[:25] + elsewhere, "after")
    rig.parts.reconciling.start()
    assert rig.parts.measuring.turn() == 1, "long before the promised ten minutes"
    rig.parts.reconciling.stop()
    one = rig.one()
    assert (one.state, one.verdict, rig.gateway.entries) == (ContainmentState.ROLLED_BACK, Verdict.COLLATERAL, {})
    assert one.measured is not None
    assert one.measured.refused == 25
    assert one.why.startswith("It refused 25 of 125 calls of others (20.0%")


def test_an_office_is_noticed_also_where_it_is_a_small_part_of_all_traffic(rig: Rig) -> None:
    """Less than a hundredth of all calls, but everybody in it is shut out."""
    number = incident(rig)
    kept(rig.traffic, office(20, 3, begin=NOON - 1800) + attack(60, NOON - 300, ip=OFFICE))
    rig.apply(plan(OFFICE, incident=number, forced=True))
    elsewhere = [Call(ts=NOON + 1 + n / 200, user=f"x{n % 500}", ip="192.0.2.9") for n in range(5000)]
    kept(rig.traffic, office(8, 2, begin=NOON + 1, status=403) + elsewhere, "after")
    rig.clock.at = NOON + 40
    rig.parts.reconciling.start()
    assert rig.parts.measuring.turn() == 1
    rig.parts.reconciling.stop()
    one = rig.one()
    assert (one.state, one.verdict) == (ContainmentState.ROLLED_BACK, Verdict.COLLATERAL)
    assert one.why == "It shut out 8 others who had got through before; 5 were allowed."


def test_others_who_are_refused_now_and_then_are_not_shut_out(rig: Rig) -> None:
    number = incident(rig)
    kept(rig.traffic, office(20, 3) + attack(400, NOON - 300, ip=OFFICE))
    rig.apply(plan(OFFICE, incident=number, forced=True, effect=Effect.THROTTLE, calls=600))
    mixed = office(20, 1, begin=NOON + 1, status=403) + office(20, 1, begin=NOON + 2)
    elsewhere = [Call(ts=NOON + 1 + n / 200, user=f"x{n % 500}", ip="192.0.2.9") for n in range(5000)]
    kept(rig.traffic, mixed + elsewhere, "after")
    rig.clock.at = NOON + 40
    rig.parts.measuring.turn()
    assert rig.one().state is ContainmentState.IN_FORCE


def test_a_throttle_is_judged_by_what_it_can_do(rig: Rig) -> None:
    """Two calls a second before; thirty a minute pass: three quarters fewer is all that there is to have."""
    kept(rig.traffic, attack(600, NOON - 300))
    passed = [Call(ts=NOON + 1 + 2.0 * n, user="mallory", ip=ATTACKER) for n in range(340)]
    kept(rig.traffic, [*passed, *attack(1300, NOON + 1, status=429)], "after")
    wanted = plan(incident=incident(rig), effect=Effect.THROTTLE, calls=30)
    one = settled(rig, wanted, 700)
    assert (one.state, one.verdict) == (ContainmentState.IN_FORCE, Verdict.WORKED)


def test_a_throttle_that_lets_everything_through_is_taken_back(rig: Rig) -> None:
    kept(rig.traffic, attack(600, NOON - 300))
    kept(rig.traffic, attack(1300, NOON + 1), "after")
    one = settled(rig, plan(incident=incident(rig), effect=Effect.THROTTLE, calls=30), 700)
    assert (one.state, one.verdict) == (ContainmentState.ROLLED_BACK, Verdict.NO_EFFECT)
    assert "62% were expected" in one.why, "of two calls a second thirty a minute, and half as much again, may pass"


def test_literal_paths_beside_a_placeholder_are_hit_too(rig: Rig) -> None:
    calls = [
        Call(ts=NOON - 50 + n, user=f"x{n}", ip="192.0.2.9", template=template)
        for n, template in enumerate(["/users/{slug}", "/users/me", "/users/me/cards", "/orders/{int}", "/orders/last"])
    ]
    kept(rig.traffic, calls)

    def hit(endpoint: str) -> tuple[str, ...]:
        wanted = plan(endpoint, ScopeKind.ENDPOINT, effect=Effect.DISABLE_ENDPOINT)
        return rig.parts.desk.judge(wanted).radius.endpoints_hit

    host = calls[0].host
    assert hit(f"GET {host} /users/{{slug}}") == (f"GET {host} /users/me", f"GET {host} /users/{{slug}}")
    assert hit(f"GET {host} /orders/{{int}}") == (f"GET {host} /orders/{{int}}",)


def test_reviews_see_what_was_done(rig: Rig) -> None:
    number = incident(rig)
    rig.apply(plan(incident=number))
    (taken,) = rig.parts.desk.of(number)
    assert (taken.kind, taken.text) == ("containment", f"block {ATTACKER} on edge: measuring")


WRITTEN = {
    "an actor that is an address": Scope(kind=ScopeKind.ACTOR, value=f"address:{OFFICE}"),
    "IPv4 as IPv6": Scope(kind=ScopeKind.ADDRESS, value=f"::ffff:{OFFICE}"),
    "a range of one": Scope(kind=ScopeKind.ADDRESS, value=f"{OFFICE}/32"),
    "a range of IPv4 as IPv6": Scope(kind=ScopeKind.RANGE, value=f"::ffff:{OFFICE}/124"),
    "an endpoint of any host": Scope(kind=ScopeKind.ENDPOINT, value="GET  /orders/{int}"),
    "a host in capitals": Scope(kind=ScopeKind.ENDPOINT, value="GET API.example.test /orders/{int}"),
    "a base": Scope(kind=ScopeKind.COLLECTION, value="api.example.test/orders"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_blast_radius_is_of_what_a_gateway_would_match(name: str, rig: Rig) -> None:
    kept(rig.traffic, office(6, 5))
    wanted = ContainmentPlan(gateway="edge", scope=WRITTEN[name], effect=Effect.BLOCK, duration_s=60, reason="test")
    found = rig.parts.desk.judge(wanted)
    assert (found.radius.calls_hit, found.radius.bystanders_count) == (30, 6)
    assert found.obstacles


def test_beside_a_base_is_not_below_it(rig: Rig) -> None:
    kept(rig.traffic, office(6, 5))
    assert rig.parts.desk.judge(plan("api.example.test/order", ScopeKind.COLLECTION)).radius.calls_hit == 0


SAME = {
    "a consumer": (Scope(kind=ScopeKind.CONSUMER, value="partner"), "partner", "192.0.2.50"),
    "IPv6 in capitals": (Scope(kind=ScopeKind.ADDRESS, value="2001:DB8:0::7"), "", "2001:db8::7"),
    "IPv4 as IPv6": (Scope(kind=ScopeKind.ADDRESS, value="::ffff:192.0.2.50"), "", "192.0.2.50"),
    "an actor that is an address": (Scope(kind=ScopeKind.ACTOR, value="address:192.0.2.50"), "", "192.0.2.50"),
}


@pytest.mark.parametrize("name", SAME)
def test_whom_a_plan_is_about_is_no_bystander(name: str, rig: Rig) -> None:
    scope, user, ip = SAME[name]

    def theirs(begin: float, status: int) -> list[Call]:
        return [Call(ts=begin + n, user=user, kind=ActorKind.CONSUMER, ip=ip, status=status) for n in range(100)]

    kept(rig.traffic, theirs(NOON - 300, 200))
    rig.apply(ContainmentPlan(gateway="edge", scope=scope, effect=Effect.BLOCK, duration_s=3600, reason="test"))
    rig.clock.at = NOON + 200
    kept(rig.traffic, theirs(NOON + 1, 403), "after")
    rig.parts.measuring.turn()
    one = rig.one()
    assert one.measured is not None
    assert (one.state, one.measured.refused, one.measured.attack_before) == (ContainmentState.IN_FORCE, 0, 100)


def test_a_gateway_that_is_not_configured_any_more(rig: Rig) -> None:
    found = rig.apply(plan())
    parts = containing(
        control=rig.control,
        traffic=rig.traffic,
        gateways={},
        guardrails=rig.rails,
        clock=rig.clock,
        log=configure(level="critical"),
    )
    rig.parts = parts
    rig.turn()
    (health,) = parts.reconciling.health()
    assert (health.name, health.kind, health.failures) == ("edge", "absent", 1)
    assert parts.reconciling.failing == [], "nothing that is configured fails"
    rig.clock.at += 3601
    rig.turn()
    assert (rig.one().state, rig.one().removed_at) == (ContainmentState.EXPIRED, None), "nobody has confirmed it"
    with pytest.raises(ConflictError):
        parts.desk.roll_back(found.id, by="ann", reason="gone")
    rig.parts = rig.made()
    rig.turn()
    assert (rig.gateway.entries, rig.one().removed_at) == ({}, rig.clock.at), "configured again it is cleared"


def test_nonsense_of_a_gateway_is_said_and_expiry_goes_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.apply(plan())

    def nonsense(wanted: object) -> Agreement:
        raise KeyError("data")

    with monkeypatch.context() as broken:
        broken.setattr(rig.gateway, "actual", nonsense)
        rig.clock.at += 16
        rig.turn()
        assert rig.parts.reconciling.failing == ["edge"]
        (health,) = rig.parts.reconciling.health()
        assert health.last_error.startswith("its answer can't be understood (KeyError in ")
    rig.clock.at += 3600
    rig.turn()
    assert (rig.one().state, rig.gateway.entries) == (ContainmentState.EXPIRED, {})


def test_a_clock_that_is_set_back_stops_nothing(rig: Rig) -> None:
    rig.apply(plan())
    rig.turn()
    rig.clock.at -= 3600
    rig.gateway.entries.clear()
    (keeper,) = rig.parts.reconciling._keepers.values()
    keeper._turn()
    assert len(rig.gateway.entries) == 1, "read back at once"
    rig.gateway.away = True
    rig.clock.at += 20
    keeper._turn()
    assert keeper.health.failures == 1
    rig.gateway.away = False
    rig.gateway.entries.clear()
    rig.clock.at -= 3600
    keeper._turn()
    assert keeper.health.failures == 0


def test_a_roll_back_that_was_cut_off_is_tried_again_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = plan(incident=incident(rig))
    kept(rig.traffic, attack(400, NOON - 300))
    rig.apply(wanted)
    rig.clock.at = NOON + 700
    kept(rig.traffic, attack(400, NOON + 1), "after")

    def failing(*_: object, **__: object) -> None:
        raise ConflictError("changed meanwhile")

    with monkeypatch.context() as broken:
        broken.setattr(rig.parts.desk, "roll_back", failing)
        assert rig.parts.measuring.turn() == 0
    assert (rig.one().state, rig.one().verdict) == (ContainmentState.IN_FORCE, Verdict.NO_EFFECT)
    rig.clock.at += 5
    rig.parts.reconciling.start()
    assert rig.parts.measuring.turn() == 1
    rig.parts.reconciling.stop()


def settled(rig: Rig, wanted: ContainmentPlan, seconds: float) -> Containment:
    """In force at noon, looked at so many seconds later."""
    rig.apply(wanted)
    rig.clock.at = NOON + seconds
    rig.parts.reconciling.start()
    rig.parts.measuring.turn()
    rig.parts.reconciling.stop()
    return rig.one()


def test_what_passes_while_a_gateway_settles_is_no_lack_of_effect(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attack of 20 seconds, a bouncer that pulls every ten."""
    monkeypatch.setattr(MemoryGateway, "meta", msgspec.structs.replace(MemoryGateway.meta, settles_s=30.0))
    rig.parts = rig.made()
    kept(rig.traffic, attack(40, NOON - 20))
    kept(rig.traffic, [*attack(18, NOON + 1), *attack(1100, NOON + 10, status=403)], "after")
    one = settled(rig, plan(incident=incident(rig)), 700)
    assert (one.state, one.verdict) == (ContainmentState.IN_FORCE, Verdict.WORKED)


def test_an_attack_that_had_just_begun_is_compared_with_its_own_pace(rig: Rig) -> None:
    kept(rig.traffic, attack(120, NOON - 60))
    kept(rig.traffic, [*attack(1150, NOON + 1, status=403), *attack(40, NOON + 1)], "after")
    one = settled(rig, plan(incident=incident(rig)), 700)
    assert (one.state, one.verdict) == (ContainmentState.IN_FORCE, Verdict.WORKED)


def test_guessed_passwords_are_an_attack_that_can_be_seen_to_end(rig: Rig) -> None:
    kept(rig.traffic, attack(400, NOON - 300, status=401))
    kept(rig.traffic, attack(400, NOON + 1, status=403), "after")
    one = settled(rig, plan(incident=incident(rig)), 700)
    assert (one.state, one.verdict) == (ContainmentState.IN_FORCE, Verdict.WORKED)


def test_guessed_passwords_that_go_on_are_no_effect(rig: Rig) -> None:
    kept(rig.traffic, attack(400, NOON - 300, status=401))
    kept(rig.traffic, attack(400, NOON + 1, status=401), "after")
    one = settled(rig, plan(incident=incident(rig)), 700)
    assert (one.state, one.verdict) == (ContainmentState.ROLLED_BACK, Verdict.NO_EFFECT)


def test_a_gateway_that_refuses_by_404_is_believed(rig: Rig) -> None:
    kept(rig.traffic, attack(400, NOON - 300))
    kept(rig.traffic, attack(400, NOON + 1, status=404), "after")
    assert settled(rig, plan(incident=incident(rig)), 700).verdict is Verdict.WORKED


def test_short_and_long_ones_are_judged_too(rig: Rig) -> None:
    kept(rig.traffic, attack(400, NOON - 300))
    kept(rig.traffic, attack(400, NOON + 1, status=403), "after")
    assert settled(rig, plan(incident=incident(rig), duration_s=300.0), 250).verdict is Verdict.WORKED


def test_a_promise_for_hours_is_judged_when_they_are_over(rig: Rig) -> None:
    kept(rig.traffic, attack(20_000, NOON - 10_000))
    kept(rig.traffic, attack(15_000, NOON + 1, status=403), "after")
    wanted = plan(incident=incident(rig), duration_s=36_000.0, expects=Expectation(within_s=7000.0))
    assert settled(rig, wanted, 7010).verdict is Verdict.WORKED


def test_few_calls_take_nothing_back(rig: Rig) -> None:
    kept(rig.traffic, attack(1, NOON - 300))
    kept(rig.traffic, [*attack(1, NOON + 60), *attack(4, NOON + 100, status=403)], "after")
    one = settled(rig, plan(incident=incident(rig)), 700)
    assert (one.state, one.verdict) == (ContainmentState.IN_FORCE, Verdict.INCONCLUSIVE)
