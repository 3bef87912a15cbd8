"""The traffic store, embedded and as a server: blocks exactly once, views that agree, history that follows templates, lists, retention."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gatewatch.errors import StoreError
from gatewatch.model.observation import (
    ActorKind,
    AuthScheme,
    Evidence,
    InformationHit,
    Location,
    Observation,
    Parameter,
)
from gatewatch.model.path import PathRecord, PathState, TemplateReason
from gatewatch.observe.columns import SCHEMA, to_arrow
from gatewatch.testing.processes import ChildProcess, free_port
from gatewatch.traffic.clickhouse import ClickHouseTraffic
from gatewatch.traffic.migrations import migrations, statements

NOON = 1_767_268_800.0
COUNTED_VIEWS = ("traffic_minute", "traffic_hour", "client_hour", "endpoint_facts")


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """DSN of a ClickHouse reached over TLS."""
    directory, port = tmp_path_factory.mktemp("clickhouse"), free_port()
    certificate, key = self_signed(directory)
    command = [sys.executable, "-m", "tests.clickhouse_http", str(port), str(directory / "data"), "gatewatch", "pass"]

    def ready() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return True
        return False

    with ChildProcess(
        [*command, str(certificate), str(key)], log=directory / "log", ready=ready, cwd=Path(__file__).parents[2]
    ):
        yield f"https://gatewatch:pass@localhost:{port}?ca_cert={certificate}&compress=gzip"


def self_signed(directory: Path) -> tuple[Path, Path]:
    """A certificate for localhost, good for a day, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    files = directory / "certificate.pem", directory / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@pytest.fixture(params=["embedded", "https"])
def traffic(request: pytest.FixtureRequest) -> Iterator[ClickHouseTraffic]:
    if request.param == "embedded":
        store = request.getfixturevalue("new_traffic")()
    else:
        store = ClickHouseTraffic(request.getfixturevalue("clickhouse"), database=f"t{uuid4().hex}")
    store.migrate()
    yield store
    store.close()


def observation(number: int, *, path_id: int = 7, status: int = 200, auth: AuthScheme = AuthScheme.JWT) -> Observation:
    return Observation(
        ts=NOON + number,
        id=f"r{number}",
        source="edge",
        path_id=path_id,
        method="GET",
        host="shop.example",
        template="/users/{int}",
        status=status,
        evidence=int(Evidence.PATH | Evidence.IDENTITY | Evidence.RESPONSE_BODY),
        actor_kind=ActorKind.SUBJECT,
        actor_id=f"u{number % 3}",
        auth_scheme=auth,
        client_ip=f"192.0.2.{number % 5}",
        external=True,
        login_attempt=number % 2 == 0,
        login_user=number,
        parameters=(Parameter(Location.REQUEST_PATH, "p0", "int", 3, 1000 + number, reference=True),),
        information=(InformationHit("email", Location.RESPONSE_BODY, "user.email"),),
    )


def path(path_id: int, endpoint_id: int, template: str, version: int = 1) -> PathRecord:
    return PathRecord(
        path_id=path_id,
        endpoint_id=endpoint_id,
        method="GET",
        host="shop.example",
        template=template,
        state=PathState.CONFIRMED,
        reason=TemplateReason.TYPED,
        confidence=1.0,
        version=version,
    )


def count(traffic: ClickHouseTraffic, view: str) -> object:
    return traffic.query(f"SELECT sum(calls) AS n FROM {view}")[0]["n"]


def test_the_table_has_exactly_the_columns_of_the_arrow_schema(traffic: ClickHouseTraffic) -> None:
    columns = traffic.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'observations' ORDER BY position"
    )
    assert [row["name"] for row in columns] == SCHEMA.names


def test_a_block_sent_again_is_stored_once_in_the_table_and_in_every_view(traffic: ClickHouseTraffic) -> None:
    blocks = {f"b{n}": to_arrow([observation(n * 10 + k) for k in range(10)], block=n) for n in range(3)}
    for token, block in blocks.items():
        traffic.insert(block, token=token)
    for token in ("b1", "b0", "b2", "b1"):
        traffic.insert(blocks[token], token=token)
    assert traffic.query("SELECT count() AS n FROM observations") == [{"n": 30}]
    assert {view: count(traffic, view) for view in COUNTED_VIEWS} == dict.fromkeys(COUNTED_VIEWS, 30)
    assert count(traffic, "object_access") == 30
    assert traffic.query("SELECT sum(attempts) AS n FROM login_hour") == [{"n": 15}]


def test_equal_blocks_with_different_tokens_are_both_stored(traffic: ClickHouseTraffic) -> None:
    block = to_arrow([observation(1)], block=1)
    traffic.insert(block, token="a")
    traffic.insert(block, token="b")
    assert traffic.query("SELECT count() AS n FROM observations") == [{"n": 2}]


def test_an_empty_block_is_nothing(traffic: ClickHouseTraffic) -> None:
    traffic.insert(to_arrow([], block=1), token="a")
    assert traffic.query("SELECT count() AS n FROM observations") == [{"n": 0}]


def test_a_path_without_decision_belongs_to_no_endpoint(traffic: ClickHouseTraffic) -> None:
    traffic.insert(to_arrow([observation(1)], block=1), token="a")
    assert traffic.query("SELECT endpoint_id, template FROM observed") == [{"endpoint_id": 0, "template": ""}]
    assert traffic.endpoint_facts() == []


def test_a_merge_takes_history_along_and_a_later_version_takes_it_back(traffic: ClickHouseTraffic) -> None:
    traffic.insert(to_arrow([observation(1, path_id=7), observation(2, path_id=8)], block=1), token="a")
    traffic.put_paths([path(7, 7, "/users/anna"), path(8, 8, "/users/bert")])
    assert [facts.calls for facts in traffic.endpoint_facts()] == [1, 1]
    traffic.put_paths([path(7, 9, "/users/{slug}", 2), path(8, 9, "/users/{slug}", 2)])
    (merged,) = traffic.endpoint_facts()
    assert (merged.endpoint_id, merged.template, merged.calls) == (9, "/users/{slug}", 2)
    traffic.put_paths([path(7, 7, "/users/anna", 3)])
    assert {facts.template: facts.calls for facts in traffic.endpoint_facts()} == {"/users/anna": 1, "/users/{slug}": 1}
    traffic.put_paths([path(7, 9, "/users/{slug}", 1)])
    assert len(traffic.endpoint_facts()) == 2


def test_facts_tell_authenticated_from_anonymous_calls(traffic: ClickHouseTraffic) -> None:
    rows = [
        observation(0),
        observation(1, auth=AuthScheme.NONE),
        observation(2, auth=AuthScheme.NONE, status=401),
        observation(3, auth=AuthScheme.NONE, status=302),
        observation(4, status=500),
    ]
    traffic.insert(to_arrow(rows, block=1), token="a")
    traffic.put_paths([path(7, 7, "/users/{int}")])
    (facts,) = traffic.endpoint_facts()
    assert (facts.authenticated_accepted, facts.anonymous_accepted, facts.anonymous_refused) == (1, 1, 1)
    assert facts.calls_by_status_class == {"2xx": 2, "3xx": 1, "4xx": 1, "5xx": 1}
    assert (facts.first_seen, facts.last_seen, facts.external_last_seen) == (NOON, NOON + 4, NOON + 4)
    assert (facts.actors, facts.clients, facts.sources) == (3, 5, ("edge",))


def test_fields_and_information_types_are_reported_where_they_were_found(traffic: ClickHouseTraffic) -> None:
    traffic.insert(to_arrow([observation(n) for n in range(4)], block=1), token="a")
    traffic.put_paths([path(7, 7, "/users/{int}")])
    fields = {(field.location, field.path): (field.types, field.value_types) for field in traffic.field_facts()}
    assert fields == {
        (Location.REQUEST_PATH, "p0"): ((), ("int",)),
        (Location.RESPONSE_BODY, "user.email"): (("email",), ()),
    }
    (fact,) = traffic.information_facts([7])[7]
    assert (fact.type, fact.transactions, fact.share, fact.status_classes) == ("email", 4, 1.0, ("2xx",))


def test_endpoint_pages_follow_each_other(traffic: ClickHouseTraffic) -> None:
    traffic.insert(to_arrow([observation(n, path_id=n) for n in range(1, 8)], block=1), token="a")
    traffic.put_paths([path(n, n, f"/x/{n}") for n in range(1, 8)])
    first = traffic.endpoint_facts(limit=3)
    rest = traffic.endpoint_facts(after=first[-1].endpoint_id, limit=10)
    assert [facts.endpoint_id for facts in first + rest] == list(range(1, 8))
    assert [facts.endpoint_id for facts in traffic.endpoint_facts(endpoint_ids=[2, 5])] == [2, 5]


def test_lists_are_replaced_as_a_whole(traffic: ClickHouseTraffic) -> None:
    assert (
        traffic.replace_ranges(
            "threat", [("192.0.2.0", "192.0.2.255", "bad", ""), ("2001:db8::", "2001:db8::f", "bad", "")]
        )
        == 2
    )
    assert traffic.replace_ranges("tor", [("198.51.100.1", "198.51.100.1", "exit", "")]) == 1
    assert traffic.replace_ranges("threat", [("203.0.113.9", "203.0.113.9", "worse", "x")]) == 1
    rows = traffic.query("SELECT list, first, label FROM address_ranges ORDER BY list")
    assert [tuple(row.values()) for row in rows] == [
        ("threat", "203.0.113.9", "worse"),
        ("tor", "198.51.100.1", "exit"),
    ]
    assert traffic.replace_ranges("threat", []) == 0
    assert [row["list"] for row in traffic.query("SELECT list FROM address_ranges")] == ["tor"]


def test_overlapping_ranges_are_refused_and_the_old_list_stays(traffic: ClickHouseTraffic) -> None:
    traffic.replace_ranges("threat", [("192.0.2.1", "192.0.2.1", "bad", "")])
    with pytest.raises(StoreError, match="overlapping"):
        traffic.replace_ranges("threat", [("10.0.0.0", "10.0.0.9", "a", ""), ("10.0.0.9", "10.0.0.20", "b", "")])
    assert len(traffic.query("SELECT * FROM address_ranges")) == 1


def test_recent_ids_come_newest_first_and_only_from_earlier_blocks(traffic: ClickHouseTraffic) -> None:
    for block in (10, 20, 30):
        traffic.insert(to_arrow([observation(block), observation(block + 1)], block=block), token=f"b{block}")
    assert traffic.recent_ids(before_block=30, limit=3) == [("edge", "r21"), ("edge", "r20"), ("edge", "r11")]


def first_run(dsn: str) -> list[str]:
    store = ClickHouseTraffic(dsn)
    applied = store.migrate()
    store.insert(to_arrow([observation(1)], block=1), token="a")
    store.put_paths([path(7, 7, "/users/{int}")])
    store.close()
    return applied


def second_run(dsn: str) -> tuple[bool, list[str], list[str], object]:
    store = ClickHouseTraffic(dsn)
    current, applied = store.schema_current(), store.migrate()
    templates = [facts.template for facts in store.endpoint_facts()]
    store.insert(to_arrow([observation(1)], block=1), token="a")
    return current, applied, templates, count(store, "endpoint_facts")


def test_data_and_schema_survive_the_process(tmp_path: Path) -> None:
    dsn = f"chdb://{tmp_path}/traffic"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
        assert processes.submit(first_run, dsn).result() == [migration.name for migration in migrations()]
        assert processes.submit(second_run, dsn).result() == (True, [], ["/users/{int}"], 1)


def test_retention_can_be_set_changed_and_lifted(traffic: ClickHouseTraffic) -> None:
    def ttl() -> list[object]:
        rows = traffic.query(
            "SELECT engine_full AS x FROM system.tables WHERE database = currentDatabase() AND name = 'observations'"
        )
        return [" TTL " in str(row["x"]) for row in rows]

    traffic.set_retention(raw_days=30, aggregate_days=400)
    traffic.set_retention(raw_days=7, aggregate_days=400)
    assert ttl() == [True]
    traffic.set_retention(raw_days=0, aggregate_days=0)
    assert ttl() == [False]


def test_a_wrong_query_is_a_store_error_without_a_traceback_of_the_engine(traffic: ClickHouseTraffic) -> None:
    with pytest.raises(StoreError, match="traffic store"):
        traffic.query("SELECT nothing FROM nowhere")


def test_schema_files_split_into_statements() -> None:
    text = "-- a comment; with a semicolon\nCREATE TABLE a (x String DEFAULT ';');\n\nSELECT '{{database}}';\n"
    assert statements(text, database="gw") == ["CREATE TABLE a (x String DEFAULT ';')", "SELECT 'gw'"]


@pytest.mark.parametrize("dsn", ["http://u:p@store.example:8123", "clickhouse://u:p@localhost", "/var/lib/x"])
def test_a_store_that_would_be_reached_in_the_open_is_refused(dsn: str) -> None:
    with pytest.raises(StoreError, match="can't be reached by"):
        ClickHouseTraffic(dsn)
