"""A thousand alerts in twenty seconds, ten automation rules, three playbooks.

    python -m benchmarks automation [--write]

Correlation and rules run as in the server (SQLite), while alerts come in batches of 50. Latency is from the moment at
which an alert is stored to the moment at which the last of its rules has run and its playbooks were asked for. The
starter of playbooks only notes what it is asked for: what a playbook costs is not measured here.
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
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.ports.automation import RunFilter
from gatewatch.services.incidents import Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import alert
from gatewatch.testing.playbooks import Recorder

ALERTS, BATCH = 1000, 50
PACE_S = 1.0
"""Between batches: 3,000 alerts a minute."""


class _Clock:
    def now(self) -> float:
        return time.time()


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
        text = {"title": "t", "trigger": "alert_created", "actions": [start], "order": 100}
        parts.desk.rulebook.put(f"start{number}", text, by="b")


def _alert(number: int) -> Any:
    return alert(
        number,
        actors=(Actor(ActorKind.SUBJECT, f"person{number}"),),
        client_ips=(f"198.51.{number % 250}.{number // 250}",),
        endpoints=(f"GET shop /p{number}",),
        alert_type=f"T{number}",
    )


def measure(directory: Path) -> dict[str, Any]:
    control, playbooks, clock = SqlControlStore(f"sqlite:///{directory}/control.sqlite"), Recorder(), _Clock()
    control.migrate()
    summing = Summing(lambda _: {}, dict)
    parts = automation(control, summing, playbooks, clock, structlog.get_logger())
    correlation = Correlation(control.cases, summing, lambda _: {}, clock.now)
    _rules(parts)
    parts.dispatching.step()
    done, depths = threading.Event(), list[int]()

    def bring() -> None:
        due = time.perf_counter()
        for start in range(0, ALERTS, BATCH):
            control.upsert_alerts([_alert(n) for n in range(start, start + BATCH)], at=clock.now())
            correlation.run()
            depths.append(parts.desk.counts().lag)
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
        "dropped": 10 * ALERTS - runs + 3 * ALERTS - len(playbooks.runs),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        publish("automation", measure(Path(directory)) | {"machine": machine()})


if __name__ == "__main__":
    main()
