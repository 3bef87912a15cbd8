"""Alerts become incidents, and people work on them: one contract, two engines."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from gatewatch.correlate.priority import Record
from gatewatch.errors import ConflictError, GatewatchError, InputError, NotFoundError, StaleError, StoreError
from gatewatch.model.activity import Subject, chained
from gatewatch.model.alert import Alert, AlertStatus, Severity, Tactic
from gatewatch.model.correlation import CorrelationReason, Entity, EntityKind
from gatewatch.model.incident import EntityVerdict, Incident, IncidentStatus, Task
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.suppression import Condition, Suppression
from gatewatch.model.verdict import Classification, Determination
from gatewatch.ports.cases import IncidentFilter
from gatewatch.ports.changes import ChangeKind
from gatewatch.ports.containment import NothingContained
from gatewatch.ports.control import AlertFilter
from gatewatch.services.incidents import Casework, Correlation, Dossiers, Suppressing
from gatewatch.services.incidents.patches import AlertPatch, IncidentPatch
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.cases import case_file


class Desk:
    """The services over one store, at a time that the test sets."""

    def __init__(self, control: SqlControlStore) -> None:
        self.now = NOON + 1000
        self.crowds: dict[str, int] = {}
        self.control = control
        summing = Summing(lambda _: {}, lambda: {"d.noisy": Record(true=1, false=9)})
        self.correlation = Correlation(control.cases, summing, lambda _: self.crowds, lambda: self.now)
        self.casework = Casework(control.cases, summing, lambda: self.now)
        self.suppressing = Suppressing(control, control.cases, lambda: self.now)
        self.dossiers = Dossiers(control.cases, lambda _: {}, dict, NothingContained())

    def tell(self, *alerts: Alert) -> None:
        self.control.upsert_alerts(alerts, at=self.now)
        self.correlation.run()

    def incident_of(self, number: int) -> Incident:
        return self.control.cases.incident(self.control.alert(f"a{number:04d}").incident)

    def open_incidents(self) -> list[Incident]:
        standing = tuple(one for one in IncidentStatus if one.open)
        return self.control.cases.incidents(IncidentFilter(status=standing), limit=500)[0]

    def actions(self, incident: int) -> list[str]:
        return [entry.action for entry in self.control.cases.activities(incident=incident)[0]][::-1]


@pytest.fixture
def desk(store: SqlControlStore) -> Desk:
    return Desk(store)


def apart(number: int, **changes: Any) -> Alert:
    """An alert that has nothing in common with others."""
    made: dict[str, Any] = {
        "actors": (Actor(ActorKind.SUBJECT, f"person{number}"),),
        "client_ips": (f"198.51.{number % 250}.{number // 250}",),
        "endpoints": (f"GET shop /p{number}",),
        "alert_type": f"T{number}",
    }
    return alert(number, **made | changes)


def test_every_alert_is_in_exactly_one_incident_and_a_second_run_changes_nothing(desk: Desk) -> None:
    desk.tell(*(apart(n) for n in range(30)), *(alert(n, client_ips=("192.0.2.9",)) for n in range(30, 60)))
    assert desk.correlation.run() == 0
    numbers = [desk.control.alert(f"a{n:04d}").incident for n in range(60)]
    assert all(numbers)
    assert len(set(numbers[:30])) == 30
    assert len(set(numbers[30:])) == 1
    assert sum(incident.alerts for incident in desk.open_incidents()) == 60


def test_a_chain_by_one_actor_is_one_incident_with_reasons(desk: Desk) -> None:
    mallory = (Actor(ActorKind.SUBJECT, "mallory"),)
    desk.tell(
        apart(1, actors=(), client_ips=("203.0.113.7",), tactic=Tactic.DISCOVERY, alert_type="scan"),
        apart(300, actors=mallory, client_ips=("203.0.113.7",), tactic=Tactic.CREDENTIAL_ACCESS, alert_type="stuffing"),
        apart(900, actors=mallory, tactic=Tactic.EXFILTRATION, alert_type="leak", severity=Severity.HIGH),
    )
    incident = desk.incident_of(900)
    assert incident.alerts == 3
    assert incident.severity is Severity.HIGH
    assert incident.tactics == (Tactic.DISCOVERY, Tactic.CREDENTIAL_ACCESS, Tactic.EXFILTRATION)
    assert "discovery to credential access to exfiltration" in incident.name
    reasons = {link.reason for link in desk.control.alert("a0900").links}
    assert {CorrelationReason.SAME_ACTOR, CorrelationReason.EVENT_SEQUENCE} <= reasons
    assert incident.priority == round(sum(factor.points for factor in incident.factors))
    story = desk.dossiers.dossier(incident.id).story
    assert [chapter.tactic for chapter in story.chapters] == list(incident.tactics)


def test_people_behind_one_proxy_stay_apart(desk: Desk) -> None:
    desk.crowds = {"203.0.113.50": 200}
    desk.tell(*(apart(n, client_ips=("203.0.113.50",)) for n in range(8)))
    assert len(desk.open_incidents()) == 8


def test_many_sources_with_one_technique_on_one_endpoint_at_one_time_are_a_campaign(desk: Desk) -> None:
    desk.tell(apart(99, first_seen=NOON - 7200, last_seen=NOON - 7200, status=AlertStatus.DISMISSED))
    desk.tell(
        *(apart(n, actors=(), endpoints=("POST shop /login",), alert_type="stuffing") for n in range(12)),
        *(apart(n, actors=(), endpoints=("POST shop /login",), alert_type=f"other{n}") for n in range(12, 14)),
    )
    assert sorted(incident.alerts for incident in desk.open_incidents()) == [1, 1, 12]


def test_what_happens_all_day_is_no_campaign(desk: Desk) -> None:
    usual = [
        apart(
            n,
            actors=(),
            endpoints=("POST shop /login",),
            alert_type="guess",
            first_seen=NOON + 90 * n,
            last_seen=NOON + 90 * n,
        )
        for n in range(80)
    ]
    for start in range(0, 80, 8):
        desk.tell(*usual[start : start + 8])
    assert {incident.alerts for incident in desk.open_incidents()} == {1}


def test_an_alert_that_fits_two_incidents_makes_them_one(desk: Desk) -> None:
    desk.tell(apart(1), apart(2))
    first, second = desk.incident_of(1), desk.incident_of(2)
    desk.tell(
        apart(3, actors=(*apart(1).actors, *apart(2).actors), client_ips=(*apart(1).client_ips, *apart(2).client_ips))
    )
    assert desk.incident_of(1).id == desk.incident_of(2).id == desk.incident_of(3).id == first.id
    gone = desk.control.cases.incident(second.id)
    assert (gone.status, gone.redirect_to, gone.system_tags) == (IncidentStatus.REDIRECTED, first.id, ("Redirected",))
    assert desk.dossiers.followed(second.id).id == first.id
    assert "merged" in desk.actions(first.id)
    assert desk.actions(second.id)[-1] == "redirected"


def test_what_a_person_changed_before_correlation_saw_it_still_gets_its_incident(desk: Desk) -> None:
    desk.control.upsert_alerts([apart(1), apart(2)], at=desk.now)
    desk.casework.change_alert("a0001", AlertPatch(status=AlertStatus.IN_PROGRESS), by="ann")
    desk.casework.comment(Subject.ALERT, "a0002", "Looks real.", by="ann")
    assert desk.correlation.run() == 2
    assert desk.incident_of(1).id != desk.incident_of(2).id
    assert desk.control.alert("a0001").status is AlertStatus.IN_PROGRESS


def test_a_comment_changes_its_alert_for_who_follows_changes(desk: Desk) -> None:
    desk.tell(apart(1))
    desk.now += 60
    before, head = desk.control.alert("a0001"), desk.control.changes.head()
    desk.casework.comment(Subject.ALERT, "a0001", "Seen.", by="ann")
    after = desk.control.alert("a0001")
    assert (after.changed_at, after.revision) == (desk.now, before.revision + 1)
    assert ("alert", "a0001") in {(one.kind.value, one.subject) for one in desk.control.changes.changes(head, 10)}


GUARDS = {
    "different people": [IncidentPatch(assigned_to="ann"), IncidentPatch(assigned_to="bob")],
    "different conclusions": [
        IncidentPatch(classification=Classification.TRUE_POSITIVE),
        IncidentPatch(classification=Classification.FALSE_POSITIVE),
    ],
}


@pytest.mark.parametrize("name", GUARDS)
def test_guards_keep_incidents_apart(desk: Desk, name: str) -> None:
    desk.tell(apart(1), apart(2))
    for number, patch in zip((1, 2), GUARDS[name], strict=True):
        desk.casework.change_incident(desk.incident_of(number).id, patch, by="ann")
    desk.tell(
        apart(3, actors=(*apart(1).actors, *apart(2).actors), client_ips=(*apart(1).client_ips, *apart(2).client_ips))
    )
    assert desk.incident_of(1).id != desk.incident_of(2).id
    assert desk.incident_of(3).alerts == 2
    assert "not_merged" in desk.actions(min(desk.incident_of(1).id, desk.incident_of(2).id))
    with pytest.raises(ConflictError):
        desk.casework.merge([desk.incident_of(1).id, desk.incident_of(2).id], by="ann", reason="same")


def test_what_comes_back_opens_its_incident_again(desk: Desk) -> None:
    desk.tell(apart(1))
    number = desk.incident_of(1).id
    desk.casework.change_incident(number, IncidentPatch(status=IncidentStatus.RESOLVED), by="ann")
    assert desk.control.alert("a0001").status is AlertStatus.RESOLVED
    desk.tell(apart(1, id="a0002", first_seen=NOON + 5000, last_seen=NOON + 5000))
    again = desk.incident_of(2)
    assert (again.id, again.status, again.reopened) == (number, IncidentStatus.ACTIVE, 1)
    assert "Reopened" in again.system_tags


def test_what_was_called_harmless_stays_closed(desk: Desk) -> None:
    desk.tell(apart(1))
    patch = IncidentPatch(status=IncidentStatus.RESOLVED, classification=Classification.FALSE_POSITIVE)
    closed = desk.casework.change_incident(desk.incident_of(1).id, patch, by="ann")
    desk.tell(apart(1, id="a0002", first_seen=NOON + 5000, last_seen=NOON + 5000))
    assert desk.incident_of(2).id != closed.id
    assert desk.control.cases.incident(closed.id).status is IncidentStatus.RESOLVED
    assert [one.id for one, _ in desk.control.cases.similar(desk.incident_of(2).id, 5)] == [closed.id]


def test_an_incident_ends_when_all_its_alerts_do_and_not_before(desk: Desk) -> None:
    desk.tell(apart(1), apart(2, actors=apart(1).actors))
    for number, expected in ((1, IncidentStatus.ACTIVE), (2, IncidentStatus.RESOLVED)):
        desk.casework.change_alert(f"a{number:04d}", AlertPatch(status=AlertStatus.RESOLVED), by="ann")
        assert desk.incident_of(1).status is expected
    desk.casework.change_alert("a0002", AlertPatch(status=AlertStatus.NEW), by="ann")
    assert desk.incident_of(1).status is IncidentStatus.ACTIVE


def test_an_owner_is_inherited_and_so_is_the_conclusion(desk: Desk) -> None:
    desk.tell(apart(1))
    number = desk.incident_of(1).id
    desk.casework.change_incident(number, IncidentPatch(assigned_to="ann"), by="ann")
    desk.tell(apart(2, actors=apart(1).actors))
    assert {desk.control.alert(name).assigned_to for name in ("a0001", "a0002")} == {"ann"}
    patch = IncidentPatch(
        status=IncidentStatus.RESOLVED,
        classification=Classification.TRUE_POSITIVE,
        determination=Determination.COMPROMISED_ACCOUNT,
    )
    desk.casework.change_incident(number, patch, by="bob")
    found = desk.control.alert("a0002")
    assert (found.status, found.determination) == (AlertStatus.RESOLVED, Determination.COMPROMISED_ACCOUNT)
    assert desk.incident_of(1).open_alerts == 0


REFUSED: dict[str, tuple[IncidentPatch, int | None, type[GatewatchError]]] = {
    "an old revision": (IncidentPatch(name="x"), 99, StaleError),
    "a determination of another classification": (
        IncidentPatch(classification=Classification.FALSE_POSITIVE, determination=Determination.PHISHING),
        None,
        InputError,
    ),
    "a status that only merging gives": (IncidentPatch(status=IncidentStatus.REDIRECTED), None, InputError),
    "too many tags": (IncidentPatch(tags=tuple(map(str, range(99)))), None, InputError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_change_that_can_not_be_is_refused_and_leaves_no_trace(desk: Desk, name: str) -> None:
    patch, revision, error = REFUSED[name]
    desk.tell(apart(1))
    before = desk.incident_of(1)
    with pytest.raises(error):
        desk.casework.change_incident(before.id, patch, by="ann", revision=revision)
    assert desk.incident_of(1) == before
    assert "changed" not in desk.actions(before.id)


def test_a_person_fixes_severity_and_name_until_they_take_it_back(desk: Desk) -> None:
    desk.tell(apart(1))
    number = desk.incident_of(1).id
    desk.casework.change_incident(number, IncidentPatch(severity=Severity.LOW, name="Ours"), by="ann")
    desk.tell(apart(2, actors=apart(1).actors, severity=Severity.HIGH))
    assert (desk.incident_of(1).severity, desk.incident_of(1).name) == (Severity.LOW, "Ours")
    desk.casework.change_incident(number, IncidentPatch(follow_alerts_severity=True), by="ann")
    assert desk.incident_of(1).severity is Severity.HIGH


def test_alerts_move_and_what_links_to_them_follows(desk: Desk) -> None:
    desk.tell(apart(1), apart(2, actors=apart(1).actors), apart(3))
    old, other = desk.incident_of(1).id, desk.incident_of(3).id
    desk.casework.move(["a0002"], other, by="ann", reason="same campaign")
    assert desk.control.alert("a0002").links[0].reason is CorrelationReason.MANUAL
    assert (desk.incident_of(1).alerts, desk.incident_of(3).alerts) == (1, 2)
    named = {one.value for one in desk.control.cases.entities_of(old, 50)}
    assert "GET shop /p2" not in named
    split = desk.casework.move(["a0002"], None, by="ann", reason="no, its own")
    assert split.id not in (old, other)
    desk.casework.move(["a0001"], split.id, by="ann", reason="")
    assert desk.control.cases.incident(old).redirect_to == split.id
    with pytest.raises(ConflictError):
        desk.casework.change_incident(old, IncidentPatch(name="x"), by="ann")
    with pytest.raises(NotFoundError):
        desk.casework.move(["nope"], other, by="ann", reason="")


def test_up_to_five_incidents_merge_into_the_oldest(desk: Desk) -> None:
    desk.tell(*(apart(n) for n in range(6)))
    numbers = [desk.incident_of(n).id for n in range(6)]
    desk.casework.change_incident(numbers[1], IncidentPatch(tags=("vip",)), by="ann")
    with pytest.raises(InputError):
        desk.casework.merge(numbers, by="ann", reason="too many")
    merged = desk.casework.merge(numbers[1:][::-1], by="ann", reason="one partner")
    assert (merged.id, merged.alerts, merged.tags) == (min(numbers[1:]), 5, ("vip",))


def test_comments_tasks_and_verdicts_are_kept_and_logged(desk: Desk) -> None:
    desk.tell(apart(1))
    number = desk.incident_of(1).id
    desk.casework.comment(Subject.INCIDENT, str(number), "Looks real.", by="ann")
    desk.casework.comment(Subject.ALERT, "a0001", "Seen by the partner too.", by="bob")
    task = Task(id="t1", title="Call the partner", created_at=NOON, created_by="ann")
    desk.casework.put_task(number, task, by="ann")
    desk.casework.judge_entity(number, "actor subject:person1", EntityVerdict.COMPROMISED, by="ann")
    known = {one.entity: one.verdict for one in desk.dossiers.dossier(number).entities}
    assert known[Entity(EntityKind.ACTOR, "subject:person1")] is EntityVerdict.COMPROMISED
    assert known[Entity(EntityKind.ADDRESS, apart(1).client_ips[0])] is EntityVerdict.SUSPICIOUS
    assert [entry.text for entry in desk.dossiers.activities(number)[-4:-2]] == [
        "Looks real.",
        "Seen by the partner too.",
    ]
    for wrong in ("", "x" * 30_001):
        with pytest.raises(InputError):
            desk.casework.comment(Subject.INCIDENT, str(number), wrong, by="ann")


def suppression(**changes: Any) -> Suppression:
    given: dict[str, Any] = {
        "name": "partner",
        "alert_type": "*",
        "conditions": (Condition(field="address", values=("198.51.0.0/16",)),),
        "reason": "Load test of our partner",
        "created_at": NOON,
        "created_by": "ann",
    }
    return Suppression(**given | changes)


def test_a_rule_dismisses_what_comes_and_keeps_it_in_one_standing_incident(desk: Desk) -> None:
    desk.tell(apart(1))
    rule = suppression()
    trial = desk.suppressing.try_out(rule, since=0)
    assert (trial.looked_at, trial.dismissed) == (1, 1)
    desk.suppressing.put(rule, by="ann")
    desk.tell(apart(2), apart(3), apart(4, client_ips=("198.51.4.0", "203.0.113.1")))
    assert desk.control.alert("a0001").status is AlertStatus.NEW
    dismissed = [desk.control.alert(f"a000{n}") for n in (2, 3)]
    assert {(a.status, a.suppressed_by) for a in dismissed} == {(AlertStatus.DISMISSED, "partner")}
    assert dismissed[0].incident == dismissed[1].incident
    assert desk.incident_of(2).status is IncidentStatus.RESOLVED
    assert desk.control.alert("a0004").status is AlertStatus.NEW, "one address of it is not the partner's"
    assert desk.suppressing.rules()[0].dismissed == 2
    desk.suppressing.delete("partner", by="ann")
    desk.tell(apart(5))
    assert desk.control.alert("a0005").status is AlertStatus.NEW


@pytest.mark.parametrize(
    "changes",
    [
        {"conditions": ()},
        {"reason": " "},
        {"conditions": (Condition(field="colour", values=("red",)),)},
        {"conditions": (Condition(field="address", values=("10.0.0.0/99",)),)},
        {"expires_at": NOON},
    ],
)
def test_a_rule_that_can_not_be_meant_is_refused(desk: Desk, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        desk.suppressing.put(suppression(**changes), by="ann")


def test_the_audit_log_is_chained_and_can_not_be_changed(desk: Desk) -> None:
    desk.tell(*(apart(n) for n in range(5)))
    assert desk.control.cases.verify_activities() == 5
    for statement in ("UPDATE activities SET action = 'x'", "DELETE FROM activities"):
        with pytest.raises((DatabaseError, StoreError)), desk.control._engine.begin() as connection:
            connection.execute(text(statement))
    assert desk.control.cases.verify_activities() == 5


def test_followers_see_every_change_in_order_of_commit(desk: Desk) -> None:
    errors: list[Exception] = []

    def write(start: int) -> None:
        try:
            for number in range(start, start + 20):
                desk.control.upsert_alerts([apart(number)], at=NOON)
        except GatewatchError as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
    for writer in writers:
        writer.start()
    seen, position = list[str](), 0
    while any(writer.is_alive() for writer in writers) or position < desk.control.changes.head():
        for change in desk.control.changes.changes(position, 7):
            assert change.seq > position
            position = change.seq
            seen.append(change.subject)
    assert not errors
    assert sorted(seen) == sorted(f"a{n:04d}" for start in (0, 100, 200) for n in range(start, start + 20))
    desk.correlation.run()
    kinds = {change.kind for change in desk.control.changes.changes(position, 500)}
    assert kinds == {ChangeKind.ALERT, ChangeKind.INCIDENT, ChangeKind.AUDIT}


QUEUE = {
    "by severity": (IncidentFilter(severity=(Severity.HIGH,)), {3}),
    "of nobody": (IncidentFilter(assigned_to=""), {0, 1, 2, 3}),
    "of one": (IncidentFilter(assigned_to="ann"), {4}),
    "by tag": (IncidentFilter(tag="vip"), {4}),
    "by what it names": (IncidentFilter(entity=Entity(EntityKind.ADDRESS, "198.51.2.0")), {2}),
    "by words": (IncidentFilter(text="/P1"), {1}),
    "by status": (IncidentFilter(status=(IncidentStatus.IN_PROGRESS,)), {4}),
}


@pytest.mark.parametrize("name", QUEUE)
def test_the_queue_is_filtered(desk: Desk, name: str) -> None:
    where, expected = QUEUE[name]
    desk.tell(*(apart(n, severity=Severity.HIGH if n == 3 else Severity.LOW) for n in range(5)))
    patch = IncidentPatch(assigned_to="ann", tags=("vip",), status=IncidentStatus.IN_PROGRESS)
    desk.casework.change_incident(desk.incident_of(4).id, patch, by="ann")
    found = desk.control.cases.incidents(where)[0]
    assert {incident.id for incident in found} == {desk.incident_of(n).id for n in expected}


@pytest.mark.parametrize("order", ["updated_at", "created_at", "priority"])
def test_pages_of_the_queue_give_every_incident_once(desk: Desk, order: str) -> None:
    for number in range(7):
        desk.now += 1
        desk.tell(apart(number, severity=Severity.HIGH if number % 2 else Severity.LOW))
    cursor, seen = "", list[int]()
    while True:
        page, cursor = desk.control.cases.incidents(IncidentFilter(), order=order, cursor=cursor, limit=3)
        seen += [incident.id for incident in page]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 7
    with pytest.raises(InputError):
        desk.control.cases.incidents(IncidentFilter(), order="colour")


def test_alerts_that_grow_are_counted_once(desk: Desk) -> None:
    desk.tell(apart(1, count=5))
    desk.tell(apart(1, count=9, last_seen=NOON + 70, severity=Severity.HIGH))
    found = desk.incident_of(1)
    assert (found.alerts, found.calls, found.severity, found.last_activity) == (1, 9, Severity.HIGH, NOON + 70)
    assert len(desk.control.alerts(AlertFilter())[0]) == 1


def test_a_review_is_kept_per_incident(desk: Desk) -> None:
    desk.tell(apart(1))
    number, cases = desk.incident_of(1).id, desk.control.cases
    assert cases.review(number) is None
    review = case_file().review
    for revision in (1, 2):
        wanted = msgspec.structs.replace(review, incident=number, revision=revision)
        with cases.unit(desk.now) as unit:
            unit.put_review(wanted)
            assert unit.review(number) == wanted
        assert cases.review(number) == wanted


def test_entries_of_one_incident_are_chained_through_those_of_others(desk: Desk) -> None:
    desk.tell(apart(1), apart(2))
    first, second = desk.incident_of(1).id, desk.incident_of(2).id
    for number in (first, second, first):
        desk.casework.comment(Subject.INCIDENT, str(number), "Seen.", by="ann")
    entries, newest, digest = desk.control.cases.activity_chain(incidents=[first])
    assert [one.entry.number for one in entries] == [1, 3, 5]
    assert (newest, digest) == (5, entries[-1].entry.digest)
    assert entries[0].before == ""
    assert all(chained(one.before, one.entry) == one.entry.digest for one in entries)
    assert desk.control.cases.activity_chain(subject="detector", subject_ids=["x"])[0] == []
    both, _, _ = desk.control.cases.activity_chain(incidents=[second, first])
    assert [one.entry.number for one in both] == [1, 2, 3, 4, 5]


def test_what_was_merged_into_an_incident_is_found_through_others(desk: Desk) -> None:
    desk.tell(apart(1), apart(2), apart(3), apart(4))
    first, second, third, fourth = (desk.incident_of(number).id for number in (1, 2, 3, 4))
    desk.casework.merge([second, third], by="ann", reason="one")
    desk.casework.merge([first, second], by="ann", reason="one")
    assert desk.control.cases.merged_into(first) == [second, third]
    assert desk.control.cases.merged_into(second) == [third]
    assert desk.control.cases.merged_into(fourth) == []
