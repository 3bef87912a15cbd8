"""Names, score, story, graph and times of an incident."""

from __future__ import annotations

from typing import Any

import pytest

from gatewatch.correlate.entity_graph import draw
from gatewatch.correlate.priority import Record, scored
from gatewatch.correlate.story import tell
from gatewatch.correlate.summing import name_of, summed
from gatewatch.correlate.timing import timing_of
from gatewatch.correlate.verdicts import compromised, verdict_of
from gatewatch.model.alert import Alert, AlertStatus, Explanation, Measure, Severity, Tactic
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.incident import AlertTotal, EntityVerdict, Incident
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.verdict import Classification
from gatewatch.testing.alerts import NOON, alert

MALLORY = (Actor(ActorKind.SUBJECT, "mallory"),)


def total(**changes: Any) -> AlertTotal:
    given: dict[str, Any] = {
        "incident": 1,
        "detector": "d.one",
        "alert_type": "A",
        "tactic": Tactic.DISCOVERY,
        "severity": Severity.LOW,
        "is_open": True,
        "alerts": 1,
        "calls": 10,
        "first_seen": NOON,
        "last_seen": NOON + 60,
        "detected_at": NOON + 5,
    }
    return AlertTotal(**given | changes)


def incident(**changes: Any) -> Incident:
    given: dict[str, Any] = {
        "id": 1,
        "name": "n",
        "severity": Severity.LOW,
        "created_at": NOON + 10,
        "updated_at": NOON + 10,
        "first_activity": NOON,
        "last_activity": NOON,
        "first_detected": NOON,
    }
    return Incident(**given | changes)


CHAIN = [
    alert(1, tactic=Tactic.DISCOVERY, alert_type="scan", title="Scan", actors=(), client_ips=("203.0.113.7",)),
    alert(60, tactic=Tactic.CREDENTIAL_ACCESS, alert_type="stuffing", actors=(), client_ips=("203.0.113.7",)),
    alert(900, tactic=Tactic.EXFILTRATION, alert_type="leak", actors=MALLORY, client_ips=("203.0.113.7",), count=7),
]


def test_an_incident_says_what_its_alerts_say() -> None:
    later = {"first_seen": NOON + 100, "last_seen": NOON + 200, "detected_at": NOON + 101}
    found = summed(
        incident(),
        [
            total(
                **later, detector="d.two", alert_type="B", tactic=Tactic.IMPACT, severity=Severity.HIGH, is_open=False
            ),
            total(alerts=3, calls=30),
        ],
    )
    assert (found.alerts, found.open_alerts, found.calls, found.severity) == (4, 3, 40, Severity.HIGH)
    assert found.tactics == (Tactic.DISCOVERY, Tactic.IMPACT)
    assert (found.first_activity, found.last_activity, found.first_detected) == (NOON, NOON + 200, NOON + 5)
    beside = total(tactic=Tactic.IMPACT, severity=Severity.INFORMATIONAL, alert_type="B")
    assert summed(incident(), [total(), beside]).tactics == (Tactic.DISCOVERY,)
    fixed = summed(incident(severity_fixed=True), [total(severity=Severity.HIGH)])
    assert fixed.severity is Severity.LOW


NAMES = {
    "one kind of alert": (("scan",), (Tactic.DISCOVERY,), Severity.LOW, "Scan by 203.0.113.7 on GET shop /x"),
    "a sign beside an attack": (
        ("scan", "spike"),
        (Tactic.DISCOVERY,),
        Severity.MEDIUM,
        "Scan by 203.0.113.7 on GET shop /x",
    ),
    "a chain": (
        ("scan", "leak"),
        (Tactic.EXFILTRATION, Tactic.DISCOVERY),
        Severity.HIGH,
        "Multi-stage attack (discovery to exfiltration) by 203.0.113.7 on GET shop /x",
    ),
    "nothing serious": (
        ("a", "b"),
        (Tactic.IMPACT,),
        Severity.INFORMATIONAL,
        "Unusual activity (impact) by 203.0.113.7 on GET shop /x",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    kinds, tactics, severity, expected = NAMES[name]
    named = [("address", "203.0.113.7"), ("endpoint", "GET shop /x")]
    assert name_of(incident(alert_types=kinds, tactics=tactics, severity=severity), CHAIN, named) == expected


def test_a_name_says_how_many_more() -> None:
    named = [("actor", f"subject:u{n}") for n in range(4)] + [("endpoint", f"GET h{n} /x") for n in range(3)]
    found = name_of(incident(alert_types=("scan",)), CHAIN[:1], named)
    assert found == "Scan by u0, u1 and 2 more on 3 endpoints of h0, h1 and 1 more"


def test_the_score_is_the_sum_of_its_factors_and_bounded() -> None:
    worst = incident(
        severity=Severity.HIGH,
        tactics=tuple(Tactic),
        detectors=("intelligence.suspicious_address",),
        calls=10_000,
        reopened=9,
    )
    found = scored(worst, [], {}, compromised=4)
    assert found.priority == 100
    least = scored(incident(severity=Severity.INFORMATIONAL), [], {})
    assert least.priority == round(sum(factor.points for factor in least.factors)) < 15
    assert all(factor.reason for factor in found.factors)


def test_detectors_that_were_wrong_here_weigh_less_once_enough_was_said() -> None:
    noisy = incident(severity=Severity.HIGH, detectors=("d.noisy",))
    before = scored(noisy, [], {}).priority
    assert scored(noisy, [], {"d.noisy": Record(true=0, false=4)}).priority == before
    assert scored(noisy, [], {"d.noisy": Record(true=1, false=9)}).priority < before
    assert scored(noisy, [], {"d.noisy": Record(true=9, false=1)}).priority >= before - 3


def test_a_story_is_told_in_order_whatever_order_alerts_come_in() -> None:
    whole = incident(alerts=3, last_activity=NOON + 900)
    assert tell(whole, CHAIN) == tell(whole, CHAIN[::-1])
    story = tell(whole, CHAIN)
    assert [chapter.title for chapter in story.chapters] == ["Discovery", "Credential access", "Exfiltration"]
    assert story.summary.startswith("3 alerts over 15 minutes, 9 calls. Acting: subject:mallory. From: 203.0.113.7.")
    assert tell(incident(), []).summary == "No alerts are left in this incident."


def test_a_graph_leads_from_who_to_what_with_proof() -> None:
    graph = draw(incident(), CHAIN, {})
    assert {node.id for node in graph.nodes} >= {"actor subject:mallory", "address 203.0.113.7", "endpoint GET shop /x"}
    edges = {(edge.source, edge.target, edge.kind) for edge in graph.edges}
    assert ("actor subject:mallory", "address 203.0.113.7", "uses") in edges
    assert ("address 203.0.113.7", "alert a0001", "raised") in edges
    assert ("alert a0900", "endpoint GET shop /x", "against") in edges
    known = {node.id for node in graph.nodes}
    assert all(edge.source in known and edge.target in known for edge in graph.edges)


def test_a_graph_is_bounded_and_says_so() -> None:
    many = [alert(n, client_ips=(f"10.0.{n // 250}.{n % 250}",)) for n in range(400)]
    graph = draw(incident(), many, {})
    assert len(graph.nodes) == 300
    assert graph.left_out > 0


WHO = Entity(EntityKind.ADDRESS, "203.0.113.7")
VERDICTS: dict[str, tuple[list[Alert], dict[str, EntityVerdict], EntityVerdict]] = {
    "one of low": ([alert(1, client_ips=("203.0.113.7",), severity=Severity.LOW)], {}, EntityVerdict.SUSPICIOUS),
    "two of medium": (CHAIN[:2], {}, EntityVerdict.MALICIOUS),
    "one of high": ([alert(1, client_ips=("203.0.113.7",), severity=Severity.HIGH)], {}, EntityVerdict.MALICIOUS),
    "all dismissed": (
        [alert(1, client_ips=("203.0.113.7",), severity=Severity.HIGH, status=AlertStatus.DISMISSED)],
        {},
        EntityVerdict.CLEAN,
    ),
    "called false": (
        [alert(1, client_ips=("203.0.113.7",), classification=Classification.FALSE_POSITIVE)],
        {},
        EntityVerdict.CLEAN,
    ),
    "a person's word": (CHAIN, {"address 203.0.113.7": EntityVerdict.CLEAN}, EntityVerdict.CLEAN),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(name: str) -> None:
    alerts, said, expected = VERDICTS[name]
    assert verdict_of(WHO, incident(verdicts=said), alerts) is expected


def test_compromised_accounts_are_counted_from_what_detectors_measured() -> None:
    measured = Explanation(sentence="s", measures=(Measure(name="accounts likely compromised", observed=3),))
    assert compromised([*CHAIN, alert(2, explanation=measured)]) == 3
    assert compromised([alert(2, explanation=measured, status=AlertStatus.DISMISSED)]) == 0


def test_times() -> None:
    found = timing_of(
        incident(first_detected=NOON + 30, last_activity=NOON + 600, acknowledged_at=NOON + 70, resolved_at=NOON + 3610)
    )
    assert (found.to_detect_s, found.to_acknowledge_s, found.to_resolve_s) == (30, 60, 3600)
    assert (found.to_contain_s, found.lasted_s) == (None, 600)
