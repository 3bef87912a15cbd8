"""Incidents and tickets in step: ServiceNow and Jira as their references say, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.connector_servers import SECRET, Answer, Jira, ServiceNow, Vendor

from gatewatch.bootstrap.tickets import Tickets
from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.registry import Connections, kinds
from gatewatch.connectors.simulated import SimulatedConnectors
from gatewatch.correlate.priority import Record
from gatewatch.errors import ConflictError, NotFoundError
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.ticket import IncidentState, TicketLink, TicketState
from gatewatch.model.verdict import Classification
from gatewatch.ports.connectors import ActionCall, ActionResult, ConnectorError
from gatewatch.ports.leases import ALWAYS
from gatewatch.respond.tickets import JIRA, SERVICENOW, Move, TicketMapping, decide, moment
from gatewatch.services.incidents import Casework, Correlation
from gatewatch.services.incidents.patches import IncidentPatch
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.ticketing import Ticketing, Turn
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import configure
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.playbooks import WallClock

KINDS = kinds()
NEXT = TicketLink(
    connection="desk", ticket="t-1", incident=1, synced_at=NOON,
    ours=IncidentState(status=IncidentStatus.ACTIVE), theirs=TicketState(status="1"),
)  # fmt: skip


class Office:
    """One incident and its ticket over real HTTP; `edit` is somebody at work over there."""

    def __init__(self, control: SqlControlStore, kind: str) -> None:
        self.clock = NOON + 1000
        self.kind = kind
        self.logic: Any = ServiceNow() if kind == "servicenow" else Jira(cloud=kind == "jira_cloud")
        self.server = Vendor(self.logic)
        options = {"servicenow": {"user": "gatewatch"}, "jira_cloud": {"user": "bot@example.org"}}.get(kind, {})
        settings = ConnectionSettings(
            name="desk",
            connector=kind,
            url=self.server.url,
            secrets={KINDS[kind].requirements.secrets[0].name: "env:GW_TEST_SECRET"},
            options=options,
            private_hosts=("127.0.0.1",),
        )
        self.connections = Connections([settings], KINDS)
        summing = Summing(lambda _: {}, lambda: {"d": Record(true=1, false=1)})
        self.control, self.cases = control, control.cases
        self.casework = Casework(control.cases, summing, self.now)
        control.upsert_alerts([alert(1)], at=self.clock)
        Correlation(control.cases, summing, lambda _: {}, self.now).run()
        self.ticketing = Ticketing(
            connectors=self.connections, links=control.tickets, cases=control.cases, casework=self.casework, clock=self
        )
        self.mapping: TicketMapping = SERVICENOW if kind == "servicenow" else JIRA
        self.ticket = self.made()

    def now(self) -> float:
        return self.clock

    def made(self) -> str:
        create = {
            "servicenow": ("create_incident", {"short_description": "S"}),
        }.get(self.kind, ("create_issue", {"project": "SEC", "summary": "S"}))
        call = ActionCall(connection="desk", action=create[0], inputs=create[1], key="run-1.ticket")
        result = self.connections.perform(call)
        number = str(result.values.get("number", result.values["id"]))
        ticket, first = str(result.values["id"]), "1" if self.kind == "servicenow" else "To Do"
        self.ticketing.link(connection="desk", ticket=ticket, number=number, url=result.link, status=first, incident=1)
        return ticket

    def edit(self, status: str, resolution: str = "") -> None:
        self.clock += 60
        if self.kind == "servicenow":
            stamp = moment_text(self.clock)
            self.logic.records[self.ticket] |= {"state": status, "close_code": resolution, "sys_updated_on": stamp}
        else:
            fields = self.logic.issues[self.ticket]["fields"]
            fields["status"] = {"name": status}
            fields["resolution"] = {"name": resolution} if resolution else None
            fields["updated"] = moment_text(self.clock).replace(" ", "T") + ".000+0000"

    def change(self, **patch: Any) -> None:
        self.clock += 60
        self.casework.change_incident(1, IncidentPatch(**patch), by="ann")

    def turn(self) -> Turn:
        self.clock += 30
        done = self.ticketing.turn("desk", self.mapping)
        assert self.server.complaints == []
        return done

    @property
    def theirs(self) -> tuple[str, str]:
        if self.kind == "servicenow":
            record = self.logic.records[self.ticket]
            return record["state"], record["close_code"]
        fields = self.logic.issues[self.ticket]["fields"]
        return fields["status"]["name"], (fields["resolution"] or {}).get("name", "")

    @property
    def ours(self) -> tuple[IncidentStatus, Classification]:
        incident = self.cases.incident(1)
        return incident.status, incident.classification

    def writes(self) -> int:
        return sum(request.method in ("POST", "PATCH") for request in self.server.requests)


def moment_text(at: float) -> str:
    import datetime as dt

    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture(params=["servicenow", "jira_cloud", "jira_data_center"])
def office(store: SqlControlStore, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("GW_TEST_SECRET", SECRET)
    made = Office(store, request.param)
    yield made
    made.connections.close()
    made.server.close()


WORDS = {
    "servicenow": {"work": "2", "end": "6", "real": "Solved (Permanently)", "false": "Not Solved (Not Reproducible)"},
    "jira_cloud": {"work": "In Progress", "end": "Done", "real": "Fixed", "false": "Cannot Reproduce"},
}
WORDS["jira_data_center"] = WORDS["jira_cloud"]


def test_a_whole_life_in_both_directions(office: Office) -> None:
    words = WORDS[office.kind]
    assert office.turn() == Turn(seen=1)
    office.edit(words["work"])
    assert office.turn() == Turn(seen=1, pulled=1)
    assert office.ours == (IncidentStatus.IN_PROGRESS, Classification.UNKNOWN)
    writes = office.writes()
    assert office.turn() == office.turn() == Turn(seen=1)
    assert office.writes() == writes, "their change was sent back"
    office.change(status=IncidentStatus.RESOLVED, classification=Classification.TRUE_POSITIVE)
    assert office.turn() == Turn(seen=1, pushed=1)
    assert office.theirs[0] == words["end"]
    revision = office.cases.incident(1).revision
    assert office.turn() == office.turn() == Turn(seen=1)
    assert office.cases.incident(1).revision == revision, "our change came back"
    office.edit(words["work"])
    office.turn()
    assert office.ours[0] is IncidentStatus.IN_PROGRESS
    office.edit(words["end"], words["false"])
    office.turn()
    assert office.ours == (IncidentStatus.RESOLVED, Classification.FALSE_POSITIVE)


@pytest.mark.parametrize("last", ["ours", "theirs"])
def test_the_later_change_wins_and_the_audit_log_tells(office: Office, last: str) -> None:
    words = WORDS[office.kind]
    if last == "theirs":
        office.change(status=IncidentStatus.RESOLVED)
        office.edit(words["work"])
    else:
        office.edit(words["end"], words["real"])
        office.change(status=IncidentStatus.IN_PROGRESS)
    done = office.turn()
    assert (done.conflicts, done.pulled + done.pushed) == (1, 1)
    assert office.ours[0] is IncidentStatus.IN_PROGRESS
    assert office.theirs[0] == words["work"]
    (entry,) = [one for one in office.cases.activities(incident=1)[0] if one.action == "ticket-conflict"]
    assert "were both changed" in entry.text
    assert office.turn() == Turn(seen=1)


def test_an_outage_loses_nothing(office: Office) -> None:
    office.turn()
    office.change(status=IncidentStatus.IN_PROGRESS)
    polled = office.control.tickets.polled_at("desk")
    office.server.faults.extend([Answer(503, {})] * 4)
    assert office.turn().troubles > 0
    assert office.control.tickets.polled_at("desk") == polled
    office.server.faults.clear()
    office.clock += 7200
    done = office.turn()
    assert (done.troubles, office.theirs[0]) == (0, WORDS[office.kind]["work"])
    (link,) = office.control.tickets.of_incident(1)
    assert link.trouble == ""


def test_a_status_that_means_nothing_here_is_left_alone(office: Office) -> None:
    office.edit("Waiting for the moon")
    assert office.turn() == Turn(seen=1)
    assert office.ours[0] is IncidentStatus.ACTIVE
    assert office.theirs[0] == "Waiting for the moon"


def test_a_ticket_stands_for_one_incident(office: Office) -> None:
    again = {"connection": "desk", "ticket": office.ticket, "number": "n", "url": "", "status": "x"}
    assert office.ticketing.link(**again, incident=1).incident == 1
    with pytest.raises(ConflictError, match="stands for incident 1"):
        office.ticketing.link(**again, incident=2)
    with pytest.raises(NotFoundError):
        office.ticketing.link(connection="desk", ticket="new", number="", url="", status="1", incident=99)


def test_links_are_kept(store: SqlControlStore) -> None:
    for number in range(5):
        store.tickets.put(msgspec.structs.replace(NEXT, ticket=f"t-{number}", incident=number % 2))
    store.tickets.put(msgspec.structs.replace(NEXT, connection="other"))
    store.tickets.put(msgspec.structs.replace(NEXT, trouble="late"))
    assert [one.ticket for one in store.tickets.links("desk", limit=2)] == ["t-0", "t-1"]
    assert [one.ticket for one in store.tickets.links("desk", after="t-2")] == ["t-3", "t-4"]
    assert store.tickets.of_tickets("desk", ["t-1", "t-9"])["t-1"].trouble == "late"
    assert {(one.connection, one.ticket) for one in store.tickets.of_incident(1)} == {
        ("desk", "t-1"), ("desk", "t-3"), ("other", "t-1"),
    }  # fmt: skip
    store.tickets.remove("desk", "t-1")
    with pytest.raises(NotFoundError):
        store.tickets.remove("desk", "t-1")
    assert store.tickets.polled_at("desk") == 0.0
    store.tickets.set_polled("desk", 5.0)
    store.tickets.set_polled("desk", 6.0)
    assert store.tickets.polled_at("desk") == 6.0


ACTIVE, WORKED = IncidentState(status=IncidentStatus.ACTIVE), IncidentState(status=IncidentStatus.IN_PROGRESS)
MOVES: dict[str, tuple[IncidentState, str, float, Move, bool]] = {
    "nothing changed": (ACTIVE, "1", 0.0, Move.NOTHING, False),
    "they changed": (ACTIVE, "2", 9.0, Move.PULL, False),
    "we changed": (WORKED, "1", 0.0, Move.PUSH, False),
    "both to the same": (WORKED, "2", 9.0, Move.NOTE, False),
    "both, they later": (WORKED, "6", 9.0, Move.PULL, True),
    "both, we later": (WORKED, "6", 4.0, Move.PUSH, True),
    "they to a word that means nothing": (ACTIVE, "77", 9.0, Move.NOTE, False),
    "we to what they have no word for": (
        IncidentState(status=IncidentStatus.REDIRECTED), "1", 0.0, Move.NOTE, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_who_follows(name: str) -> None:
    ours, status, at, move, conflict = MOVES[name]
    found = decide(NEXT, ours=ours, ours_at=5.0, theirs=TicketState(status=status), theirs_at=at, mapping=SERVICENOW)
    assert (found.move, found.conflict) == (move, conflict)


TIMES = {
    "2026-01-01 12:00:00": 1767268800.0,
    "2026-01-01T12:00:00.000+0000": 1767268800.0,
    "2026-01-01T14:00:00.500+0200": 1767268800.5,
    "": 0.0,
    "yesterday": 0.0,
}


@pytest.mark.parametrize("text", TIMES)
def test_moments(text: str) -> None:
    assert moment(text) == TIMES[text]


class OneBroken(SimulatedConnectors):
    """Two ticket systems, of which the first can't be called."""

    def __init__(self) -> None:
        super().__init__({"broken": KINDS["servicenow"].meta, "works": KINDS["servicenow"].meta})

    def perform(self, call: ActionCall) -> ActionResult:
        """Remembered, but of one connection."""
        if call.connection == "broken":
            raise ConnectorError("broken: its secret is not given")
        return super().perform(call)


def test_a_ticket_system_that_can_not_be_called_keeps_no_other_back(store: SqlControlStore) -> None:
    connectors = OneBroken()
    tickets = Tickets(connectors, store, Summing(lambda _: {}, dict), WallClock(), configure(level="error"), ALWAYS)
    with pytest.raises(ConnectorError, match="its secret is not given"):
        tickets.turn()
    assert {call.connection for call in connectors.calls} == {"works"}
