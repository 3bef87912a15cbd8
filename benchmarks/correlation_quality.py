"""Precision and recall of incidents on labelled alert streams, and 100,000 alerts in an hour.

    python -m benchmarks correlation_quality [--seeds N] [--write]

A pair of alerts is right when both are in one incident and in one story. Precision: right pairs of all pairs in one
incident; recall: right pairs of all pairs in one story.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.alert_streams import STORIES, LabelledAlert, Stream, stream
from benchmarks.facts import RESULTS
from gatewatch.ports.cases import IncidentFilter
from gatewatch.services.incidents import Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore

STORM = 100_000
_FEW = ("swarm", "botnet", "same endpoint")
"""Not multiplied: bursts and chance meetings at the login endpoint would run into each other."""


def correlate(made: Stream, file: Path, *, batch: int = 50) -> tuple[dict[str, int], float, SqlControlStore]:
    """(alert id -> incident, seconds, the store): alerts come as the detectors find them, a few at a time."""
    control = SqlControlStore(f"sqlite:///{file}")
    control.migrate()
    now = [0.0]
    run = Correlation(control.cases, Summing(lambda _: {}, dict), lambda _: made.crowds, lambda: now[0])
    begin = time.perf_counter()
    for start in range(0, len(made.found), batch):
        part = [one.alert for one in made.found[start : start + batch]]
        now[0] = part[-1].last_seen
        control.upsert_alerts(part, at=now[0])
        run.run()
    took = time.perf_counter() - begin
    placed: dict[str, int] = {}
    cursor = ""
    while True:
        page, cursor = control.cases.incidents(IncidentFilter(), cursor=cursor, limit=500)
        for incident in page:
            placed |= dict.fromkeys(_alerts_of(control, incident.id), incident.id)
        if not cursor:
            return placed, took, control


def _alerts_of(control: SqlControlStore, incident: int) -> Iterable[str]:
    cursor = ""
    while True:
        page, cursor = control.cases.alerts_of(incident, cursor=cursor, limit=500)
        yield from (alert.id for alert in page)
        if not cursor:
            return


def score(found: Sequence[LabelledAlert], placed: dict[str, int]) -> dict[str, Counter[str]]:
    """Per kind of story and in all: pairs together and right, pairs that should be, alerts, stories, whole stories."""
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    sizes: Counter[tuple[str, int]] = Counter((one.story, placed[one.alert.id]) for one in found)
    stories, incidents = Counter(one.story for one in found), Counter(placed[one.alert.id] for one in found)
    kinds = {one.story: one.kind for one in found}
    for story, size in stories.items():
        for name in (kinds[story], "all"):
            tally[name] += Counter(stories=1, alerts=size, wanted=size * (size - 1) // 2)
    for (story, _), size in sizes.items():
        for name in (kinds[story], "all"):
            tally[name]["right"] += size * (size - 1) // 2
            tally[name]["whole"] += size == stories[story]
    together = sum(size * (size - 1) // 2 for size in incidents.values())
    tally["all"] += Counter(together=together, incidents=len(incidents))
    for (story, incident), size in sizes.items():
        tally[kinds[story]]["mixed"] += size * (incidents[incident] - size)
    return tally


def _lines(tally: dict[str, Counter[str]]) -> Iterable[str]:
    yield "| stories | count | alerts | told whole | recall of pairs | alerts pairs with strangers |"
    yield "|---|---|---|---|---|---|"
    for name in (*STORIES, "all"):
        one = tally[name]
        recall = f"{one['right'] / one['wanted']:.1%}" if one["wanted"] else "-"
        whole = f"{one['whole'] / max(1, one['stories']):.1%}"
        mixed = sum(part["mixed"] for part in tally.values()) // 2 if name == "all" else one["mixed"]
        yield f"| {name} | {one['stories']} | {one['alerts']} | {whole} | {recall} | {mixed} |"
    every = tally["all"]
    yield ""
    right, together = every["right"], every["together"]
    yield f"Pairs in one incident: {together:,}, of these right: {right / max(1, together):.2%} (precision)."
    yield f"Pairs in one story: {every['wanted']:,}, of these found: {right / max(1, every['wanted']):.2%} (recall)."


def _storm(directory: Path) -> list[str]:
    """The same stories in one hour at 140 sites, and one campaign of thousands of addresses."""
    counts = {kind.replace(" ", "_"): 35 * count for kind, (_, count) in STORIES.items() if kind not in _FEW}
    made = stream(99, hours=1, sites=140, **counts)
    made.begin("swarm")
    start = made.moment()
    while len(made.found) < STORM:
        made.raise_(
            "injection", start + made.dice.random() * 600, ips=(made.address(),), at=("GET storm.example /v1/x",)
        )
    made.found.sort(key=lambda one: (one.alert.first_seen, one.alert.id))
    placed, took, control = correlate(made, directory / "storm.sqlite", batch=500)
    tally = score(made.found, placed)["all"]
    again = time.perf_counter()
    control.cases.incidents(IncidentFilter(), order="priority", limit=50)
    listed = time.perf_counter() - again
    intact = control.cases.verify_activities()
    control.close()
    precision, recall = tally["right"] / max(1, tally["together"]), tally["right"] / max(1, tally["wanted"])
    return [
        f"## {len(made.found):,} alerts in an hour",
        "",
        f"- Stored and correlated in {took:.0f} s, {len(made.found) / took:,.0f} alerts/s.",
        f"- Every alert in exactly one of {tally['incidents']:,} incidents: {len(placed) == len(made.found)}.",
        f"- Precision of pairs {precision:.2%}, recall {recall:.2%}.",
        f"- First page by priority in {1000 * listed:.0f} ms; audit log of {intact:,} entries intact.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--storm", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    total: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, asked.seeds + 1):
            made = stream(seed)
            placed, _, control = correlate(made, Path(folder, f"{seed}.sqlite"))
            control.close()
            assert set(placed) == {one.alert.id for one in made.found}, "every alert is in exactly one incident"
            for name, counts in score(made.found, placed).items():
                total[name] += counts
        lines = [
            f"# Correlation quality\n\n`python -m benchmarks correlation_quality --write`, {asked.seeds} seeds.\n",
            *_lines(total),
            "",
        ]
        if asked.storm:
            lines += _storm(Path(folder))
    text = "\n".join(lines) + "\n"
    print(text)
    if asked.write:
        (RESULTS / "correlation_quality.md").write_text(text)
