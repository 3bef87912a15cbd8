"""The control store: one contract, two engines."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, text

from gatewatch.errors import ConflictError, InputError, NotFoundError, StoreError
from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import IncidentStatus
from gatewatch.ports.control import AlertFilter, FindingFilter, Role, Token
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.patches import AlertPatch
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.alerts import alert_row
from gatewatch.store.cases import incident_row
from gatewatch.store.engine import _config, open_engine
from gatewatch.store.sql import SqlControlStore
from gatewatch.store.tables import METADATA
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.exports import incident


def set_status(store: SqlControlStore, alert_id: str, status: AlertStatus, revision: int | None, at: float) -> Alert:
    casework = Casework(store.cases, Summing(lambda _: {}, dict), lambda: at)
    return casework.change_alert(alert_id, AlertPatch(status=status), by="ann", revision=revision)


def finding(number: int, **changes: object) -> Finding:
    made = Finding(
        id=f"f{number:04d}",
        recommendation="endpoint_authentication",
        title="t",
        severity=Severity.HIGH if number % 2 else Severity.LOW,
        status=FindingStatus.UNHEALTHY,
        cause="c",
        remediation="r",
        endpoint_id=f"{number:016x}",
        endpoint=f"GET shop/x{number % 4}",
        evaluated_at=NOON,
    )
    return msgspec.structs.replace(made, **changes)


def token(name: str) -> Token:
    return Token(id=name, name=name, role=Role.VIEWER, secret_hash="h" * 64, created_at=NOON)


def test_the_schema_is_the_sum_of_the_migrations(url: str, store: SqlControlStore) -> None:
    assert store.schema_current()
    assert store.migrate() == []
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_an_empty_database_is_not_current(url: str) -> None:
    control = SqlControlStore(url)
    assert not control.schema_current()
    assert control.migrate() == [f"{number:04}" for number in range(1, 14)]
    control.close()


def test_writing_the_same_alert_twice_changes_nothing(store: SqlControlStore) -> None:
    assert store.upsert_alerts([alert(1)]) == 1
    assert store.upsert_alerts([alert(1)]) == 0
    assert store.alert("a0001").revision == 1


def test_a_detector_updates_its_side_and_leaves_the_status(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(1)])
    set_status(store, "a0001", AlertStatus.IN_PROGRESS, 1, NOON + 50)
    assert store.upsert_alerts([alert(1, count=9, last_seen=NOON + 90)]) == 1
    found = store.alert("a0001")
    assert (found.status, found.count, found.revision, found.last_seen) == (AlertStatus.IN_PROGRESS, 9, 3, NOON + 90)


def test_a_status_change_on_an_old_revision_is_a_conflict(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(1)])
    set_status(store, "a0001", AlertStatus.IN_PROGRESS, None, NOON)
    with pytest.raises(ConflictError):
        set_status(store, "a0001", AlertStatus.RESOLVED, 1, NOON)
    assert store.alert("a0001").status is AlertStatus.IN_PROGRESS


def test_what_is_not_there_is_not_found(store: SqlControlStore) -> None:
    for action in (
        lambda: store.alert("x"),
        lambda: store.finding("x"),
        lambda: store.revoke_token("x", NOON),
        lambda: set_status(store, "x", AlertStatus.NEW, None, NOON),
    ):
        with pytest.raises(NotFoundError):
            action()
    assert store.token("x") is None
    assert store.state("x") is None


def test_pages_give_every_alert_once_newest_first(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(n, last_seen=NOON + n // 3) for n in range(25)])
    seen, cursor = [], ""
    while True:
        items, cursor = store.alerts(AlertFilter(), cursor=cursor, limit=4)
        seen += items
        if not cursor:
            break
    assert [a.id for a in seen] == [a.id for a in sorted(seen, key=lambda a: (a.last_seen, a.id), reverse=True)]
    assert len({a.id for a in seen}) == 25


FILTERS = {
    "by status": (AlertFilter(status=(AlertStatus.RESOLVED,)), {"a0001"}),
    "by severity": (AlertFilter(severity=(Severity.HIGH,)), {"a0002"}),
    "by type": (AlertFilter(alert_type=("API_Other",)), {"a0003"}),
    "by detector": (AlertFilter(detector=("d.two",)), {"a0004"}),
    "by actor": (AlertFilter(actor="u0"), {"a0000", "a0003"}),
    "by address": (AlertFilter(client_ip="192.0.2.4"), {"a0004"}),
    "by endpoint": (AlertFilter(endpoint="GET shop /y"), {"a0002"}),
    "since": (AlertFilter(since=NOON + 3), {"a0003", "a0004"}),
    "until": (AlertFilter(until=NOON + 2), {"a0000", "a0001"}),
    "together": (AlertFilter(actor="u0", since=NOON + 1), {"a0003"}),
    "by incident": (AlertFilter(incident=7), {"a0003"}),
    "by incident and by status": (AlertFilter(incident=7, status=(AlertStatus.RESOLVED,)), set()),
    "by incident and by address": (AlertFilter(incident=7, client_ip="192.0.2.4"), set()),
    "by an incident that is not there": (AlertFilter(incident=99999), set()),
    "by nothing that is there": (AlertFilter(actor="nobody"), set()),
}


@pytest.mark.parametrize("name", FILTERS)
def test_alerts_are_filtered(store: SqlControlStore, name: str) -> None:
    where, expected = FILTERS[name]
    store.upsert_alerts(
        [
            alert(0),
            alert(1, status=AlertStatus.RESOLVED),
            alert(2, severity=Severity.HIGH, endpoints=("GET shop /y",)),
            alert(3, alert_type="API_Other", incident=7),
            alert(4, detector="d.two"),
        ]
    )
    assert {a.id for a in store.alerts(where)[0]} == expected


def test_the_index_of_subjects_follows_the_alert(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(1)])
    store.upsert_alerts([alert(1, client_ips=("198.51.100.9",), count=2)])
    assert store.alerts(AlertFilter(client_ip="198.51.100.9"))[0]
    assert not store.alerts(AlertFilter(client_ip="192.0.2.1"))[0]


def test_open_alerts_gives_the_newest_episode(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(1, key="k"), alert(2, key="k"), alert(3, key="other")])
    found = store.open_alerts([("d.one", "k"), ("d.one", "missing")])
    assert {key: a.id for key, a in found.items()} == {("d.one", "k"): "a0002"}


def test_findings_are_upserted_and_paged_most_severe_first(store: SqlControlStore) -> None:
    assert store.put_findings([finding(n) for n in range(9)]) == 9
    assert store.put_findings([finding(n, evaluated_at=NOON + 9) for n in range(9)]) == 0
    assert store.put_findings([finding(3, status=FindingStatus.HEALTHY)]) == 1
    seen, cursor = [], ""
    while True:
        items, cursor = store.findings(FindingFilter(), cursor=cursor, limit=2)
        seen += items
        if not cursor:
            break
    assert len(seen) == len({f.id for f in seen}) == 9
    assert [f.severity.rank for f in seen] == sorted((f.severity.rank for f in seen), reverse=True)
    assert [f.id for f in store.findings(FindingFilter(status=(FindingStatus.HEALTHY,)))[0]] == ["f0003"]


def test_tokens_are_kept_used_and_revoked(store: SqlControlStore) -> None:
    store.add_token(token("one"))
    with pytest.raises(ConflictError):
        store.add_token(token("one"))
    store.touch_token("one", NOON + 1)
    store.revoke_token("one", NOON + 2)
    (kept,) = store.tokens()
    assert (kept.role, kept.last_used_at, kept.revoked_at) == (Role.VIEWER, NOON + 1, NOON + 2)


def test_settings_and_states_are_replaced(store: SqlControlStore) -> None:
    store.put_detector_settings("d", {"enabled": False, "least": 3}, at=NOON)
    store.put_detector_settings("d", {"share": 0.5}, at=NOON)
    assert store.detector_settings() == {"d": {"share": 0.5}}
    store.put_state("watermark", b"1")
    store.put_state("watermark", b"2")
    assert store.state("watermark") == b"2"


def test_a_wrong_cursor_is_refused(store: SqlControlStore) -> None:
    for cursor in ("nonsense", "####", write_cursor("x"), write_cursor(1.0, 2.0)):
        with pytest.raises(InputError):
            store.alerts(AlertFilter(), cursor=cursor)


def test_a_url_that_can_not_be_used_is_said_so() -> None:
    with pytest.raises(StoreError):
        open_engine("nonsense")


@given(st.floats(allow_nan=False), st.text())
@settings(deadline=None)
def test_cursors_survive_the_way_to_the_client_and_back(number: float, text: str) -> None:
    assert read_cursor(write_cursor(number, text), (float, str)) == (number, text)


@given(st.text(max_size=40))
@settings(deadline=None)
def test_no_text_breaks_the_cursor_reader(text: str) -> None:
    with contextlib.suppress(InputError):
        read_cursor(text, (float, str))


def test_pages_of_any_filter_are_the_whole_list_cut(store: SqlControlStore) -> None:
    every = [
        alert(
            n,
            status=list(AlertStatus)[n % 4],
            severity=list(Severity)[n % 3],
            detector=f"d.{n % 3}",
            alert_type=f"API_{n % 2}",
            last_seen=NOON + n // 4,
        )
        for n in range(40)
    ]
    store.upsert_alerts(every)
    wanted = {
        "two states": (AlertFilter(status=(AlertStatus.NEW, AlertStatus.DISMISSED)), lambda a: a.status in {"new", "dismissed"}),
        "two levels in one state": (
            AlertFilter(status=(AlertStatus.NEW,), severity=(Severity.LOW, Severity.MEDIUM)),
            lambda a: a.status == "new" and a.severity in {"low", "medium"},
        ),
        "two detectors, one of them named twice": (
            AlertFilter(detector=("d.0", "d.2", "d.0")),
            lambda a: a.detector != "d.1",
        ),
        "an actor at an address since a moment": (
            AlertFilter(actor="u1", client_ip="192.0.2.2", since=NOON + 3),
            lambda a: a.actors[0].id == "u1" and a.client_ips == ("192.0.2.2",) and a.last_seen >= NOON + 3,
        ),
        "a type in a level": (
            AlertFilter(alert_type=("API_1",), severity=(Severity.LOW,)),
            lambda a: a.alert_type == "API_1" and a.severity == "low",
        ),
    }  # fmt: skip
    for name, (where, fits) in wanted.items():
        seen, cursor = [], ""
        while True:
            items, cursor = store.alerts(where, cursor=cursor, limit=3)
            seen += [a.id for a in items]
            if not cursor:
                break
        expected = sorted((a for a in every if fits(a)), key=lambda a: (a.last_seen, a.id), reverse=True)
        assert seen == [a.id for a in expected], name
        assert expected, name


def test_readers_do_not_wait_for_whoever_writes(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(1)])
    answered = threading.Event()

    def read() -> None:
        store.alerts(AlertFilter())
        store.tokens()
        answered.set()

    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alerts SET revision = 9")
        reading = threading.Thread(target=read)
        reading.start()
        assert answered.wait(60)
    reading.join()


def test_a_person_and_a_detector_do_not_overwrite_each_other(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(1)])
    rounds = 40

    def detect() -> None:
        for count in range(2, rounds + 2):
            store.upsert_alerts([alert(1, count=count)])

    def decide() -> None:
        for turn in range(rounds):
            status = AlertStatus.RESOLVED if turn % 2 else AlertStatus.IN_PROGRESS
            set_status(store, "a0001", status, None, NOON)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(detect), pool.submit(decide)]:
            done.result()
    found = store.alert("a0001")
    assert (found.count, found.status, found.revision) == (rounds + 1, AlertStatus.RESOLVED, 1 + 2 * rounds)


def test_findings_of_endpoints_that_are_no_more_are_forgotten(store: SqlControlStore) -> None:
    store.put_findings([finding(n) for n in range(5)])
    assert store.forget_findings({finding(1).endpoint_id, finding(3).endpoint_id, "other"}) == 3
    assert {f.id for f in store.findings(FindingFilter())[0]} == {"f0001", "f0003"}
    assert store.forget_findings({finding(1).endpoint_id, finding(3).endpoint_id}) == 0


def test_values_that_a_database_can_not_hold_are_never_its_own_error(store: SqlControlStore) -> None:
    for action in (
        lambda: store.alerts(AlertFilter(actor="a\0")),
        lambda: store.alert("a\0"),
        lambda: store.alerts(AlertFilter(), cursor=write_cursor(1.0, "\0")),
        lambda: store.findings(FindingFilter(), cursor=write_cursor(2**64 - 1, "a", "b")),
    ):
        with contextlib.suppress(InputError, NotFoundError):
            action()


def test_a_database_that_is_gone_is_a_store_error(tmp_path: Path) -> None:
    control = SqlControlStore(f"sqlite:///{tmp_path}/control.sqlite")
    with pytest.raises(StoreError) as fault:
        control.upsert_alerts([alert(1)])
    assert "because" not in fault.value.message
    control.close()


def test_an_older_database_keeps_its_alerts_findable(url: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
        known = {column["name"] for column in inspect(connection).get_columns("alerts")}
        row = {name: value for name, value in alert_row(alert(1)).items() if name in known}
        names = ", ".join(row)
        connection.execute(text(f"INSERT INTO alerts ({names}) VALUES ({', '.join(':' + name for name in row)})"), row)
        connection.execute(text("INSERT INTO alert_subjects (kind, subject, alert_id) VALUES ('actor', 'u1', 'a0001')"))
    engine.dispose()
    control = SqlControlStore(url)
    assert control.migrate() == [
        "0002",
        "0003",
        "0004",
        "0005",
        "0006",
        "0007",
        "0008",
        "0009",
        "0010",
        "0011",
        "0012",
        "0013",
    ]
    assert [a.id for a in control.alerts(AlertFilter(actor="u1", since=NOON))[0]] == ["a0001"]
    with control.cases.unit(NOON) as unit:
        assert [a.id for a in unit.pending(10)] == ["a0001"]
    control.close()


def test_an_older_database_learns_where_its_merged_incidents_went(url: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0007")
        gone = msgspec.structs.replace(incident(2), status=IncidentStatus.REDIRECTED, redirect_to=1)
        for one in (incident(1), gone):
            row = {name: value for name, value in incident_row(one).items() if name != "redirect_to"}
            names = ", ".join(row)
            connection.execute(
                text(f"INSERT INTO incidents ({names}) VALUES ({', '.join(':' + name for name in row)})"), row
            )
    engine.dispose()
    control = SqlControlStore(url)
    control.migrate()
    assert control.cases.merged_into(1) == [2]
    control.close()
