"""Runs over REST and the command line on the real durable engine: started, asked, answered, ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.integration.test_rest import Rest
from tests.integration.test_rest_playbooks import BOOK, WRONG
from typer.testing import CliRunner, Result

from gatewatch.bootstrap.playbooks import durable_runs
from gatewatch.cli.app import app
from gatewatch.ports.control import Role
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.processes import free_port
from gatewatch.traffic.clickhouse import ClickHouseTraffic

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("durable")]
WAIT_S = 180.0
LINKED = BOOK.replace(
    "      then:",
    "      tell: [{connection: memory, do: send, with: {text: 'please ${ask.links.approve}'}}]\n      then:",
)


class Live:
    """REST on the real engine, behind a socket for the command line."""

    def __init__(self, directory: Path, traffic: ClickHouseTraffic) -> None:
        self.rest = Rest(directory, traffic, durable_runs(f"sqlite:///{directory / 'runs.sqlite'}"))
        self.rest.desk.runs.launch()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._server = uvicorn.Server(
            uvicorn.Config(self.rest.app, port=port, log_level="error", lifespan="off", ws="none")
        )
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        self.until(lambda: self._server.started)
        self.rest.control.upsert_alerts([alert(1)], at=NOON)
        self.rest.correlation.run()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.rest.desk.runs.stop()
        self.rest.close()

    def until(self, wanted: Callable[[], object]) -> None:
        pause, left = threading.Event(), WAIT_S / 0.05
        while not wanted():
            left -= 1
            assert left > 0
            pause.wait(0.05)

    def command(self, *words: str, role: Role = Role.ADMIN, stdin: str = "") -> Result:
        where = {"GATEWATCH_SERVER": self.url, "GATEWATCH_TOKEN": self.rest.tokens[role], "COLUMNS": "240"}
        return CliRunner().invoke(app, list(words), env=where, input=stdin)

    def told(self, *words: str, role: Role = Role.ADMIN) -> Any:
        done = self.command(*words, "--json", role=role)
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout)

    def question(self) -> dict[str, Any]:
        self.until(lambda: self.told("questions", "list")["items"])
        found: dict[str, Any] = self.told("questions", "list")["items"][0]
        return found


@pytest.fixture
def live(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Live]:
    made = Live(tmp_path, traffic)
    yield made
    made.close()


@pytest.fixture
def book(live: Live, tmp_path: Path) -> Path:
    """A file whose playbook is on and promoted."""
    file = tmp_path / "tell-us.yaml"
    file.write_text(LINKED)
    assert "is off, in staging" in live.command("playbooks", "apply", str(file)).stdout
    assert "promoted" in live.command("playbooks", "promote", "tell-us").stdout
    assert "is on" in live.command("playbooks", "enable", "tell-us").stdout
    return file


def test_from_the_start_by_hand_over_an_approval_to_the_end(live: Live, book: Path) -> None:
    started = live.told("playbooks", "run", "tell-us", "--incident", "1", "--reason", "drill", role=Role.RESPONDER)
    question = live.question()
    assert live.command("runs", "wait", started["id"], "--timeout", "0.1").exit_code == 13
    shown = live.command("questions", "show", question["id"]).stdout
    assert question["plan"][0] in shown
    refused = live.command("questions", "answer", question["id"], "approve", stdin="n\n")
    assert (refused.exit_code, "nothing was answered" in refused.output) == (130, True)
    assert live.told("questions", "show", question["id"])["answers"] == []
    done = live.command("questions", "answer", question["id"], "approve", "--note", "ok", stdin="y\n")
    assert done.exit_code == 0, done.output
    assert question["plan"][0] in done.output, "the plan is shown before the answer"
    ended = live.told("runs", "wait", started["id"])
    assert ended["state"] == "succeeded"
    assert [step["path"] for step in ended["steps"]][-1] == "tell"
    assert "succeeded" in live.command("runs", "show", started["id"]).stdout
    assert [one["id"] for one in live.told("runs", "list", "--incident", "1")["items"]] == [started["id"]]
    assert "#" not in str(live.told("runs", "show", started["id"])), "no history has a token"

    def logged() -> list[str]:
        log = live.rest.client().get("/v1/incidents/1/activities").json()["items"]
        return [one["action"] for one in log if one["subject"] == "run"]

    # It is written down after the run is over, so not always before we look.
    live.until(lambda: logged()[0] == "succeeded")
    assert logged() == ["succeeded", "answered", "requested"]


def test_a_link_out_of_a_message_answers_and_a_get_does_not(live: Live, book: Path) -> None:
    run = live.told("playbooks", "run", "tell-us", "--incident", "1")
    live.until(live.rest.connectors.texts)
    address = live.rest.connectors.texts()[0].split()[1]
    path, token = address.removeprefix("http://127.0.0.1:8420").split("#")
    public = live.rest.client(None)
    assert public.get(path).status_code == 200
    assert public.post(f"{path}/seen", json={"token": token}).json()["option"] == "approve"
    assert live.question()["open"]
    assert public.post(path, json={"token": token}).status_code == 200
    assert live.told("runs", "wait", run["id"])["state"] == "succeeded"
    assert public.post(path, json={"token": token}).status_code == 404


def test_a_cancelled_run_asks_nobody(live: Live, book: Path) -> None:
    run = live.told("playbooks", "run", "tell-us", "--incident", "1")
    question = live.question()
    assert live.told("runs", "cancel", run["id"], "--reason", "drill is over")["state"] == "cancelled"
    assert live.told("questions", "list")["items"] == []
    closed = live.told("questions", "show", question["id"])
    assert (closed["open"], closed["settled"]) == (False, None)
    assert live.command("questions", "answer", question["id"], "approve", "--yes").exit_code != 0
    assert live.command("runs", "wait", run["id"]).exit_code == 12


def test_a_no_ends_the_run(live: Live, book: Path) -> None:
    run = live.told("playbooks", "run", "tell-us", "--incident", "1")
    answered = live.told("questions", "answer", live.question()["id"], "reject", "--yes")
    assert answered["id"]
    assert live.command("runs", "wait", run["id"]).exit_code == 12
    assert live.told("runs", "show", run["id"])["state"] == "refused"


def test_files_go_in_and_out(live: Live, book: Path, tmp_path: Path) -> None:
    inner = BOOK.replace("tell-us", "zz-inner")
    outer = "schema: gatewatch.playbook/v1\nname: aa-outer\ntitle: O\nsteps: [{id: sub, playbook: {name: zz-inner}}]\n"
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "1.yaml").write_text(outer)
    (folder / "2.yml").write_text(inner)
    (folder / "3.yaml").write_text(WRONG)
    done = live.command("playbooks", "import", str(folder), "--json")
    assert done.exit_code == 2
    found = json.loads(done.stdout)
    assert [one["name"] for one in found["saved"]] == ["zz-inner", "aa-outer"], "what others use comes first"
    assert list(found["failed"]) == [str(folder / "3.yaml")]
    assert live.command("playbooks", "export", "tell-us").stdout == LINKED
    out = tmp_path / "out"
    assert live.command("playbooks", "export", "--out", str(out)).exit_code == 0
    assert {one.name: one.read_text() for one in out.iterdir()} == {
        "aa-outer.yaml": outer,
        "tell-us.yaml": LINKED,
        "zz-inner.yaml": inner,
    }
    shown = live.command("playbooks", "show", "tell-us").stdout
    assert "name: tell-us" in shown
    assert "tell-us" in live.command("playbooks", "list").stdout


def test_a_simulation_reads_like_a_report(live: Live, book: Path) -> None:
    one = live.command("playbooks", "simulate", "tell-us", "--incident", "1").stdout
    assert one.startswith("tell-us on incident 1 would have succeeded")
    assert "Would ask at ok: Send it for" in one
    no = live.command("playbooks", "simulate", "tell-us", "--incident", "1", "--choice", "ok=reject").stdout
    assert "would have been refused" in no
    days = live.command("playbooks", "simulate", "tell-us", "--days", "30", "--when", "incident.id == 1").stdout
    assert days.splitlines()[0] == "tell-us over 30 days: 1 looked at, 1 runs"
    assert "  1 would have succeeded" in days.splitlines()
    assert "Questions to people: 1" in days
    assert live.rest.connectors.texts() == []
    wrong = live.command("playbooks", "simulate", "tell-us", "--incident", "1", "--alert", "a0001")
    assert wrong.exit_code != 0


def test_what_is_not_there_is_not_found(live: Live) -> None:
    from gatewatch.cli.app import run

    where = ["--server", live.url, "--token", live.rest.tokens[Role.ADMIN], "--json"]
    for words in (["playbooks", "show", "none"], ["runs", "show", "none"], ["questions", "show", "none"]):
        assert run([*words, *where]) == 4, words
