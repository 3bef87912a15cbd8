"""Automation rules in real processes: killed at any moment, and inside the server."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import structlog

from gatewatch.bootstrap.automation import automation
from gatewatch.model.activity import Subject
from gatewatch.model.automation import RunOutcome
from gatewatch.ports.automation import RunFilter
from gatewatch.services.incidents import Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.playbooks import Recorder
from tests.rules_process import Clock
from tests.server_process import ServerProcess

pytestmark = pytest.mark.slow
ALERTS, MOST_KILLS, LAST_S = 600, 20, 600.0


def test_kill_9_at_any_moment_neither_loses_nor_repeats(tmp_path: Path) -> None:
    url, starts = f"sqlite:///{tmp_path}/control.sqlite", tmp_path / "starts"
    control = SqlControlStore(url)
    control.migrate()
    summing = Summing(lambda _: {}, dict)
    parts = automation(control, summing, Recorder(), Clock(), structlog.get_logger())
    comment, start = {"do": "add_comment", "text": "x"}, {"do": "run_playbook", "playbook": "p"}
    parts.desk.rulebook.put("one", {"title": "1", "trigger": "incident_created", "actions": [comment, start]}, by="a")
    parts.desk.rulebook.put("two", {"title": "2", "trigger": "alert_created", "actions": [start]}, by="a")
    apart = [
        alert(
            n,
            actors=(),
            client_ips=(f"198.51.{n % 250}.{n // 250}",),
            endpoints=(f"GET shop /p{n}",),
            alert_type=f"T{n}",
        )
        for n in range(ALERTS)
    ]
    control.upsert_alerts(apart, at=NOON)
    Correlation(control.cases, summing, lambda _: {}, lambda: NOON).run()
    chance = random.Random(7)
    kills = 0

    def work_left() -> bool:
        counts = parts.desk.counts()
        return bool(counts.lag or counts.waiting)

    while work_left():
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.rules_process", url, str(starts)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.02, 0.4))
        # How much a life gets done depends on the machine: the last one is long enough for what is left.
        until = time.monotonic() + LAST_S
        while kills == MOST_KILLS and work_left():
            assert time.monotonic() < until
            time.sleep(0.2)
        process.kill()
        process.wait()
        process.stdout.close()
        kills += 1
    numbers = [str(control.alert(f"a{n:04d}").incident) for n in range(ALERTS)]
    comments = control.cases.comments(Subject.INCIDENT, numbers)
    assert {number: len(comments[number]) for number in numbers} == dict.fromkeys(numbers, 1)
    keys = {tuple(line.split()) for line in starts.read_text().splitlines()}
    assert Counter(subject for _, subject in keys) == Counter([*numbers, *(one.id for one in apart)])
    matched, cursor = 0, ""
    while True:
        page, cursor = control.automation.runs(RunFilter(outcome=(RunOutcome.MATCHED,)), cursor=cursor, limit=500)
        matched += len(page)
        if not cursor:
            break
    assert matched == 2 * ALERTS
    assert kills > 1
    assert control.cases.verify_activities() > ALERTS
    control.close()


def test_rules_in_the_server_and_on_the_command_line(server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        "name: tickets\ntitle: Tickets\ntrigger: {on: alert_created}\nactions: [{do: run_playbook, playbook: ticket}]\n"
    )
    environment = os.environ | {"GATEWATCH_SERVER": server.url, "GATEWATCH_TOKEN": server.token}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gatewatch", "automation-rules", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def said(*words: str) -> str:
        done = run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "tickets is applied" in said("apply", str(file))
    assert "Tickets" in said("list")
    assert json.loads(said("show", "tickets", "--json"))["state"] == "enabled"
    assert "tickets is disabled" in said("disable", "tickets")
    assert "tickets is enabled" in said("enable", "tickets")
    assert "Of 0 it would have matched 0" in said("simulate", "tickets", "--days", "3")
    assert "Of 0 it would have matched 0" in said("simulate", str(file))
    assert json.loads(said("runs", "--rule", "tickets", "--json"))["items"] == []
    assert said("runs", "--explain") == ""
    assert "do: run_playbook" in said("export")
    assert "Tickets" in said("order", "tickets")
    assert run("run", "tickets", "--on", "alert nothing").returncode == 4
    assert run("run", "tickets", "--on", "nothing").returncode == 2
    with server.client() as client:
        assert client.get("/v1/ready").json()["parts"]["automation"] is True
        assert "gatewatch_automation_lag_items 0.0" in client.get("/v1/metrics").text
    assert "tickets is removed" in said("delete", "tickets")
