"""The traffic store on ClickHouse: `chdb` in this process or a server by `https://`; one client, one SQL."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from importlib.resources import files
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.exceptions import ClickHouseError

from gatewatch.errors import StoreError
from gatewatch.model.inventory import EndpointFacts, FieldFact, InformationFact
from gatewatch.model.path import PathRecord
from gatewatch.ports.traffic import Bound, Row
from gatewatch.traffic import facts
from gatewatch.traffic.migrations import Migration, migrations, statements
from gatewatch.traffic.ranges import range_batch

__all__ = ["ClickHouseTraffic"]

T = TypeVar("T")

_IDENTIFIER = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")
_INSERT_SETTINGS = {"deduplicate_blocks_in_dependent_materialized_views": 1, "max_partitions_per_insert_block": 0}
_RAW_TABLES = {"observations": "toDateTime(ts)", "traffic_minute_data": "minute"}
_AGGREGATE_TABLES = {
    "traffic_hour_data": "hour",
    "client_hour_data": "hour",
    "object_access_data": "slot",
    "parameter_profile_data": "day",
    "login_hour_data": "hour",
    "address_actors_data": "hour",
}
_BLOCKS_PER_PAGE = 8
_EVERY_LINE: dict[str, Bound] = {
    "first_block": 0,
    "end_block": 2**64 - 1,
    "since": 0.0,
    "until": 9e9,
    "all": True,
    "ids": [],
}
_PATH_COLUMNS = tuple(PathRecord.__struct_fields__)


class ClickHouseTraffic:
    """Implements `ports.traffic.TrafficStore`. Thread-safe: every thread has a client of its own.

    Rows come back with plain Python values: times as Unix seconds (float), addresses as text, IPv4 unmapped.
    """

    def __init__(self, dsn: str, *, database: str = "gatewatch") -> None:
        """Connect. `dsn` is `chdb:///path`, `chdb://` (memory) or `https://user:password@host:port?ca_cert=file`.

        Raises StoreError when the engine can't be opened (for chdb: another process has it), and for `http://` to
        anywhere but this machine: the password and what is known of every API would travel in the open.
        """
        if not _IDENTIFIER.match(database):
            raise StoreError(
                f"database name {database!r} is not an identifier", cure="Use lower-case letters, digits and _."
            )
        _check_scheme(dsn)
        self._dsn, self._database = dsn, database
        self._local = threading.local()
        self._clients: list[Any] = []
        self._clients_lock = threading.Lock()
        self._call(lambda: self._connect("default").command(f"CREATE DATABASE IF NOT EXISTS {database}"))

    def _connect(self, database: str) -> Any:
        # The client takes host and user from a DSN, but of its scheme only `chdb`: `https` has to be said again.
        more = {"interface": "https"} if self._dsn.startswith("https://") else {}
        client = clickhouse_connect.get_client(dsn=self._dsn, database=database, **more)
        with self._clients_lock:
            self._clients.append(client)
        return client

    @property
    def _client(self) -> Any:
        client = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._connect(self._database)
        return client

    @staticmethod
    def _call(action: Callable[[], T]) -> T:
        try:
            return action()
        except ClickHouseError as error:
            # The engine's first line names the fault; what follows may quote data.
            first = str(error).splitlines()[0][:500] if str(error) else type(error).__name__
            raise StoreError(f"traffic store: {first}") from error

    def migrate(self) -> list[str]:
        """Apply the schema files that this database does not have yet. Raises StoreError on a changed old file."""
        self._command(
            "CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, name String, checksum String, "
            "applied_at DateTime DEFAULT now()) ENGINE = ReplacingMergeTree ORDER BY version"
        )
        known = {
            row["version"]: row["checksum"]
            for row in self.query("SELECT version, checksum FROM schema_migrations FINAL")
        }
        applied = []
        for migration in migrations():
            checksum = known.get(migration.version)
            if checksum is None:
                for statement in statements(migration.text, database=self._database):
                    self._command(statement)
                self._remember(migration)
                applied.append(migration.name)
            elif checksum != migration.checksum:
                raise StoreError(
                    f"traffic schema file {migration.name} differs from the one this database was made with",
                    cure="Use the version of Gatewatch that made the data, or start with an empty data directory.",
                )
        return applied

    def _remember(self, migration: Migration) -> None:
        row = [migration.version, migration.name, migration.checksum]
        columns = ["version", "name", "checksum"]
        self._call(lambda: self._client.insert("schema_migrations", [row], column_names=columns))

    def schema_current(self) -> bool:
        """Whether every schema file of this version is applied."""
        if not self.query(
            "SELECT 1 AS x FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
        ):
            return False
        known = {row["version"] for row in self.query("SELECT version FROM schema_migrations FINAL")}
        return {migration.version for migration in migrations()} <= known

    def set_retention(self, *, raw_days: int, aggregate_days: int) -> None:
        """Forget raw and minute data after `raw_days`, aggregates after `aggregate_days`; 0 keeps for ever."""
        for tables, days in ((_RAW_TABLES, raw_days), (_AGGREGATE_TABLES, aggregate_days)):
            for table, column in tables.items():
                wanted = f"{column} + toIntervalDay({days})" if days else ""
                row = self.query(
                    "SELECT engine_full AS x FROM system.tables WHERE database = currentDatabase()"
                    " AND name = {t:String}",
                    {"t": table},
                )
                present = " TTL " in str(row[0]["x"])
                if wanted and wanted not in str(row[0]["x"]):
                    self._command(f"ALTER TABLE {table} MODIFY TTL {wanted}")
                elif present and not wanted:
                    self._command(f"ALTER TABLE {table} REMOVE TTL")

    def _command(self, sql: str) -> None:
        self._call(lambda: self._client.command(sql))

    def insert(self, batch: pa.RecordBatch, *, token: str) -> None:
        """Store one block; sending the same token again changes neither the table nor the views."""
        if batch.num_rows == 0:
            return
        settings = {**_INSERT_SETTINGS, "insert_deduplication_token": token}
        self._call(lambda: self._client.insert_arrow("observations", pa.Table.from_batches([batch]), settings=settings))
        # Only now every view has the block; a reader that saw one of them earlier may not have seen the others.
        newest = [[pc.max(batch.column("block")).as_py()]]
        self._call(lambda: self._client.insert("stored_blocks", newest, column_names=["block"]))

    def put_paths(self, records: Sequence[PathRecord]) -> None:
        """Upsert rows of `paths` and let every view see them at once."""
        if not records:
            return
        rows = [[getattr(record, name) for name in _PATH_COLUMNS] for record in records]
        self._call(lambda: self._client.insert("paths", rows, column_names=list(_PATH_COLUMNS)))
        self._command("SYSTEM RELOAD DICTIONARY paths_now")

    def paths(self) -> list[PathRecord]:
        """Current rows of `paths`, by path id."""
        rows = self.query("SELECT * FROM paths_current ORDER BY path_id")
        return [facts.path_record(row) for row in rows]

    def query(self, sql: str, parameters: Mapping[str, Bound] | None = None) -> list[Row]:
        """Run a read query with bound parameters; rows as dictionaries of plain values."""
        result = self._call(lambda: self._client.query(sql, parameters=dict(parameters or {})))
        names = result.column_names
        return [dict(zip(names, map(_plain, row), strict=True)) for row in result.result_rows]

    def query_arrow(self, sql: str, parameters: Mapping[str, Bound] | None = None) -> pa.Table:
        """Run a read query, columnar."""
        return self._call(lambda: self._client.query_arrow(sql, parameters=dict(parameters or {})))

    def replace_ranges(self, name: str, rows: Iterable[tuple[str, str, str, str]]) -> int:
        """Replace list `name` in one step: readers see the old list or the new one, never a half."""
        batch = range_batch(name, rows)
        self._command("CREATE TABLE IF NOT EXISTS address_ranges_next AS address_ranges")
        self._command("TRUNCATE TABLE address_ranges_next")
        if batch.num_rows:
            self._call(lambda: self._client.insert_arrow("address_ranges_next", pa.Table.from_batches([batch])))
            self._command(f"ALTER TABLE address_ranges REPLACE PARTITION '{name}' FROM address_ranges_next")
        else:
            self._command(f"ALTER TABLE address_ranges DROP PARTITION '{name}'")
        return int(batch.num_rows)

    def recent_ids(self, *, before_block: int, limit: int) -> list[tuple[str, str]]:
        """(source, id) of the newest observations before a block, newest first."""
        rows = self.query(
            "SELECT source, id FROM observations WHERE block < {block:UInt64}"
            " ORDER BY block DESC, row DESC LIMIT {limit:UInt64}",
            {"block": before_block, "limit": limit},
        )
        return [(str(row["source"]), str(row["id"])) for row in rows]

    def endpoint_facts(
        self, *, after: int = 0, limit: int = 1000, endpoint_ids: Sequence[int] | None = None
    ) -> list[EndpointFacts]:
        """Facts per endpoint in order of endpoint id."""
        rows = self._run("endpoint_facts", endpoint_ids, after=after, limit=limit)
        return [facts.endpoint_facts(row) for row in rows]

    def information_facts(self, endpoint_ids: Sequence[int] | None = None) -> dict[int, list[InformationFact]]:
        """Information types per endpoint (all endpoints when None)."""
        found: dict[int, list[InformationFact]] = {}
        for row in self._run("information_facts", endpoint_ids):
            endpoint_id, fact = facts.information_fact(row)
            found.setdefault(endpoint_id, []).append(fact)
        return found

    def field_facts(self, endpoint_ids: Sequence[int] | None = None) -> list[FieldFact]:
        """Fields of the given endpoints (all when None)."""
        return [facts.field_fact(row) for row in self._run("field_facts", endpoint_ids)]

    def observation_lines(self) -> Iterator[bytes]:
        """Observations as JSON lines in order of writing, made by the engine; some blocks at a time."""
        blocks = [row["block"] for row in self.query("SELECT DISTINCT block FROM observations ORDER BY block")]
        for start in range(0, len(blocks), _BLOCKS_PER_PAGE):
            page = blocks[start : start + _BLOCKS_PER_PAGE]
            yield self._lines(first_block=int(str(page[0])), end_block=int(str(page[-1])) + 1)

    def chosen_observation_lines(self, ids: Sequence[str], *, since: float, until: float) -> bytes:
        """Observations with these ids as JSON lines in order of writing."""
        return self._lines(ids=list(ids), all=False, since=since, until=until) if ids else b""

    def _lines(self, **bounds: Bound) -> bytes:
        sql = files("gatewatch.traffic").joinpath("queries", "observation_lines.sql").read_text(encoding="utf-8")
        parameters = _EVERY_LINE | bounds
        lines: bytes = self._call(partial(self._client.raw_query, sql, parameters=parameters, fmt="JSONEachRow"))
        return lines

    def _run(self, query: str, endpoint_ids: Sequence[int] | None, **parameters: Bound) -> list[Row]:
        sql = files("gatewatch.traffic").joinpath("queries", f"{query}.sql").read_text(encoding="utf-8")
        return self.query(sql, {"all": endpoint_ids is None, "endpoint_ids": list(endpoint_ids or ()), **parameters})

    def close(self) -> None:
        """Close every thread's client; the embedded engine ends with the last one."""
        with self._clients_lock:
            for client in self._clients:
                client.close()
            self._clients.clear()
        self._local = threading.local()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if isinstance(value, IPv6Address):
        return str(value.ipv4_mapped or value)
    if isinstance(value, IPv4Address):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _check_scheme(dsn: str) -> None:
    parts = urlsplit(dsn)
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme not in ("chdb", "https") and not local:
        raise StoreError(
            f"a traffic store can't be reached by {parts.scheme or 'no scheme'}://",
            cure="Give chdb:///path or https://user:password@host:port (http:// only to this machine).",
        )
