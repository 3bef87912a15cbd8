"""A made-up incident with everything on record, for tests of documents and bundles."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from gatewatch.correlate.entity_graph import draw
from gatewatch.correlate.reviewing import computed
from gatewatch.correlate.story import tell
from gatewatch.correlate.timing import timing_of
from gatewatch.correlate.verdicts import verdict_of
from gatewatch.model.activity import Activity, ChainedActivity, Origin, Subject, chained
from gatewatch.model.alert import Alert, AlertStatus, EvidenceItem, Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.backtest import Backtest, VerdictChange
from gatewatch.model.correlation import CorrelationReason, Entity, EntityKind, Link
from gatewatch.model.dossier import Dossier, KnownEntity
from gatewatch.model.evidence import CaseFile, DetectorState
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.review import (
    ActionTaken,
    Decision,
    FollowUp,
    Proposal,
    ProposalKind,
    Review,
    ReviewFacts,
    SignOff,
    content_digest,
)
from gatewatch.model.rule import Rule
from gatewatch.model.verdict import Classification, Determination
from gatewatch.testing.alerts import NOON, alert

__all__ = ["case_file"]

_ADDRESS, _LOGIN, _ORDERS = "203.0.113.7", "POST shop.example /api/login", "GET shop.example /api/orders/{int}"
_MALLORY = Actor(ActorKind.SUBJECT, "mallory")


_TOLD: list[dict[str, Any]] = [
    {
        "detector": "volume.endpoint_spray",
        "title": "API requests spray from a single IP address to many endpoints",
        "tactic": Tactic.DISCOVERY,
        "severity": Severity.LOW,
        "endpoints": ("GET shop.example /api/admin",),
        "actors": (),
        "count": 64,
        "classification": Classification.FALSE_POSITIVE,
        "explanation": Explanation(sentence=f"{_ADDRESS} touched 31 endpoints; 88% were refused or missing."),
    },
    {
        "detector": "authentication.credential_stuffing",
        "title": "Credential stuffing from one address",
        "tactic": Tactic.CREDENTIAL_ACCESS,
        "severity": Severity.MEDIUM,
        "owasp": OwaspApi.BROKEN_AUTHENTICATION,
        "endpoints": (_LOGIN,),
        "actors": (),
        "count": 410,
        "explanation": Explanation(
            sentence=f"{_ADDRESS} tried 380 accounts; 2 logins succeeded.",
            measures=(
                Measure(name="accounts likely compromised", observed=2),
                Measure(name="successful logins", observed=2),
            ),
        ),
    },
    {
        "detector": "authorization.object_enumeration",
        "title": "Parameter enumeration on an API endpoint",
        "tactic": Tactic.INITIAL_ACCESS,
        "severity": Severity.HIGH,
        "owasp": OwaspApi.BOLA,
        "endpoints": (_ORDERS,),
        "actors": (_MALLORY,),
        "count": 900,
        "explanation": Explanation(
            sentence="mallory gave 850 distinct values of order; peers use about 2.0.",
            measures=(Measure(name="values read", observed=812),),
        ),
    },
]


def _alerts() -> list[Alert]:
    link = Link(reason=CorrelationReason.SAME_SOURCE, subject=_ADDRESS, weight=0.6)
    return [
        alert(
            number,
            **{
                "first_seen": NOON + 300 * number,
                "last_seen": NOON + 300 * number + 240,
                "detected_at": NOON + 300 * number + 20,
                "client_ips": (_ADDRESS,),
                "incident": 7,
                "status": AlertStatus.RESOLVED,
                "classification": Classification.TRUE_POSITIVE,
                "links": (link,) if number else (),
                "evidence": tuple(
                    EvidenceItem(
                        observation_id=f"o{number}-{n}", ts=NOON + 300 * number + n, summary="POST answered 401"
                    )
                    for n in range(2)
                ),
                **one,
            },
        )
        for number, one in enumerate(_TOLD)
    ]


def _incident(alerts: list[Alert]) -> Incident:
    return Incident(
        id=7,
        name="Multi-stage: discovery to credential access to initial access by mallory on shop.example",
        status=IncidentStatus.RESOLVED,
        severity=Severity.HIGH,
        classification=Classification.TRUE_POSITIVE,
        determination=Determination.COMPROMISED_ACCOUNT,
        assigned_to="Jörg Müller",
        priority=88,
        created_at=NOON + 30,
        updated_at=NOON + 9000,
        first_activity=NOON,
        last_activity=NOON + 840,
        first_detected=NOON + 20,
        acknowledged_at=NOON + 400,
        resolved_at=NOON + 8000,
        alerts=len(alerts),
        calls=sum(one.count for one in alerts),
        tactics=(Tactic.DISCOVERY, Tactic.CREDENTIAL_ACCESS, Tactic.INITIAL_ACCESS),
        detectors=tuple(one.detector for one in alerts),
        revision=9,
    )


def _dossier(alerts: list[Alert]) -> Dossier:
    incident = _incident(alerts)
    named = [Entity(EntityKind.ACTOR, "subject:mallory"), Entity(EntityKind.ADDRESS, _ADDRESS)]
    named += [Entity(EntityKind.ENDPOINT, label) for label in (_LOGIN, _ORDERS, "GET shop.example /api/admin")]
    return Dossier(
        incident=incident,
        story=tell(incident, alerts),
        graph=draw(incident, alerts, {}),
        entities=[
            KnownEntity(
                entity=one,
                verdict=None if one.kind is EntityKind.ENDPOINT else verdict_of(one, incident, alerts),
                first_seen=NOON,
                last_seen=NOON + 840,
            )
            for one in named
        ],
        alerts=alerts,
        rules=[_rule(one) for one in alerts],
        similar=[],
        timing=timing_of(incident, contained_at=NOON + 1200),
    )


def _rule(one: Alert) -> Rule:
    return Rule(
        id=one.detector,
        title=one.title,
        description="What it looks for.",
        known_misses="Whoever is slower than the window.",
        steps=("Look at it.",),
        techniques=(),
        references=(),
        needs=("path",),
    )


def _activities() -> list[ChainedActivity]:
    told = [
        (30.0, Origin.SYSTEM, "correlation", "created", "3 alerts of 203.0.113.7."),
        (400.0, Origin.PERSON, "Jörg Müller", "changed", "assigned to: none -> Jörg Müller"),
        (
            900.0,
            Origin.PERSON,
            "Jörg Müller",
            "comment",
            "Looks real. <script>alert(1)</script> | see [ticket](http://x)",
        ),
        (8000.0, Origin.PERSON, "Jörg Müller", "changed", "status: in_progress -> resolved"),
    ]
    digest, found = "", list[ChainedActivity]()
    for number, (after, origin, by, action, text) in enumerate(told, start=1):
        entry = Activity(
            number=number,
            at=NOON + after,
            origin=origin,
            by=by,
            subject=Subject.INCIDENT,
            subject_id="7",
            incident=7,
            action=action,
            text=text,
        )
        before, digest = digest, chained(digest, entry)
        found.append(ChainedActivity(before=before, entry=msgspec.structs.replace(entry, digest=digest)))
    return found


_TESTED = Backtest(
    detector="volume.endpoint_spray",
    settings={"endpoints": 36},
    current={"endpoints": 12},
    since=NOON - 604_800,
    until=NOON + 841,
    run_at=NOON + 8500,
    stored=5,
    reproduced=4,
    found=2,
    gained=0,
    lost=3,
    unchanged=2,
    verdicts=(
        VerdictChange(classification=Classification.TRUE_POSITIVE, before=2, after=2),
        VerdictChange(classification=Classification.FALSE_POSITIVE, before=3, after=0),
    ),
    alerts_per_day_before=0.71,
    alerts_per_day_after=0.29,
    to_detect_before_s=12.0,
    to_detect_after_s=31.0,
)


def _proposals() -> tuple[Proposal, ...]:
    return (
        Proposal(
            id="setting",
            kind=ProposalKind.DETECTOR_SETTING,
            subject="volume.endpoint_spray",
            text="Change endpoints from 12 to 36: drops 3 false alerts and keeps all 2 real ones.",
            settings={"endpoints": 36},
            backtest=_TESTED,
            by_rule=True,
            decision=Decision.ACCEPTED,
        ),
        Proposal(
            id="posture",
            kind=ProposalKind.POSTURE,
            subject="endpoint_authentication",
            text="API endpoints should be authenticated: 1 attacked endpoint fails.",
            findings=(_finding(),),
            by_rule=True,
            decision=Decision.ACCEPTED,
        ),
    )


def _finding() -> Finding:
    return Finding(
        id="f1",
        recommendation="endpoint_authentication",
        title="API endpoints should be authenticated",
        severity=Severity.HIGH,
        status=FindingStatus.UNHEALTHY,
        cause="31 of 31 accepted calls carried no credential.",
        remediation="Require a token.",
        endpoint_id="00000000000000ab",
        endpoint=_ORDERS,
        evaluated_at=NOON,
    )


_CONTAINED = [
    ActionTaken(
        at=NOON + 1200,
        by="Jörg Müller",
        kind="containment",
        text=f"Blocked {_ADDRESS} on the gateway for one day.",
        rolled_back_at=NOON + 7000,
        rolled_back_by="Ana Peña",
    )
]


def _review() -> Review:
    """As people wrote it, without facts."""
    return Review(
        incident=7,
        root_cause="The order endpoint returned any order to any signed-in customer.\n\nIt was never in the test plan.",
        impact="812 orders with names and addresses of customers were read; both accounts were reset.",
        contributing_factors=("The login had no rate limit.",),
        worked=("The alert reached the person on call at once.",),
        failed=("Nobody knew who owns the endpoint. 注文 ταξινόμηση",),
        follow_ups=(
            FollowUp(
                id="1", title="Check the owner of an order on every read", owner="Team Orders", due_at=NOON + 864_000
            ),
            FollowUp(id="2", title="Rate limit for logins", owner="Jörg Müller", due_at=NOON, done=True, done_at=NOON),
        ),
        proposals=_proposals(),
        facts=ReviewFacts(computed_at=0.0, incident_revision=0),
        updated_at=NOON + 8600,
        updated_by="Jörg Müller",
        revision=4,
    )


def case_file(**changes: Any) -> CaseFile:
    """Resolved, reviewed and signed; `changes` replace members of the case file."""
    alerts = _alerts()
    dossier, activities = _dossier(alerts), _activities()
    review = _review()
    entries = [one.entry for one in activities]
    facts = computed(review, dossier, entries, _CONTAINED, [_finding()], at=NOON + 8600)
    review = msgspec.structs.replace(review, facts=facts)
    digest = content_digest(review)
    sign_off = SignOff(by="Ana Peña", at=NOON + 8700, digest=digest, incident_revision=9)
    query = "SELECT 1"
    made = CaseFile(
        made_at=NOON + 9000,
        made_by="auditor",
        software="0.1.0",
        fingerprint="sha256:" + "ab" * 32,
        dossier=dossier,
        alerts=alerts,
        alerts_left_out=0,
        review=msgspec.structs.replace(review, sign_off=sign_off),
        review_digest=digest,
        activities=activities,
        log_number=4,
        log_digest=activities[-1].entry.digest,
        detectors=[
            DetectorState(
                id=one.detector,
                title=one.title,
                enabled=True,
                settings={"severity": "", "values": 30},
                query=query,
                query_sha256=sha256(query.encode()).hexdigest(),
            )
            for one in alerts
        ],
    )
    return msgspec.structs.replace(made, **changes)
