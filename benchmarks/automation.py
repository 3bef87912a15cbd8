"""A thousand alerts in a minute, ten automation rules, three playbooks that really run.

    python -m benchmarks automation [--write]

Correlation and rules run as in the server (SQLite), while alerts come in batches of 50. Latency is from the moment at
which an alert is stored to the moment at which the last of its rules has run and its playbooks were asked for. Each
alert starts one of three playbooks on the real durable engine: a variable, a call under a lock that 40 runs share, a
branch, a second call. The other system only remembers, and counts who is inside a lock and inside a playbook at a time.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import structlog

from benchmarks.facts import machine, publish
from gatewatch.bootstrap.automation import Automation, automation
from gatewatch.model.action import ActionCall, ActionResult
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.run import RunState
from gatewatch.ports.automation import RunFilter
from gatewatch.ports.runs import RunFilter as Asked
from gatewatch.services.incidents import Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import alert
from gatewatch.testing.playbooks import RememberingConnectors, desk_for_tests

ALERTS, BATCH = 1000, 50
PACE_S = 3.0
"""Between batches: 1,000 alerts a minute."""
CONCURRENCY = 25
DRAIN_S = 600.0
_PLAYBOOK = """\
schema: gatewatch.playbook/v1
name: {name}
title: Bench
subject: alert
concurrency: {concurrency}
inputs: {{ip: {{type: string, required: true}}}}
steps:
  - {{id: keep, set: {{values: {{who: '${{alert.actors[0]}}'}}}}}}
  - id: first
    lock: "door ${{alert.count % 25}}"
    action: {{connection: memory, do: send, with: {{text: 'first ${{alert.id}} door ${{alert.count % 25}}'}}}}
  - id: way
    if:
      condition: "steps.first.ticket != ''"
      then:
        - id: second
          action: {{connection: memory, do: send, with: {{text: 'second ${{alert.id}} ${{inputs.ip}}'}}}}
"""


class _Clock:
    def now(self) -> float:
        return time.time()


class _Counting(RememberingConnectors):
    """Counts who is inside."""

    def __init__(self) -> None:
        super().__init__()
        self._inside: dict[str, int] = {}
        self._guard, self._now = threading.Lock(), 0
        self.most = self.most_inside = 0

    def perform(self, call: ActionCall) -> ActionResult:
        door = str(call.inputs["text"]).partition(" door ")[2]
        with self._guard:
            self._now += 1
            self._inside[door] = self._inside.get(door, 0) + 1
            self.most = max(self.most, self._now)
            if door:
                self.most_inside = max(self.most_inside, self._inside[door])
        time.sleep(0.005)  # what a fast system takes
        found = super().perform(call)
        with self._guard:
            self._now -= 1
            self._inside[door] -= 1
        return found


def _waits(control: SqlControlStore) -> dict[str, Any]:
    took, cursor = list[float](), ""
    while True:
        page, cursor = control.runs.runs(Asked(), cursor=cursor, limit=500)
        took += [run.ended_at - run.created_at for run in page if run.state is RunState.SUCCEEDED and run.ended_at]
        if not cursor:
            break
    took.sort()
    return {
        "succeeded": len(took),
        "p50": round(took[len(took) // 2], 1) if took else None,
        "p99": round(took[int(len(took) * 0.99)], 1) if took else None,
    }


def _rules(parts: Automation) -> None:
    tag = {"do": "add_tags", "tags": ["seen"]}
    for number in range(7):
        condition = f"alert.count >= {number} && alert.severity in ['medium', 'high']"
        text = {
            "title": "t",
            "trigger": "alert_created",
            "conditions": [condition],
            "actions": [tag],
            "order": number + 1,
        }
        parts.desk.rulebook.put(f"rule{number}", text, by="b")
    for number in range(3):
        start = {"do": "run_playbook", "playbook": f"p{number}", "inputs": {"ip": "${alert.addresses[0]}"}}
        condition = f"alert.count % 3 == {number}"
        text = {
            "title": "t",
            "trigger": "alert_created",
            "conditions": [condition],
            "actions": [start],
            "order": 100,
        }
        parts.desk.rulebook.put(f"start{number}", text, by="b")


def _alert(number: int) -> Any:
    return alert(
        number,
        actors=(Actor(ActorKind.SUBJECT, f"person{number}"),),
        client_ips=(f"198.51.{number % 250}.{number // 250}",),
        endpoints=(f"GET shop /p{number}",),
        alert_type=f"T{number}",
        count=number + 1,
    )


def measure(directory: Path) -> dict[str, Any]:
    control, clock, systems = SqlControlStore(f"sqlite:///{directory}/control.sqlite"), _Clock(), _Counting()
    control.migrate()
    summing = Summing(lambda _: {}, dict)
    desk = desk_for_tests(directory, control, systems, clock, structlog.get_logger())
    for number in range(3):
        desk.library.save(_PLAYBOOK.format(name=f"p{number}", concurrency=CONCURRENCY), by="b")
        desk.library.promote(f"p{number}", by="b")
        desk.library.enable(f"p{number}", by="b")
    desk.runs.launch()
    parts = automation(control, summing, desk.runs, clock, structlog.get_logger())
    correlation = Correlation(control.cases, summing, lambda _: {}, clock.now)
    _rules(parts)
    parts.dispatching.step()
    done, depths, queued = threading.Event(), list[int](), list[int]()

    def bring() -> None:
        due = time.perf_counter()
        for start in range(0, ALERTS, BATCH):
            control.upsert_alerts([_alert(n) for n in range(start, start + BATCH)], at=clock.now())
            correlation.run()
            depths.append(parts.desk.counts().lag)
            queued.append(desk.runs.depth().get(RunState.QUEUED, 0))
            due += PACE_S
            time.sleep(max(0.0, due - time.perf_counter()))
        done.set()

    begin = time.perf_counter()
    bringing = threading.Thread(target=bring)
    bringing.start()
    while True:
        ended = done.is_set()
        if not parts.dispatching.step() and ended:
            break
        time.sleep(0.05)
    took = time.perf_counter() - begin
    bringing.join()
    while desk.runs.depth() and time.perf_counter() - begin < DRAIN_S:
        queued.append(desk.runs.depth().get(RunState.QUEUED, 0))
        time.sleep(0.5)
    drained = time.perf_counter() - begin
    waits = _waits(control)
    latencies, runs, cursor = list[float](), 0, ""
    last: dict[str, float] = {}
    while True:
        page, cursor = control.automation.runs(RunFilter(), cursor=cursor, limit=500)
        runs += len(page)
        for run in page:
            last[run.subject] = max(last.get(run.subject, 0.0), run.at + run.took_s)
        if not cursor:
            break
    for name, moment in last.items():
        latencies.append(moment - control.alert(name).created_at)
    latencies.sort()
    counts = parts.desk.counts()
    desk.runs.stop()
    control.close()
    return {
        "alerts": ALERTS,
        "alerts_per_s": round(ALERTS / took),
        "rule_runs_per_s": round(runs / took),
        "latency_ms": {
            "p50": round(1000 * latencies[len(latencies) // 2]),
            "p99": round(1000 * latencies[int(len(latencies) * 0.99)]),
        },
        "deepest_queue_changes": max(depths),
        "playbooks_started": counts.started,
        "playbook_runs": {
            "succeeded": waits["succeeded"],
            "per_s": round(waits["succeeded"] / drained, 1),
            "all_over_after_s": round(drained, 1),
            "asked_to_over_s": {"p50": waits["p50"], "p99": waits["p99"]},
            "deepest_queue": max(queued),
            "most_at_a_time": systems.most,
            "limit_at_a_time": 3 * CONCURRENCY,
            "most_inside_one_lock": systems.most_inside,
        },
        "effects_lost_or_repeated": abs(2 * ALERTS - len(systems.effects)) + len(systems.calls) - len(systems.effects),
        "dropped": 10 * ALERTS - runs + ALERTS - waits["succeeded"],
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        publish("automation", measure(Path(directory)) | {"machine": machine()})


if __name__ == "__main__":
    main()
