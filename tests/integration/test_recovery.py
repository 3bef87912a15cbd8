"""After a containment: normal use and the attack, counted from real stored traffic; incidents opened again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.integration.test_containment import ATTACKER, OFFICE, Rig, attack, incident, kept, office, plan

from gatewatch.model.activity import Origin, Subject
from gatewatch.model.alert import Alert, WindowCount
from gatewatch.model.containment import (
    Containment,
    ContainmentPlan,
    ContainmentState,
    Effect,
    Expectation,
    RecoveryVerdict,
    ScopeKind,
    digest_of,
)
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.services.containing import Recovering
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.patches import IncidentPatch
from gatewatch.services.incidents.summing import Summing
from gatewatch.telemetry.logs import configure
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.traffic import Call
from gatewatch.traffic.clickhouse import ClickHouseTraffic

ENDPOINT = "GET api.example.test /orders/{int}"
WATCH_S = 600.0
GONE = NOON + 1200
V = RecoveryVerdict


@pytest.fixture
def rig(tmp_path: Path, traffic: ClickHouseTraffic) -> Rig:
    return Rig(tmp_path, traffic)


def recovering(rig: Rig) -> Recovering:
    casework = Casework(rig.control.cases, Summing(lambda _: {}, dict), rig.clock.now, Origin.SYSTEM)
    return Recovering(
        store=rig.control.containments,
        control=rig.control,
        cases=rig.control.cases,
        casework=casework,
        traffic=rig.traffic,
        watch_s=WATCH_S,
        clock=rig.clock,
        log=configure(level="critical"),
    )


def ended(rig: Rig, wanted: ContainmentPlan, **changes: object) -> Containment:
    """In force from noon on; gone from the gateway twenty minutes later."""
    attackers = (f"address:{ATTACKER}", "subject:mallory")
    made = Containment(
        id="gw-1",
        key="k",
        plan=wanted,
        digest=digest_of(wanted),
        radius=rig.parts.desk.judge(plan()).radius,
        attackers=attackers,
        by="ann",
        created_at=NOON,
        expires_at=GONE,
        in_force_at=NOON,
        state=ContainmentState.EXPIRED,
        ended_at=GONE,
        removed_at=GONE,
    )
    return rig.control.containments.request(msgspec.structs.replace(made, **changes))


def turned(rig: Rig, at: float) -> tuple[RecoveryVerdict | None, int]:
    rig.clock.at = at
    count = recovering(rig).turn()
    found = rig.one().recovery
    return (None if found is None else found.verdict), count


def disabled(number: int = 0) -> ContainmentPlan:
    return plan(ENDPOINT, ScopeKind.ENDPOINT, effect=Effect.DISABLE_ENDPOINT, incident=number, expects=Expectation())


def before(rig: Rig) -> None:
    """Ten users for the hour before; ten minutes of attack before noon."""
    kept(rig.traffic, steady(NOON - 3600, NOON) + attack(1000, NOON - 600))


def steady(begin: float, end: float, *, every_s: float = 5.0, status: int = 200) -> list[Call]:
    count = int((end - begin) / every_s)
    return [Call(ts=begin + every_s * n, user=f"u{n % 10}", ip=OFFICE, status=status) for n in range(count)]


def again(number: int, **changes: object) -> Alert:
    made = alert(number, client_ips=(ATTACKER,), actors=(Actor(ActorKind.SUBJECT, "mallory"),))
    return msgspec.structs.replace(made, **changes)


def test_normal_use_is_back_and_the_attack_is_not(rig: Rig) -> None:
    before(rig)
    ended(rig, disabled(incident(rig)))
    kept(rig.traffic, steady(GONE, GONE + WATCH_S), token="after")
    assert turned(rig, GONE + 2) == (None, 0), "traffic takes some seconds"
    assert turned(rig, GONE + 300) == (V.WATCHING, 0)
    assert turned(rig, GONE + WATCH_S + 10) == (V.RECOVERED, 1)
    found = rig.one().recovery
    assert found is not None
    assert found.back is not None
    assert found.back_low is not None
    assert found.back_high is not None
    assert found.back_low < found.back < found.back_high
    assert found.back == pytest.approx(1.0, abs=0.05)
    assert (found.attack_after, found.attack_before, found.after_s) == (0, 1000, WATCH_S)
    assert turned(rig, GONE + 5000) == (V.RECOVERED, 0), "a verdict stays"
    assert rig.control.containments.recovering() == []


def test_an_attack_that_is_back_opens_its_incident_again_once(rig: Rig) -> None:
    before(rig)
    number = incident(rig)
    people = Casework(rig.control.cases, Summing(lambda _: {}, dict), rig.clock.now)
    people.change_incident(number, IncidentPatch(status=IncidentStatus.RESOLVED), by="ann")
    one = ended(rig, disabled(number))
    kept(rig.traffic, steady(GONE, GONE + 120) + attack(100, GONE + 30), token="after")
    assert turned(rig, GONE + 120) == (V.STILL_ATTACKED, 1)
    case = rig.control.cases.incident(number)
    assert (case.status, case.reopened) == (IncidentStatus.ACTIVE, 1)
    (said,) = rig.control.cases.comments(Subject.INCIDENT, [str(number)])[str(number)]
    assert (said.by, said.origin) == ("recovery", Origin.SYSTEM)
    assert "The attack is back after containment gw-1" in said.text
    assert "100 calls of attackers got through" in said.text
    # As if the server had ended between the incident and the containment.
    rig.control.containments.save(one, expected=one.state)
    assert turned(rig, GONE + 125) == (V.STILL_ATTACKED, 1)
    assert len(rig.control.cases.comments(Subject.INCIDENT, [str(number)])[str(number)]) == 1


def test_alerts_of_its_detectors_say_so_even_when_nothing_gets_through(rig: Rig) -> None:
    before(rig)
    number = incident(rig)
    ended(rig, disabled(number))
    kept(rig.traffic, steady(GONE, GONE + 120), token="after")
    elsewhere = again(2, id="a2", key="k2", client_ips=("192.0.2.99",), actors=(Actor(ActorKind.SUBJECT, "someone"),))
    rig.control.upsert_alerts([msgspec.structs.replace(elsewhere, last_seen=GONE + 30)], at=GONE + 30)
    assert turned(rig, GONE + 60) == (V.WATCHING, 0), "somebody else's"
    rig.control.upsert_alerts([again(3, id="a3", key="k3", first_seen=GONE + 40, last_seen=GONE + 50)], at=GONE + 50)
    assert turned(rig, GONE + 90) == (V.STILL_ATTACKED, 1)
    found = rig.one().recovery
    assert found is not None
    assert found.alerts == ("a3",)


def test_an_alert_that_only_looks_newer_is_no_attack(rig: Rig) -> None:
    """The window in which the containment ended holds the attack as well; one that begins later does not."""
    before(rig)
    ended(rig, disabled(incident(rig)))
    kept(rig.traffic, steady(GONE, GONE + 120), token="after")
    known = again(3, id="a3", key="k3", first_seen=GONE - 300, last_seen=GONE + 50)
    rig.control.upsert_alerts(
        [msgspec.structs.replace(known, windows=(WindowCount(start=GONE - 600, count=30),))], at=GONE + 50
    )
    assert turned(rig, GONE + 90) == (V.WATCHING, 0)
    windows = (WindowCount(start=GONE - 600, count=30), WindowCount(start=GONE + 100, count=8))
    rig.control.upsert_alerts([msgspec.structs.replace(known, windows=windows, revision=2)], at=GONE + 120)
    assert turned(rig, GONE + 130) == (V.STILL_ATTACKED, 1)


AFTER: dict[str, tuple[list[Call], RecoveryVerdict]] = {
    "most stay away": (steady(GONE, GONE + WATCH_S, every_s=60), V.NOT_BACK),
    "they are still refused": (steady(GONE, GONE + WATCH_S, status=503), V.NOT_BACK),
    "nothing is seen": ([], V.NO_TRAFFIC),
    "the named user works normally": (
        [*steady(GONE, GONE + WATCH_S), *attack(4, GONE + 60)],
        V.RECOVERED,
    ),
    "the attacker is refused by the application": (
        [*steady(GONE, GONE + WATCH_S), *attack(200, GONE + 60, status=403)],
        V.RECOVERED,
    ),
}


@pytest.mark.parametrize("name", AFTER)
def test_verdicts(rig: Rig, name: str) -> None:
    calls, verdict = AFTER[name]
    before(rig)
    ended(rig, disabled(incident(rig)))
    if calls:
        kept(rig.traffic, calls, token="after")
    assert turned(rig, GONE + WATCH_S + 10) == (verdict, 1)


QUIET: dict[str, dict[str, object]] = {
    "in force": {"state": ContainmentState.IN_FORCE, "removed_at": None, "ended_at": None},
    "its removal is not confirmed": {"removed_at": None},
    "it was never in force": {"in_force_at": None},
    "refused": {"state": ContainmentState.REFUSED},
}


@pytest.mark.parametrize("name", QUIET)
def test_nothing_to_recover_from(rig: Rig, name: str) -> None:
    ended(rig, plan(), **QUIET[name])
    assert turned(rig, GONE + WATCH_S + 10) == (None, 0)


def test_a_rehearsal_needs_no_recovery(rig: Rig) -> None:
    ended(rig, plan(effect=Effect.MIRROR))
    assert turned(rig, GONE + WATCH_S + 10) == (None, 0)


def test_from_the_gateway_on(rig: Rig) -> None:
    number = incident(rig)
    kept(rig.traffic, office(6, 5) + attack(100, NOON - 100))
    rig.apply(plan(duration_s=60.0, incident=number))
    rig.clock.at = NOON + 70
    rig.turn()
    one = rig.one()
    assert (one.state, one.removed_at, rig.gateway.entries) == (ContainmentState.EXPIRED, NOON + 70, {})
    kept(rig.traffic, office(6, 5, begin=NOON + 80), token="after")
    assert turned(rig, NOON + 70 + WATCH_S + 10) == (V.RECOVERED, 1)
