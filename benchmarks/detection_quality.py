"""Precision, recall and time to detect per story, on companies and seeds that no threshold was tuned on."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from gatewatch.detect.detector import all_detectors
from gatewatch.detect.folding import fold, group_by_key
from gatewatch.model.alert import Alert
from gatewatch.testing.scenarios.attacks import ATTACKS, LOOK_ALIKES
from gatewatch.testing.scenarios.companies import JUDGING, TUNING, Company
from gatewatch.testing.scenarios.recording import Recording, record
from gatewatch.testing.traffic import detect_all, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

BLOCK = 20_000


def alerts_of(recording: Recording, store: ClickHouseTraffic) -> list[Alert]:
    observations = numbered(recording.calls)
    for first in range(0, len(observations), BLOCK):
        store_calls(store, observations[first : first + BLOCK], token=f"{first}")
    found = detect_all(store, all_detectors(), start=recording.start, end=recording.end)
    return [alert for group in group_by_key(found).values() for alert in fold(None, group)]


def about(alert: Alert, recording: Recording) -> bool:
    (label,) = recording.labels
    named = label.addresses & set(alert.client_ips) or label.actors & {actor.id for actor in alert.actors}
    return bool(named) and alert.last_seen >= label.first and alert.first_seen <= label.last


def judge(company: Company, story: str, seed: int, folder: Path, tally: dict) -> None:
    recording = record(company, story, seed=seed)
    if not recording.labels:
        return
    store = ClickHouseTraffic(f"chdb://{folder}", database=f"run{tally[story]['runs']}_{len(tally)}")
    store.migrate()
    alerts = alerts_of(recording, store)
    (label,) = recording.labels
    right = [a for a in alerts if about(a, recording) and a.alert_type in label.alert_types]
    # A second name for the same attack is no false alarm; an alert about anybody else is.
    wrong = [a for a in alerts if not about(a, recording) or not label.alert_types]
    row = tally[story]
    row["runs"] += 1
    row["found"] += bool(right)
    row["alerts"] += len([a for a in alerts if about(a, recording)])
    row["wrong"] += len(wrong)
    row["delays"] += [min(a.detected_at for a in right) - label.first] if right else []
    row["where"] += [f"{company.name}: missed"] if label.alert_types and not right else []
    row["where"] += [f"{company.name}: {a.alert_type} {a.explanation.sentence[:90]}" for a in wrong][:3]
    store.close()


def report(tally: dict, seconds: float, companies: tuple[Company, ...], seeds: int) -> str:
    lines = [
        "# Detection quality",
        "",
        f"Companies {', '.join(c.name for c in companies)}; {seeds} seed(s) each; one pass; {seconds:.0f} s.",
        "",
    ]
    lines += [
        "| Story | Runs | Found | Alerts about it | Wrong alerts | Median time to detect (s) | Notes |",
        "|---|---|---|---|---|---|---|",
    ]
    for story, row in tally.items():
        delays = sorted(row["delays"])
        median = f"{delays[len(delays) // 2]:.0f}" if delays else "-"
        notes = "; ".join(row["where"][:3])
        found = f"{row['found']}/{row['runs']}" if story in ATTACKS else "-"
        lines.append(f"| {story} | {row['runs']} | {found} | {row['alerts']} | {row['wrong']} | {median} | {notes} |")
    attacks = [row for story, row in tally.items() if story in ATTACKS]
    found, runs = sum(r["found"] for r in attacks), sum(r["runs"] for r in attacks)
    wrong = sum(r["wrong"] for r in tally.values())
    lines += [
        "",
        f"Recall {found}/{runs}; wrong alerts {wrong} in {sum(r['runs'] for r in tally.values())} recordings.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=("tuning", "judging"), default="judging")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write results/detection_quality.md")
    arguments = parser.parse_args()
    companies = TUNING if arguments.set == "tuning" else JUDGING
    tally: dict = defaultdict(lambda: {"runs": 0, "found": 0, "alerts": 0, "wrong": 0, "delays": [], "where": []})
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for story in (*ATTACKS, *LOOK_ALIKES):
            for company in companies:
                for seed in range(1000, 1000 + arguments.seeds):
                    judge(company, story, seed, Path(folder) / "traffic", tally)
    text = report(tally, time.monotonic() - began, companies, arguments.seeds)
    print(text)
    if arguments.write:
        (Path(__file__).parent / "results" / "detection_quality.md").write_text(text)
